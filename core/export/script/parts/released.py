"""How strong a regulariser is over a run in which one is released."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    STRENGTHS: dict[str, float | None] = {}
    WARMUPS: dict[str, tuple[int, str]] = {}
    RELEASES: dict[str, tuple[int, float]] = {}


def strength(kind: str, epochs_done: float) -> float:
    """λ now: it rises over its warm-up, or begins after it, until it is released. A kind without one is
    always at work."""
    full = STRENGTHS[kind]
    if full is None:
        return 1.0
    if kind in RELEASES and epochs_done >= RELEASES[kind][0]:
        return 0.0
    epochs, shape = WARMUPS[kind]
    if epochs_done >= epochs:
        return full
    if shape == "cubic":
        return full * (1 - (1 - epochs_done / epochs) ** 3)
    return full * epochs_done / epochs if shape == "linear" else 0.0


def rate_factor(epochs_done: float) -> float:
    """What the learning rate is multiplied by, once a regulariser is released."""
    return math.prod(factor for epochs, factor in RELEASES.values() if epochs_done >= epochs)
