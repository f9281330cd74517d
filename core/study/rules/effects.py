"""Does it help: the effects of switches, each with an interval, from runs that are paired by their seeds.

Every seed has a run for each setting of the switches. The effect of a switch for one seed is the mean over
the settings of the others of *on* less *off* (Box, Hunter & Hunter 2005, Statistics for experimenters,
chapter 5); seeds are what chance varies, so the interval is Student's over the seeds. With several effects at
once the intervals are wider, so that all of them are right together in 95 of 100 studies (Bonferroni).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from core.measure.beta import t_quantile
from core.measure.mean import ROUNDING, mean_interval

SURE = 0.95
MOST_SEEDS = 1000  # that are ever advised

Setting = tuple[bool, ...]  # of each switch


class Effect(NamedTuple):
    """What switching something on changes, in the unit of the figures.

    Args:
        names: one switch, or two whose effects don't add up.
        mean: over the seeds; ``low`` and ``high`` are the ends of its interval, and infinite where it is the
            same with every seed: how far chance moves it is not known then.
        n: seeds.
        needed: about how many seeds would tell an effect of this size; None: it is told already, or so small
            that more than `MOST_SEEDS` would be needed, or it is not known how far chance moves it.
    """

    names: tuple[str, ...]
    mean: float
    low: float
    high: float
    n: int
    needed: int | None

    @property
    def is_told(self) -> bool:
        """Whether chance alone is ruled out."""
        return self.low > 0 or self.high < 0

    @property
    def is_known(self) -> bool:
        return math.isfinite(self.low)


def plain_effect(effect: Effect) -> dict[str, Any]:
    """As JSON values; ``low`` and ``high`` are None where they are not known."""
    return {
        "name": " × ".join(effect.names),
        "names": list(effect.names),
        "mean": effect.mean,
        "low": effect.low if effect.is_known else None,
        "high": effect.high if effect.is_known else None,
        "n": effect.n,
        "is_told": effect.is_told,
        "needed": effect.needed,
    }


def factorial_effects(
    names: Sequence[str], figures: Sequence[Mapping[Setting, float]]
) -> tuple[list[Effect], list[Effect]]:
    """The main effects, and the interactions of two: half of how much more one helps where the other is on.

    Args:
        names: of the switches.
        figures: for each seed, at least two, the figure of each of the 2^k settings.
    """
    main: list[tuple[int, ...]] = [(i,) for i in range(len(names))]
    pairs: list[tuple[int, ...]] = list(combinations(range(len(names)), 2))

    def effects(which: Sequence[tuple[int, ...]]) -> list[Effect]:
        together = len(main) + len(pairs)
        return [
            _effect(tuple(names[i] for i in each), [_contrast(each, seed) for seed in figures], together)
            for each in which
        ]

    return effects(main), effects(pairs)


def single_effects(
    names: Sequence[str], with_it: Sequence[Sequence[float]], without: Sequence[float]
) -> list[Effect]:
    """The same for switches that were tried one at a time.

    Args:
        with_it: for each switch the figure of each seed where it alone is on; ``without``: where none is.
    """
    apart = [[a - b for a, b in zip(each, without, strict=True)] for each in with_it]
    return [_effect((name,), values, len(names)) for name, values in zip(names, apart, strict=True)]


def _contrast(which: tuple[int, ...], figures: Mapping[Setting, float]) -> float:
    """The mean of the settings in which an even number of ``which`` is off, less that of the others."""
    signs = {setting: math.prod(1 if setting[i] else -1 for i in which) for setting in figures}
    return 2 * sum(signs[setting] * figure for setting, figure in figures.items()) / len(figures)


def _effect(names: tuple[str, ...], values: Sequence[float], together: int) -> Effect:
    if statistics.stdev(values) < ROUNDING:
        return Effect(names, statistics.fmean(values), -math.inf, math.inf, len(values), None)
    sure = 1 - (1 - SURE) / together
    mean, low, high = mean_interval(values, sure)
    told = low > 0 or high < 0
    needed = None if told else seeds_needed(mean, statistics.stdev(values), sure)
    return Effect(names, mean, low, high, len(values), needed)


def seeds_needed(effect: float, spread: float, sure: float = SURE) -> int | None:
    """The least number of seeds whose interval would not reach from ``effect`` to 0, if ``spread``, the
    seeds' standard deviation, is as it seems; None: more than `MOST_SEEDS`."""
    if not effect:
        return None

    def enough(n: int) -> bool:
        return t_quantile(n - 1, sure) * spread / math.sqrt(n) < abs(effect)

    if not enough(MOST_SEEDS):
        return None
    low, high = 1, MOST_SEEDS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
