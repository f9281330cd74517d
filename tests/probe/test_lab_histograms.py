"""Counts against NumPy's, and against images whose histogram can be written down."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.preview.histograms import histogram, histograms


@given(
    shape=st.tuples(st.integers(1, 4), st.sampled_from([1, 3]), st.integers(1, 9), st.integers(1, 9)),
    bins=st.sampled_from([1, 2, 16, 64, 256]),
    seed=st.integers(0, 2**31),
)
@settings(max_examples=40, deadline=None)
def test_as_numpy_counts(shape, bins, seed):
    images = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    found = histogram(torch.from_numpy(images), bins)
    for channel in range(shape[1]):
        values = images[:, channel]
        counts, _ = np.histogram(values, bins=bins, range=(0, 256))
        np.testing.assert_allclose(found.shares[channel], 100 * counts / values.size)
        assert float(found.black[channel]) == pytest.approx(100 * float((values == 0).mean()))
        assert float(found.white[channel]) == pytest.approx(100 * float((values == 255).mean()))


def test_every_value_once_is_level_and_one_image_is_a_batch_of_one():
    ramp = torch.arange(256, dtype=torch.uint8).view(1, 16, 16)
    found = histogram(ramp)
    assert found.shares.shape == (1, 64) and bool((found.shares == 100 / 64).all())
    assert found.black.tolist() == found.white.tolist() == [100 / 256]
    colours = torch.stack([ramp[0], ramp[0] * 0, ramp[0] * 0 + 255])
    np.testing.assert_array_equal(histogram(colours).shares, histogram(colours[None]).shares)
    assert histogram(colours).white.tolist() == [100 / 256, 0, 100]


def test_brighter_moves_to_the_right_and_is_clipped():
    before = torch.full((2, 1, 4, 4), 100, dtype=torch.uint8)
    after = before.clone()
    after[0] = 255
    first, second = histograms(before, after, bins=16)
    assert first.shares[0].nonzero()[0].tolist() == [6] and first.white.tolist() == [0]
    assert second.shares[0].nonzero()[0].tolist() == [6, 15] and second.white.tolist() == [50]


def test_bins_must_be_equally_wide():
    with pytest.raises(AssertionError, match="widths"):
        histogram(torch.zeros(1, 2, 2, dtype=torch.uint8), 100)
