"""Machines are noisy, so nothing is compared across runs: every round measures each way once, one after
the other, and a table gives the median of the rounds' ratios."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def ratio(values: Sequence[float], others: Sequence[float]) -> float:
    """How many times the others ``values`` are: the median over the rounds."""
    return statistics.median(value / other for value, other in zip(values, others, strict=True))
