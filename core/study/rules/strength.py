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
    found = choose_strengths([(each,) for each in grid], errors)
    return StrengthChoice(
        tuple(each for (each,) in found.grid),
        found.mean,
        found.standard_error,
        found.lambda_min[0],
        found.lambda_1se[0],
        found.folds,
        found.edges[0],
    )


Point = tuple[float, ...]  # a value for each of several λ


class PointChoice(NamedTuple):
    """The same of several λ at once, each of ``grid`` a point.

    Args:
        lambda_1se: of the points that are as good within one standard error, and at least ``lambda_min`` in
            each λ, the one that is furthest up: the sum of its places among each λ's values is largest.
        edges: of each λ.
    """

    grid: tuple[Point, ...]
    mean: tuple[float, ...]
    standard_error: tuple[float, ...]
    lambda_min: Point
    lambda_1se: Point
    folds: int
    edges: tuple[Edge, ...]


def choose_strengths(grid: Sequence[Point], errors: Sequence[Sequence[float]]) -> PointChoice:
    """Choose a point; arguments as `choose_strength` has them. Of equal ones that which is further up, and
    then that with the larger first λ."""
    assert len(grid) == len(errors) > 0 and len(set(grid)) == len(grid)
    folds = len(errors[0])
    assert folds > 1 and all(len(each) == folds for each in errors)
    ordered = sorted(zip(grid, errors, strict=True))
    points = tuple(point for point, _ in ordered)
    mean = {point: statistics.fmean(each) for point, each in ordered}
    spread = {point: statistics.stdev(each) / math.sqrt(folds) for point, each in ordered}
    axes = [sorted(set(values)) for values in zip(*points, strict=True)]

    def up(point: Point) -> tuple[int, Point]:
        return sum(axis.index(value) for axis, value in zip(axes, point, strict=True)), point

    best = max((point for point in points if mean[point] == min(mean.values())), key=up)
    good = [
        point
        for point in points
        if mean[point] <= mean[best] + spread[best] and all(a >= b for a, b in zip(point, best, strict=True))
    ]
    edges = tuple(_edge(axis, value) for axis, value in zip(axes, best, strict=True))
    return PointChoice(
        points, tuple(mean.values()), tuple(spread.values()), best, max(good, key=up), folds, edges
    )


def _edge(axis: Sequence[float], value: float) -> Edge:
    if len(axis) == 1 or axis[0] < value < axis[-1]:
        return ""
    return "largest" if value == axis[-1] else "smallest"
