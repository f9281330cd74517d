"""The regularisers of a run at work."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    REGULARISERS: dict[str, Any] = {}
    STRENGTHS: dict[str, float | None] = {}
    SOLVERS: dict[str, str | None] = {}
    WARMUPS: dict[str, tuple[int, str]] = {}
    optimiser: Any = None
    SEED = 0


def strength(kind: str, epochs_done: float) -> float:
    """λ now: it rises over its warm-up, or begins after it. A kind without one is always at work."""
    full = STRENGTHS[kind]
    if full is None:
        return 1.0
    epochs, shape = WARMUPS[kind]
    if epochs_done >= epochs:
        return full
    if shape == "cubic":
        return full * (1 - (1 - epochs_done / epochs) ** 3)
    return full * epochs_done / epochs if shape == "linear" else 0.0


def at_work(epochs_done: float) -> list[tuple[str, Any, float]]:
    """The regularisers whose λ is not 0 now, in the order they act."""
    found = [(kind, each, strength(kind, epochs_done)) for kind, each in REGULARISERS.items()]
    return [each for each in found if each[2]]


def label_smoothing(epochs_done: float) -> float:
    return sum((each.label_smoothing(now) for _, each, now in at_work(epochs_done)), 0.0)


def penalty(epochs_done: float) -> Tensor | float:
    """What joins the loss."""
    parts = [now * each.penalty() for kind, each, now in at_work(epochs_done) if SOLVERS[kind] == "penalty"]
    return torch.stack(parts).sum() if parts else 0.0


def optimise(epochs_done: float) -> None:
    """Decay the weights, step the optimiser, shrink the weights: each as the regularisers ask."""
    acting = at_work(epochs_done)
    for _, each, now in reversed(acting):
        each.before_step(optimiser, now)
    optimiser.step()
    curvature, followed = 0.0, 1.0
    if any(SOLVERS[kind] == "proximal" for kind, _, _ in acting):
        followed = math.prod(each.followed() for _, each, _ in acting)
    for kind, each, now in acting:
        if SOLVERS[kind] == "proximal":
            each.proximal_step(optimiser, now * followed, curvature)
            curvature += each.curvature(now * followed)
        each.after_step(optimiser, now)


@contextmanager
def averaged() -> Iterator[bool]:
    """Inside, the network has the weights that it is judged by; yields whether these are averages."""
    with ExitStack() as stack:
        entered = [stack.enter_context(each.averaged()) for each in REGULARISERS.values()]
        yield any(entered)
