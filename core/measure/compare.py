"""Whether two networks' accuracies differ by more than chance, and by how much.

Judged on the same images they are compared image by image (`core.measure.paired`, Tango 1998): most images
are right in both or wrong in both and say nothing, so that smaller differences are seen. Else they are two
shares that have nothing to do with each other (`core.measure.counted`, Newcombe 1998).
"""

from __future__ import annotations

from typing import NamedTuple

from core.measure.counted import difference
from core.measure.paired import bits, fall, fall_interval


class Judged(NamedTuple):
    """How a network did: so many ``correct`` of the ``images``; ``right`` says which, as `bits` reads it."""

    correct: int
    images: int
    right: str | None = None


class Comparison(NamedTuple):
    """The first accuracy less the second, and its 95 % interval, in [-1, 1].

    Args:
        images, other_images: of how many the two are.
        won, lost: image by image: those that the first has right and the second wrong, and the other way
            round; None where the two were not compared so.
    """

    difference: float
    low: float
    high: float
    images: int
    other_images: int
    won: int | None = None
    lost: int | None = None

    @property
    def is_paired(self) -> bool:
        return self.won is not None

    @property
    def is_beyond_noise(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0


def compare(ours: Judged, theirs: Judged, *, same_images: bool) -> Comparison:
    """What the first network does better than the second.

    Args:
        same_images: both were judged on the very same images, in the same order.
    """
    found, other = bits(ours.right, ours.images), bits(theirs.right, theirs.images)
    if same_images and ours.images == theirs.images and found is not None and other is not None:
        won, lost = (found & ~other).bit_count(), (other & ~found).bit_count()
        low, high = fall_interval(lost, won, ours.images)
        return Comparison(-fall(lost, won, ours.images), -high, -low, ours.images, ours.images, won, lost)
    low, high = difference(ours.correct, ours.images, theirs.correct, theirs.images)
    apart = ours.correct / ours.images - theirs.correct / theirs.images
    return Comparison(apart, low, high, ours.images, theirs.images)
