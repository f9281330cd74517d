"""Which learning rate a range test suggests.

Smith 2017, Cyclical learning rates for training neural networks, section 3.3: a useful range goes from where
the loss begins to fall to where it stops falling. What is suggested is a tenth of the rate at which the
smoothed loss is least: there the loss still falls steeply (Howard & Gugger 2020, fastai).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

BEGINS = 0.05  # of the whole fall: then the loss has begun to fall
FEWEST = 10  # points that a suggestion needs


class RateRange(NamedTuple):
    """Learning rates: where the loss begins to fall, where it is least, where it falls fastest for a given
    factor of the rate, and what is suggested."""

    begins: float
    least: float
    steepest: float
    suggested: float


def rate_range(rates: Sequence[float], smooth: Sequence[float]) -> RateRange | None:
    """What a test says; None: too few points, or the loss never fell.

    Args:
        rates: rising.
        smooth: the smoothed loss at each.
    """
    if len(rates) < FEWEST:
        return None
    least = min(range(len(smooth)), key=lambda i: smooth[i])
    start = max(smooth[: least + 1])
    fall = start - smooth[least]
    if least == 0 or fall <= 0:
        return None
    begins = next(
        i for i in range(least + 1) if smooth[i] <= start - BEGINS * fall and i >= smooth.index(start)
    )
    steepest = max(range(1, least + 1), key=lambda i: smooth[i - 1] - smooth[i])
    return RateRange(rates[begins], rates[least], rates[steepest], float(f"{rates[least] / 10:.1g}"))
