"""How often each value occurs in images, before and after augmentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Shares = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Histogram:
    """Of images' pixels, in per cent of each channel's.

    Args:
        shares: (C, bins); bin ``b`` holds the values from ``b·256/bins`` up to the next one's first. Each
            row's sum is 100.
        black, white: the per cent of each channel's pixels, (C,), that are 0 and 255: what lay beyond
            was cut off there.
    """

    shares: Shares
    black: Shares
    white: Shares

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name).tolist() for name in ("shares", "black", "white")}

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Histogram:
        return cls(**{name: np.array(numbers) for name, numbers in told.items()})


def histogram(images: ArrayLike, bins: int = 64) -> Histogram:
    """Count uint8 ``images``, (N, C, H, W) or one (C, H, W), exactly.

    Args:
        bins: divides 256, so that all of them hold equally many values.
    """
    assert 256 % bins == 0, "bins of different widths would be of different heights"
    pixels = np.asarray(images)
    channels = np.moveaxis(pixels, -3, 0).reshape(pixels.shape[-3], -1)  # (C, pixels)
    counts = np.stack([np.bincount(channel, minlength=256) for channel in channels])  # (C, 256)
    shares = 100 * counts / channels.shape[1]
    return Histogram(shares.reshape(len(channels), bins, -1).sum(2), shares[:, 0], shares[:, 255])


def histograms(before: ArrayLike, after: ArrayLike, bins: int = 64) -> tuple[Histogram, Histogram]:
    """Those of two uint8 batches with the same channels; see `histogram`."""
    return histogram(before, bins), histogram(after, bins)
