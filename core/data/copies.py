"""Images that are there more than once: the same pixels, or nearly so, as after saving anew.

A copy on both sides of a split is an exam whose question was known, so copies stay on one side.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Ints = NDArray[np.int64]

SIDE = 16  # pixels at which images are compared
NEAR = 0.1  # root mean square difference, in standard deviations of the picture; see docs/LOG.md
ROWS = 512  # compared at once with all others; 40 MB for 20,000


def copies_in(images: NDArray[np.uint8]) -> tuple[Ints, Ints]:
    """Which images, uint8 (N, C, S, S), are copies of each other: to each the index of the first of its
    group, itself if it is alone. Once by nearly the same pixels, and once by exactly the same."""
    exact = _exact(images)
    return _united(exact.copy(), _near_pairs(_small(images))), exact


def kept_together(near: Ints, exact: Ints, labels: Ints) -> Ints:
    """The groups of `copies_in` that a split must not divide. A class needs two groups of its own to be on
    both sides; one that has fewer, as the pictures of one film have, is told apart by exact pixels, and one
    whose images are all the same image by image."""
    groups = near.copy()
    for finer in (exact, np.arange(len(labels))):
        for label in np.unique(labels):
            own = np.isin(groups, groups[labels != label], invert=True) & (labels == label)
            if len(np.unique(groups[own])) < 2:
                touched = np.isin(groups, groups[labels == label])
                groups[touched] = finer[touched]
    return groups


def _exact(images: NDArray[np.uint8]) -> Ints:
    first: dict[bytes, int] = {}
    return np.array([first.setdefault(image.tobytes(), i) for i, image in enumerate(images)], np.int64)


def _small(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, C, 16·16), each pixel the mean of those it stands for."""
    side = min(SIDE, images.shape[-1])
    small = np.empty((len(images), images.shape[1], side, side), np.float32)
    for i, image in enumerate(images):
        for channel, values in enumerate(image):
            small[i, channel] = Image.fromarray(values).resize((side, side), Image.Resampling.BOX)
    return small.reshape(*small.shape[:2], -1)


def _near_pairs(small: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Pairs, the smaller index first, whose difference is at most `NEAR` of the contrast of each."""
    contrast = np.sqrt(small.var(axis=2).mean(axis=1))
    vectors = small.reshape(len(small), -1)
    limits = NEAR**2 * vectors.shape[1] * contrast.astype(np.float64) ** 2  # of squared distances
    vectors = vectors - vectors.mean(axis=0)  # smaller numbers, so smaller errors of rounding
    squares = np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64)
    pairs: list[tuple[int, int]] = []
    for begin in range(0, len(vectors), ROWS):
        rows = slice(begin, begin + ROWS)
        distances = squares[rows, None] + squares - 2 * (vectors[rows] @ vectors.T)
        near = distances <= np.minimum(limits[rows, None], limits)
        near &= (contrast[rows, None] > 1) & (contrast > 1)  # a blank picture is near every other
        pairs += [(begin + int(i), int(j)) for i, j in zip(*np.nonzero(near), strict=True) if begin + i < j]
    return pairs


def _united(groups: Ints, pairs: list[tuple[int, int]]) -> Ints:
    """``groups``, where both images of each pair are in the same; named by the first of each."""

    def root(i: int) -> int:
        while groups[i] != i:
            groups[i] = groups[groups[i]]
            i = int(groups[i])
        return i

    for one, other in pairs:
        a, b = root(one), root(other)
        groups[max(a, b)] = min(a, b)
    return np.array([root(i) for i in range(len(groups))], np.int64)
