"""How sure a share is that was counted on a sample, in closed form and without SciPy, for pages.

Wilson 1927, "Probable inference, the law of succession, and statistical inference", Journal of the American
Statistical Association 22; Newcombe 1998, "Interval estimation for the difference between independent
proportions", Statistics in Medicine 17, method 10.
"""

from __future__ import annotations

import math

Z = 1.959963984540054  # standard errors to each side of a 95 % interval


def wilson(count: int, of: int) -> tuple[float, float]:
    """The 95 % score interval, in [0, 1], of what was found ``count`` times in ``of`` tries, at least 1."""
    share, z2 = count / of, Z * Z
    centre = share + z2 / (2 * of)
    half = Z * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    low, high = (centre - half) / (1 + z2 / of), (centre + half) / (1 + z2 / of)
    # What rounding leaves at the ends is not on the other side of the share.
    return (0.0 if count == 0 else low), (1.0 if count == of else high)


def difference(count: int, of: int, other: int, other_of: int) -> tuple[float, float]:
    """The 95 % interval of the first share less the second, of two samples that have nothing to do with each
    other; in [-1, 1]."""
    share, other_share = count / of, other / other_of
    low, high = wilson(count, of)
    other_low, other_high = wilson(other, other_of)
    found = share - other_share
    below = math.hypot(share - low, other_high - other_share)
    above = math.hypot(high - share, other_share - other_low)
    return found - below, found + above
