"""The distributions behind Student's t and Fisher's F, without SciPy, for pages.

Both are the regularised incomplete beta function (Abramowitz & Stegun 1964, Handbook of mathematical
functions, 26.5.8, 26.6.2 and 26.7.1), here by its continued fraction with Lentz's method (Press et al. 2007,
Numerical recipes, 6.4).
"""

from __future__ import annotations

import math
from functools import lru_cache

TINY = 1e-300  # stands for 0 in a denominator
HALVINGS = 70
LONGEST = 1e4  # of one degree of freedom, the fewest, this leaves 1 in 15,000 outside


def incomplete_beta(a: float, b: float, x: float) -> float:
    """I_x(a, b), in [0, 1]: the share of a beta distribution below ``x``, for positive ``a`` and ``b``."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # the fraction converges fast on the other side only
        return 1 - incomplete_beta(b, a, 1 - x)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(log_front) / a / _fraction(a, b, x)


def within_t(t: float, freedom: float) -> float:
    """The probability of a value between -t and t in Student's distribution of ``freedom`` degrees."""
    return 1 - incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))


@lru_cache(maxsize=4096)  # Welch's degrees of freedom are any number
def t_quantile(freedom: float, sure: float = 0.95) -> float:
    """So far from 0 that a share ``sure`` of Student's distribution lies within; of at least one degree of
    freedom."""
    low, high = 0.0, LONGEST
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if within_t(middle, freedom) < sure else (low, middle)
    return high


def below_f(ratio: float, freedom: float, other: float) -> float:
    """The probability of a ratio of two variances below ``ratio``, if they are equal (Fisher's F)."""
    return incomplete_beta(freedom / 2, other / 2, freedom * ratio / (freedom * ratio + other))


def _fraction(a: float, b: float, x: float) -> float:
    """1 + d1/(1 + d2/(1 + …)) with the coefficients of 26.5.8."""
    found, above, below, i = 1.0, 1.0, 0.0, 0
    while True:
        i += 1
        m = i // 2
        if i % 2:
            d = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            d = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        below = 1 / ((1 + d * below) or TINY)
        above = (1 + d / above) or TINY
        found *= above * below
        if abs(above * below - 1) < 1e-15:
            return found
