"""What runs that differ by chance alone have in common: after each epoch the lowest and the highest, or the
middle half."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

Band = tuple[tuple[int, float, float], ...]  # epoch, lowest, highest


class Middle(NamedTuple):
    """The median and the quartiles of so many values."""

    lower: float
    median: float
    upper: float
    of: int


def middle(values: Sequence[float]) -> Middle:
    """Of at least one value; quartiles between two values are interpolated (type 7 of Hyndman & Fan 1996,
    "Sample quantiles in statistical packages", The American Statistician 50: NumPy's default)."""
    if len(values) == 1:
        return Middle(values[0], values[0], values[0], 1)
    lower, median, upper = statistics.quantiles(values, n=4, method="inclusive")
    return Middle(lower, median, upper, len(values))


def band(runs: Sequence[Mapping[int, float]]) -> Band:
    """Over the epochs that at least two of ``runs`` have, in order."""
    epochs = sorted({epoch for run in runs for epoch in run})
    found = []
    for epoch in epochs:
        values = [run[epoch] for run in runs if epoch in run]
        if len(values) > 1:
            found.append((epoch, min(values), max(values)))
    return tuple(found)
