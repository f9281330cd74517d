"""Which λ of a path costs next to nothing: each is compared with λ = 0 on the same validation images.

Two runs of one path answer most images alike, so what counts is the few that one has right and the other
wrong. Still, what one looks for, half a point, is as small as the noise. So each fall is first averaged with
its neighbours', and then the falls are made to rise with λ by isotonic regression (Barlow et al. 1972, the
pool-adjacent-violators algorithm). How often this is right, and what else was tried: docs/LOG.md.

Pages read this; torch is not needed here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise, takewhile
from typing import Any, NamedTuple

from core.measure.paired import bits, fall, fall_interval

TOLERANCE = 0.005  # of accuracy: what a good λ may cost

Row = Mapping[str, Any]  # of a path's job


class Fall(NamedTuple):
    """What a λ costs against λ = 0, as shares of the images; below 0 it gains."""

    lost: int  # images that λ = 0 has right, and this λ wrong
    won: int
    images: int

    @property
    def share(self) -> float:
        return fall(self.lost, self.won, self.images)

    @property
    def interval(self) -> tuple[float, float]:
        """At 95 %."""
        return fall_interval(self.lost, self.won, self.images)


def without(rows: Sequence[Row]) -> Row | None:
    """The row of λ = 0; None: it is not known yet, or its loss stopped being a number."""
    return next((row for row in rows if row["strength"] == 0 and _bits(row) is not None), None)


def against(zero: Row | None, row: Row) -> Fall | None:
    """What the λ of ``row`` costs against ``zero``, that of λ = 0; None: they can't be compared."""
    before, after = _bits(zero), _bits(row)
    if zero is None or before is None or after is None or zero["images"] != row["images"]:
        return None
    return Fall((before & ~after).bit_count(), (after & ~before).bit_count(), row["images"])


def star(rows: Sequence[Row]) -> Row | None:
    """The row of the largest λ that costs at most `TOLERANCE` against λ = 0, once the noise is evened out;
    None: there is none, or λ = 0 is not known."""
    zero = without(rows)
    known = [
        (row, found.share)
        for row in sorted(rows, key=lambda row: row["strength"])
        if row["strength"] > 0 and (found := against(zero, row)) is not None
    ]
    if not known:
        return None
    first, *rising = isotonic(_averaged([0.0, *(share for _, share in known)]))
    # The falls are shares of some hundred images: 0.02 - 0.015 is a hair above 0.005 in floats.
    good = [row for (row, _), share in zip(known, rising, strict=True) if share - first <= TOLERANCE + 1e-9]
    return good[-1] if good else None


def alike(rows: Sequence[Row], best: Row) -> list[Row]:
    """``best`` and its neighbours in λ that can't be told apart from it on these images, in order: up and
    down to the first whose 95 % interval of the difference leaves out 0."""
    known = sorted((row for row in rows if row["strength"] > 0), key=lambda row: row["strength"])
    at = next(i for i, row in enumerate(known) if row["strength"] == best["strength"])
    below = list(takewhile(lambda row: _is_tied(best, row), reversed(known[:at])))
    above = list(takewhile(lambda row: _is_tied(best, row), known[at + 1 :]))
    return [*reversed(below), best, *above]


def _is_tied(best: Row, row: Row) -> bool:
    found = against(best, row)
    return found is not None and found.interval[0] <= 0 <= found.interval[1]


def isotonic(values: Sequence[float]) -> list[float]:
    """The rising sequence with the least squared distance to ``values``."""
    blocks: list[tuple[float, int]] = []  # sum, number
    for value in values:
        total, number = value, 1
        while blocks and blocks[-1][0] * number >= total * blocks[-1][1]:
            before, as_many = blocks.pop()
            total, number = total + before, number + as_many
        blocks.append((total, number))
    return [total / number for total, number in blocks for _ in range(number)]


def _averaged(values: Sequence[float]) -> list[float]:
    """Each with half the weight, and its two neighbours with the rest. The first is left as it is, for λ = 0
    costs nothing, and so is the last: as a rule the largest λ costs far more than the others."""
    halfway = [(a + b) / 2 for a, b in pairwise(values)]
    return [values[0], *((a + b) / 2 for a, b in pairwise(halfway)), values[-1]]


def _bits(row: Row | None) -> int | None:
    """Which images are right, as an integer's bits."""
    if row is None or row["accuracy"] is None or not isinstance(row["images"], int):
        return None
    return bits(row["right"], row["images"])
