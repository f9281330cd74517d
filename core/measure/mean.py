"""How sure a mean of a few runs is: Student's t, in closed form and without SciPy, for pages.

Abramowitz & Stegun 1964, Handbook of mathematical functions, 26.7.3 and 26.7.4.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from functools import cache

HALVINGS = 70
MOST_QUANTILE = 1e4  # of one degree of freedom this leaves 1 in 15,000 outside


def mean_interval(values: Sequence[float], sure: float = 0.95) -> tuple[float, float, float]:
    """The mean of at least two values, and the ends of its interval, which is 95 % unless ``sure`` says
    otherwise: other values of the same kind, such as runs with other seeds, have their mean there."""
    mean = statistics.fmean(values)
    half = quantile(len(values) - 1, sure) * statistics.stdev(values) / math.sqrt(len(values))
    return mean, mean - half, mean + half


@cache
def quantile(freedom: int, sure: float = 0.95) -> float:
    """So far from 0 that a share ``sure`` of Student's distribution lies within."""
    low, high = 0.0, MOST_QUANTILE
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < sure else (low, middle)
    return high


def _within(t: float, freedom: int) -> float:
    """The probability of a value between -t and t."""
    angle = math.atan(t / math.sqrt(freedom))
    cosine, sine = math.cos(angle), math.sin(angle)
    term, total = (cosine, cosine) if freedom % 2 else (1.0, 1.0)
    for k in range(2 if freedom % 2 else 1, freedom - 2, 2):
        term *= k / (k + 1) * cosine**2
        total += term
    if freedom % 2 == 0:
        return sine * total
    return 2 / math.pi * (angle + (sine * total if freedom > 1 else 0.0))
