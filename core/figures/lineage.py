"""The run that a branch comes from, in grey beside it."""

from __future__ import annotations

from typing import NamedTuple

from core.figures.parts import NEUTRAL, Figure, line, upright


class Ancestor(NamedTuple):
    """What the run did that another branches from, epoch by epoch.

    Args:
        fork: how many epochs were done where they part.
        accuracy: of validation, in per cent; ``loss`` likewise.
    """

    fork: float
    epochs: tuple[float, ...]
    accuracy: tuple[float, ...]
    loss: tuple[float | None, ...]


def _axes(points: list[tuple[float, float | None]]) -> tuple[list[float], list[float | None]]:
    return [x for x, _ in points], [y for _, y in points]


def with_ancestor(figure: Figure, ancestor: Ancestor | None, of: str) -> Figure:
    """The figure with the other run's line of ``accuracy`` or ``loss`` behind the rest: solid to where they
    part, dotted after."""
    if ancestor is None or of not in ("accuracy", "loss"):
        return figure
    values = getattr(ancestor, of)
    points = list(zip(ancestor.epochs, values, strict=True))
    before = [point for point in points if point[0] <= ancestor.fork]
    after = [*before[-1:], *(point for point in points if point[0] > ancestor.fork)]
    behind = [
        {
            **line("parent", *_axes(part), NEUTRAL, width=2, dash=dash),
            "legendgroup": "parent",
            "showlegend": first,
        }
        for part, dash, first in ((before, "solid", True), (after, "dot", not before))
        if part
    ]
    fork = upright(ancestor.fork, NEUTRAL, dash="solid") | {
        "label": {
            "text": "fork",
            "textposition": "end",
            "xanchor": "left",
            "yanchor": "top",
            "font": {"size": 12},
            "textangle": 0,
        },
    }
    layout = figure["layout"]
    return {
        **figure,
        "data": [*behind, *figure["data"]],
        "layout": {**layout, "shapes": [*layout.get("shapes", ()), fork]},
    }
