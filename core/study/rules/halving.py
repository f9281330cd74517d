"""Which of many, on a budget: successive halving that goes on from checkpoints.

Jamieson & Talwalkar 2016, Non-stochastic best arm identification and hyperparameter optimization; Li et al.
2018, Hyperband, JMLR 18. Here a setting that is promoted goes on where it was, so that a rung costs only the
epochs that are new: 27 settings, η = 3, from 1 epoch to 27 cost 81 epochs instead of 27 · 27 = 729.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Rung(NamedTuple):
    """``settings`` of them are trained to ``epochs`` epochs."""

    settings: int
    epochs: int


def rungs(settings: int, eta: int, first: int, most: int) -> tuple[Rung, ...]:
    """From all ``settings`` at ``first`` epochs; each rung has 1/η of them, at least one, and η times the
    epochs, up to ``most`` epochs."""
    assert settings > 0 and eta > 1 and 0 < first <= most
    found = [Rung(settings, first)]
    while found[-1].epochs < most and found[-1].settings > 1:
        last = found[-1]
        found.append(Rung(max(1, last.settings // eta), min(most, last.epochs * eta)))
    if found[-1].epochs < most:
        found[-1] = Rung(found[-1].settings, most)
    return tuple(found)


def epochs_spent(plan: Sequence[Rung]) -> int:
    """All epochs that are trained, each once."""
    before = (0, *(each.epochs for each in plan))
    return sum(rung.settings * (rung.epochs - done) for rung, done in zip(plan, before, strict=False))


def promoted(figures: Mapping[str, float], count: int) -> list[str]:
    """The ``count`` best settings of a rung, the best first; of equal ones those that come first in
    ``figures``. More is better."""
    return sorted(figures, key=lambda name: -figures[name])[:count]


def brackets(most: int, eta: int) -> tuple[tuple[Rung, ...], ...]:
    """Hyperband's: each begins with fewer settings and more epochs than the one before, at about the same
    cost; the last trains each setting to the end."""
    deepest = 0
    while eta ** (deepest + 1) <= most:
        deepest += 1
    found = []
    for s in range(deepest, -1, -1):
        settings = -(-(deepest + 1) * eta**s // (s + 1))
        found.append(rungs(settings, eta, max(1, most // eta**s), most) if s else (Rung(settings, most),))
    return tuple(found)
