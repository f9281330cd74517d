"""Effects as dots with their intervals, around a line at no effect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.figures.parts import NEUTRAL, PENALTY, VALIDATION, plain_layout
from core.figures.probes import Chart
from core.text.escape import plain_html

STRONGEST = 4  # interactions that are drawn


def chart(result: Mapping[str, Any]) -> Chart | None:
    """The effects so far; None: there is nothing to draw."""
    if not result or not result.get("effects"):
        return None
    strongest = sorted(result["interactions"], key=lambda each: -abs(each["mean"]))[:STRONGEST]
    scale, unit = (1.0, "loss") if result["figure"] == "loss" else (100.0, "points")
    traces = [
        _dots(
            "each, on average over the others" if result.get("design") == "factorial" else "each alone",
            result["effects"],
            VALIDATION,
            scale,
        ),
        *([_dots("together", strongest, PENALTY, scale)] if strongest else []),
    ]
    layout = plain_layout("")
    names = [plain_html(each["name"]) for each in [*result["effects"], *strongest]]
    layout["hovermode"] = "closest"
    layout["margin"] |= {"l": 130}
    what = {"accuracy": "validation accuracy", "loss": "validation loss", "zeros": "exact zeros"}[
        result["figure"]
    ]
    layout["xaxis"] |= {
        "title": {"text": f"what it adds to {what}<br>({unit}), n = {result['seeds']} seeds"},
        "automargin": True,
        "zeroline": True,
        "zerolinewidth": 2,
        "zerolinecolor": NEUTRAL,
    }
    layout["yaxis"] = {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": names[::-1],
        "automargin": True,
    }
    said = "; ".join(
        f"{each['name']} {scale * each['mean']:+.2f} ({_ends(each, scale)})"
        for each in [*result["effects"], *strongest]
    )
    return Chart({"data": traces, "layout": layout}, f"Effects with their 95 % intervals, in {unit}: {said}.")


def _dots(name: str, effects: Any, colour: str, scale: float) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [scale * each["mean"] for each in effects],
        "y": [plain_html(each["name"]) for each in effects],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [_arm(each, "high", scale) for each in effects],
            "arrayminus": [_arm(each, "low", scale) for each in effects],
            "color": colour,
            "thickness": 2,
        },
        "marker": {
            "color": [colour if each["is_told"] else "rgba(0,0,0,0)" for each in effects],
            "size": 11,
            "line": {"color": colour, "width": 2},
        },
        "customdata": [f"{_ends(each, scale)}, n = {each['n']}" for each in effects],
        "hovertemplate": "%{x:.2f} (%{customdata})<extra></extra>",
    }


def _arm(effect: Mapping[str, Any], end: str, scale: float) -> float:
    """From the dot to an end of its interval; 0: it is not known."""
    return 0.0 if effect[end] is None else scale * abs(effect[end] - effect["mean"])


def _ends(effect: Mapping[str, Any], scale: float) -> str:
    if effect["low"] is None:
        return "the same with every seed"
    return f"{scale * effect['low']:.2f} to {scale * effect['high']:.2f}"
