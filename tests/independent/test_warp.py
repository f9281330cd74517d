"""A fused warp against SciPy's interpolation at the places that the drawn numbers say."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from core.augment.check import completed_augment
from core.augment.pipeline import Pipeline
from core.run.spec import AugmentSpec, OpSpec

SIDE = 32


@pytest.mark.parametrize("step", range(4))
def test_rotation_shift_and_mirror_are_one_bilinear_reading(step):
    ops = tuple(
        OpSpec(op=name, p=1.0) for name in ("RandomRotation", "RandomTranslate", "RandomHorizontalFlip")
    )
    spec = completed_augment(AugmentSpec(ops=ops), channels=1)
    pipeline = Pipeline(spec, channels=1, side=SIDE, seed=5)
    assert pipeline.groups == ((0, 1, 2),)
    images = torch.rand(4, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(step))
    found = pipeline(images, step)
    drawn = [op.params for op in pipeline.draw(4, step).ops]
    y, x = np.mgrid[:SIDE, :SIDE].astype(float)
    middle = (SIDE - 1) / 2
    for i in range(4):
        across = SIDE - 1 - x - float(drawn[1]["translate_x"][i]) - middle  # the mirror and the shift undone
        down = y - float(drawn[1]["translate_y"][i]) - middle
        turn = math.radians(float(drawn[0]["degrees"][i]))  # then the turn, counter-clockwise, y down
        from_x = middle + math.cos(turn) * across - math.sin(turn) * down
        from_y = middle + math.sin(turn) * across + math.cos(turn) * down
        expected = map_coordinates(
            images[i, 0].double().numpy(), [from_y, from_x], order=1, mode="grid-constant"
        )
        np.testing.assert_allclose(found[i, 0].numpy(), expected, atol=2e-4)
