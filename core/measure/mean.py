"""How sure a mean of a few runs is, and a difference of two means: Student's t, for pages.

Student 1908, "The probable error of a mean", Biometrika 6; Welch 1947, "The generalization of Student's
problem when several different population variances are involved", Biometrika 34.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from core.measure.beta import below_f, t_quantile

ROUNDING = 1e-12  # a smaller standard deviation of shares is what binary fractions leave of none


class MeanDifference(NamedTuple):
    """The first mean less the second, and its 95 % interval.

    Args:
        low, high: infinite where all values of both are the same: how far chance moves them is not known.
        pairs: so many values were compared one by one; 0: the two means were (Welch).
    """

    difference: float
    low: float
    high: float
    pairs: int = 0

    @property
    def is_beyond_noise(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0

    @property
    def is_known(self) -> bool:
        return math.isfinite(self.low)


def mean_interval(values: Sequence[float], sure: float = 0.95) -> tuple[float, float, float]:
    """The mean of at least two values, and the ends of its interval, which is 95 % unless ``sure`` says
    otherwise: other values of the same kind, such as runs with other seeds, have their mean there."""
    mean = statistics.fmean(values)
    half = t_quantile(len(values) - 1, sure) * statistics.stdev(values) / math.sqrt(len(values))
    return mean, mean - half, mean + half


def paired_difference(ours: Sequence[float], theirs: Sequence[float]) -> MeanDifference:
    """Of values that belong together two by two, such as two runs with one seed; at least two pairs."""
    apart = [one - other for one, other in zip(ours, theirs, strict=True)]
    if statistics.stdev(apart) < ROUNDING:
        return MeanDifference(statistics.fmean(apart), -math.inf, math.inf, len(apart))
    return MeanDifference(*mean_interval(apart), len(apart))


def welch_difference(ours: Sequence[float], theirs: Sequence[float]) -> MeanDifference:
    """Of values that have nothing to do with each other, at least two of each; their spreads may differ."""
    found = statistics.fmean(ours) - statistics.fmean(theirs)
    parts = [statistics.variance(each) / len(each) for each in (ours, theirs)]
    if sum(parts) < ROUNDING**2:
        return MeanDifference(found, -math.inf, math.inf)
    # Satterthwaite's degrees of freedom; at least those of the smaller one.
    own = [part**2 / (len(each) - 1) for part, each in zip(parts, (ours, theirs), strict=True)]
    half = t_quantile(sum(parts) ** 2 / sum(own)) * math.sqrt(sum(parts))
    return MeanDifference(found, found - half, found + half)


def same_spread(ours: Sequence[float], theirs: Sequence[float]) -> float | None:
    """The p-value of the F test that two samples have one variance, two-sided; it takes them to be normal.
    None: one of them does not vary at all."""
    one, other = statistics.variance(ours), statistics.variance(theirs)
    if min(one, other) < ROUNDING**2:
        return None
    below = below_f(one / other, len(ours) - 1, len(theirs) - 1)
    return 2 * min(below, 1 - below)
