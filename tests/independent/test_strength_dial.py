"""The strength of a whole pipeline at 0: ranges are at nothing, what has none goes on, as the dial says."""

import pytest
import torch

from core.augment.catalogue import OPERATIONS
from core.augment.pipeline import Pipeline
from core.catalogues import filled
from core.run.spec import parse

GOES_ON = {"RandomHorizontalFlip", "RandomInvert", "RandomEqualize", "RandomGrayscale", "RandAugment"}
AT_NOTHING = {"RandomRotation", "RandomBrightness", "RandomAffine", "RandomGaussianNoise"}


@pytest.mark.parametrize("name", sorted(GOES_ON | AT_NOTHING))
def test_at_strength_nothing(name):
    assert name in OPERATIONS
    chosen = filled(parse({"augment": {"ops": [{"op": name, "p": 1.0}], "strength": 0.0}}))
    images = torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    pipeline = Pipeline(chosen.augment, channels=3, side=32, seed=0)
    out = pipeline.apply(images, pipeline.draw(8, step=0))
    assert bool((out - images).abs().max() > 0.01) == (name in GOES_ON)
