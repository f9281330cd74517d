"""The run that a branch comes from, in grey beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from core.figures.parts import NEUTRAL, Figure, line, upright
from core.run.events import Event
from core.run.history import History

MOST_GENERATIONS = 20


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


def ancestor(own: History, before: Sequence[History]) -> Ancestor | None:
    """Of a branch; None: it is none, or has not started.

    Args:
        before: the run that it branches from, the one that this branches from, and so on.
    """
    if not before or own.started is None:
        return None
    epochs: list[Event] = []
    for history in reversed(before):
        begins = float((history.started or {}).get("begins_at", 0))
        epochs = [*(event for event in epochs if event["step"] <= begins), *history.epochs]
    return Ancestor(
        float(own.started.get("begins_epoch", 0.0)),
        tuple(float(event["epoch"]) for event in epochs),
        tuple(100 * event["validation_accuracy"] for event in epochs),
        tuple(event["validation_loss"] for event in epochs),
    )


def _axes(points: list[tuple[float, float | None]]) -> tuple[list[float], list[float | None]]:
    return [x for x, _ in points], [y for _, y in points]


def _joined(own: dict[str, Any], fork: tuple[float, float | None]) -> dict[str, Any]:
    """The piece of a branch's line from the fork to its first epoch."""
    (x, y), colour = fork, own["line"]["color"]
    ends = [x, *own["x"][:1]], [y, *own["y"][:1]]
    return {**line("validation", *ends, colour, width=own["line"]["width"]), "showlegend": False} | {
        "hoverinfo": "skip",
        "hovertemplate": None,
    }


def with_ancestor(figure: Figure, ancestor: Ancestor | None, of: str) -> Figure:
    """The figure with the other run's line of ``accuracy`` or ``loss`` behind the rest: solid to where they
    part, dotted after. The branch's own line begins where they part, at what both had then."""
    if ancestor is None or of not in ("accuracy", "loss"):
        return figure
    values = getattr(ancestor, of)
    points = list(zip(ancestor.epochs, values, strict=True))
    before = [point for point in points if point[0] <= ancestor.fork]
    after = [*before[-1:], *(point for point in points if point[0] > ancestor.fork)]
    behind = [
        {**line("parent, validation", *_axes(part), NEUTRAL, width=2, dash=dash), "showlegend": False}
        for part, dash in ((before, "solid"), (after, "dot"))
        if part
    ]
    if before and before[-1][0] == ancestor.fork:
        behind += [_joined(each, before[-1]) for each in figure["data"] if each["name"] == "validation"]
    fork = upright(ancestor.fork, NEUTRAL, dash="solid") | {
        "label": {
            "text": "grey: parent",
            "textposition": "end",
            "xanchor": "left" if 2 * ancestor.fork < max(ancestor.epochs, default=0.0) else "right",
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
