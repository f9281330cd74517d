"""How far seeds move a run: a dot a run, and the quartiles, by what varies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.figures.overlay import colour_of
from core.figures.parts import plain_layout
from core.figures.probes import Chart
from core.text.seeds import DRAWS


def chart(result: Mapping[str, Any]) -> Chart | None:
    """A box a kind of chance; None: there is nothing to draw."""
    spreads = result.get("spreads", {}) if result else {}
    if not spreads:
        return None
    traces = [
        {
            "type": "box",
            "name": _name(kind),
            "y": [100 * value for value in each["values"]],
            "boxpoints": "all",
            "pointpos": 0,
            "jitter": 0.4,
            "quartilemethod": "inclusive",
            "line": {"color": colour_of(i), "width": 1.5},
            "marker": {"color": colour_of(i), "size": 6},
            "fillcolor": "rgba(0,0,0,0)",
            "showlegend": False,
            "hovertemplate": "%{y:.2f} %<extra></extra>",
        }
        for i, (kind, each) in enumerate(spreads.items())
    ]
    layout = plain_layout("validation accuracy (%)")
    layout["hovermode"] = "closest"
    layout["xaxis"] |= {"title": {"text": "what is drawn anew"}}
    said = "; ".join(
        f"{_name(kind)}: {100 * each['mean']:.2f} ± {100 * each['sd']:.2f} %, n = {each['n']}"
        for kind, each in spreads.items()
    )
    return Chart({"data": traces, "layout": layout}, f"Accuracy by what varies: {said}.")


def _name(kind: str) -> str:
    return "all but the split" if kind == "all" else DRAWS.get(kind, kind)
