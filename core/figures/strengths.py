"""λ over the epochs, beneath a chart of what it does."""

from __future__ import annotations

import math
from typing import Any

from core.figures.parts import PENALTIES, Figure, has_lambda, line, short
from core.run.history import History
from core.run.lines import Line

STRIP = 0.17  # of the chart's height


def add_strengths(figure: Figure, history: History) -> None:
    """Draw each λ of a run in a strip of its own beneath a chart over its epochs, if there is one."""
    strengths = {
        kind: drawn for kind, drawn in history.strengths.items() if has_lambda(kind) and any(drawn.y)
    }
    if not strengths:
        return
    layout = figure["layout"]
    for i, (kind, drawn) in enumerate(strengths.items()):
        style: dict[str, Any] = {"yaxis": "y2", "showlegend": False, "width": 1.5}
        figure["data"].append(line(f"λ of {short(kind)}", *drawn, PENALTIES[i % len(PENALTIES)], **style))
    tops = [max(drawn.y) for drawn in strengths.values()]
    layout["yaxis"]["domain"] = [STRIP + 0.08, 1]
    layout["yaxis2"] = {
        "domain": [0, STRIP],
        "type": "log" if max(tops) > 30 * min(tops) else "linear",
        "rangemode": "tozero",
        "zeroline": False,
        "nticks": 2,
        "exponentformat": "e",
    }
    layout["annotations"] = [
        *layout.get("annotations", ()),
        {"text": "λ", "xref": "paper", "yref": "paper", "x": 0.01, "y": STRIP, "showarrow": False}
        | {"xanchor": "left", "yanchor": "top"},
    ]
    if history.ended:
        log = layout["yaxis2"]["type"] == "log"
        layout["annotations"] += [_last(drawn, log) for drawn in strengths.values() if drawn.y[-1]]
    layout["xaxis"]["anchor"] = "y2"
    layout["hoversubplots"] = "axis"


def _last(drawn: Line, log: bool) -> dict[str, Any]:
    """Where λ has ended, in figures at its line's end."""
    y = math.log10(drawn.y[-1]) if log else drawn.y[-1]  # plotly asks for a logarithm's place
    where = {"x": drawn.x[-1], "y": y, "yref": "y2", "xanchor": "right", "yanchor": "top"}
    return {"text": f"{drawn.y[-1]:.3g}", "showarrow": False, **where}
