"""What lies between two networks: accuracy and loss of their mean, from the one to the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.figures.overlay import colour_of
from core.figures.parts import line, plain_layout
from core.figures.probes import Chart
from core.text.escape import plain_html
from core.transform.rows import PathPoint


def chart(points: Sequence[PathPoint]) -> Chart | None:
    """A line a way for the accuracy, and a dashed one for the loss on an axis of its own; None: too few."""
    if len(points) < 2:
        return None
    traces: list[dict[str, Any]] = []
    said = []
    for i, way in enumerate(dict.fromkeys(point.way for point in points)):
        own = sorted((point for point in points if point.way == way), key=lambda point: point.at)
        at, name, colour = [point.at for point in own], plain_html(way), colour_of(i)
        accuracy = [100 * point.accuracy for point in own]
        traces.append(
            line(f"accuracy, {name}", at, accuracy, colour, markers=True, hovertemplate="%{y:.1f} %")
        )
        losses = [point.loss for point in own]
        dotted = line(f"loss, {name}", at, losses, colour, dash="dot", hovertemplate="%{y:.3f}")
        traces.append({**dotted, "yaxis": "y2"})
        said.append(f"{way}: lowest {min(accuracy):.1f} % at {at[accuracy.index(min(accuracy))]:.1f}")
    layout = plain_layout("validation accuracy (%)")
    layout["xaxis"] |= {"title": {"text": "share of the second network in the mean"}, "range": [0, 1]}
    layout["margin"] |= {"r": 56}
    layout["yaxis2"] = {
        "title": {"text": "loss (nats)"},
        "overlaying": "y",
        "side": "right",
        "rangemode": "tozero",
        "showgrid": False,
    }
    return Chart({"data": traces, "layout": layout}, f"Accuracy and loss between the two. {'; '.join(said)}.")
