"""How large CutMix's cuts are, counted in pixels, against the distribution that its help names."""

import numpy as np
import pytest
import torch
from scipy import stats

from core.augment.mixing import Mixer
from core.catalogues import filled
from core.run.spec import parse

SIDE = 256  # a cut has whole pixels: the larger, the finer its share
CUTS = 2000


def left(cut_size, beta):
    """What is left of each image, counted where it is still itself."""
    mix = {"op": "RandomCutMixV2", "p": 1.0, "params": {"cut_size": cut_size, "beta": beta}}
    mixer = Mixer(filled(parse({"augment": {"mix": mix}})).augment.mix, channels=1, side=SIDE, seed=0)
    found = []
    for step in range(CUTS // 50):
        own = torch.arange(50.0)[:, None, None, None].expand(50, 1, SIDE, SIDE) / 50
        drawn = mixer.draw(50, step)
        mixed = mixer.apply(own, drawn)
        found += (mixed == own).float().mean((1, 2, 3)).tolist()
    found = np.array(found)
    return found[found < 1]  # an image that is pasted on itself shows no cut


@pytest.mark.parametrize(("cut_size", "beta"), [((0.4, 0.95), 1.0), ((0.0, 1.0), 1.0), ((0.2, 0.6), 4.0)])
def test_sizes_are_drawn_within_the_range(cut_size, beta):
    low, high = cut_size
    shares = left(list(cut_size), beta)
    assert len(shares) > 0.9 * CUTS
    wanted = stats.beta(beta, beta, loc=low, scale=high - low)
    assert stats.kstest(shares, wanted.cdf).statistic < 0.05  # 1.36/√n is 0.03, and a cut is rounded down
