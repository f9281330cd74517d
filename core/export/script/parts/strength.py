"""How strong a regulariser is, over a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    STRENGTHS: dict[str, float | None] = {}
    WARMUPS: dict[str, tuple[int, str]] = {}


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
