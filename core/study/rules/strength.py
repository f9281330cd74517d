"""Which λ: the best mean over the folds, and the largest λ that is as good as that within one standard error.

Breiman, Friedman, Olshen & Stone 1984, Classification and regression trees, section 3.4.3 (the rule); Hastie,
Tibshirani & Friedman 2009, The elements of statistical learning, section 7.10.1.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Literal, NamedTuple

Edge = Literal["", "smallest", "largest"]


class StrengthChoice(NamedTuple):
    """What a grid of λ came to; ``grid`` rises, and the other lists are in its order.

    Args:
        mean: over the folds, of the error; less is better.
        standard_error: sd with n − 1, over √folds.
        lambda_min: that with the least mean; of equal ones the larger.
        lambda_1se: the largest λ whose mean is at most that of ``lambda_min`` and its standard error.
        edge: ``lambda_min`` lies at this end of the grid, so the best may lie beyond.
    """

    grid: tuple[float, ...]
    mean: tuple[float, ...]
    standard_error: tuple[float, ...]
    lambda_min: float
    lambda_1se: float
    folds: int
    edge: Edge


def choose_strength(grid: Sequence[float], errors: Sequence[Sequence[float]]) -> StrengthChoice:
    """Choose a λ.

    Args:
        grid: different values, in any order.
        errors: for each λ the error on each fold, at least two, the same folds for all.
    """
    assert len(grid) == len(errors) > 0 and len(set(grid)) == len(grid)
    folds = len(errors[0])
    assert folds > 1 and all(len(each) == folds for each in errors)
    ordered = sorted(zip(grid, errors, strict=True))
    grid = tuple(each for each, _ in ordered)
    mean = tuple(statistics.fmean(each) for _, each in ordered)
    spread = tuple(statistics.stdev(each) / math.sqrt(folds) for _, each in ordered)
    best = max(i for i, each in enumerate(mean) if each == min(mean))
    simplest = max(i for i, each in enumerate(mean) if each <= mean[best] + spread[best])
    edge: Edge = "" if 0 < best < len(grid) - 1 or len(grid) == 1 else "largest" if best else "smallest"
    return StrengthChoice(grid, mean, spread, grid[best], grid[simplest], folds, edge)
