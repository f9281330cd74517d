"""What counts as near zero, and the edges of the histograms that answer it for other bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NEAR = 1e-3  # a usual bound, and an arbitrary one: by it L1 by penalty is often called sparse
LOWEST, HIGHEST = -30, 4  # powers of two: from 9.3e-10, where no step of training leaves a weight, to 16
EDGES: tuple[float, ...] = tuple(2.0**power for power in range(LOWEST, HIGHEST + 1))


def share_below(histograms: Mapping[str, Mapping[str, Any]], edge: float) -> float:
    """The share of weights with ``|w| < edge``, from the histograms of an event, layer by layer.

    Args:
        edge: one of `EDGES` but the two outermost: there the answer is exact.
    """
    whole = below = 0
    for each in histograms.values():
        whole += each["zeros"] + sum(each["counts"])
        below += each["zeros"] + sum(
            count for upper, count in zip(each["edges"][1:], each["counts"], strict=True) if upper <= edge
        )
    return below / whole
