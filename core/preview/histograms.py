"""How often each value occurs in images, before and after augmentation."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Histogram:
    """Of images' pixels, in per cent of each channel's.

    Args:
        shares: float64 (C, bins); bin ``b`` holds the values from ``b·256/bins`` up to the next one's
            first. Each row's sum is 100.
        black, white: the per cent of each channel's pixels, (C,), that are 0 and 255: what lay beyond
            was cut off there.
    """

    shares: Tensor
    black: Tensor
    white: Tensor


def histogram(images: Tensor, bins: int = 64) -> Histogram:
    """Count uint8 ``images``, (N, C, H, W) or one (C, H, W), exactly.

    Args:
        bins: divides 256, so that all of them hold equally many values.
    """
    assert 256 % bins == 0, "bins of different widths would be of different heights"
    channels = images.transpose(0, -3).flatten(1)  # (C, pixels): one image's channels are first already
    counts = torch.stack([torch.bincount(channel, minlength=256) for channel in channels])  # (C, 256)
    shares = 100 * counts.double() / channels.shape[1]
    return Histogram(shares.view(len(channels), bins, -1).sum(2), shares[:, 0], shares[:, 255])


def histograms(before: Tensor, after: Tensor, bins: int = 64) -> tuple[Histogram, Histogram]:
    """Those of two uint8 batches with the same channels; see `histogram`."""
    return histogram(before, bins), histogram(after, bins)
