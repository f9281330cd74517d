"""A recipe as a path: accuracy against the size of the file, step after step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.figures.parts import VALIDATION, plain_layout, round_numbers
from core.figures.probes import Chart
from core.text.escape import plain_html


def chart(result: Mapping[str, Any]) -> Chart | None:
    """The path so far; None: there is nothing to draw."""
    rows = [row for row in result.get("rows", []) if row["bytes"]]
    if len(rows) < 2:
        return None
    x, y = [row["bytes"] / 1000 for row in rows], [100 * row["accuracy"] for row in rows]
    names = [plain_html(row["said"]) for row in rows]  # each begins with its number
    trace = {
        "type": "scatter",
        "mode": "lines+markers+text",
        "x": x,
        "y": y,
        "text": [name.partition(".")[0] for name in names],
        "textposition": "top right",
        "cliponaxis": False,
        "line": {"color": VALIDATION, "width": 2},
        "marker": {"color": VALIDATION, "size": 10},
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [_arm(row, "high") for row in rows],
            "arrayminus": [_arm(row, "low") for row in rows],
            "color": VALIDATION,
            "thickness": 1,
        },
        "customdata": names,
        "hovertemplate": "%{customdata}<br>%{y:.2f} %, %{x:,.1f} kB<extra></extra>",
        "showlegend": False,
    }
    layout = plain_layout("validation accuracy (%)")
    layout["hovermode"] = "closest"
    layout["xaxis"] |= {
        "title": {"text": "the network's file, smaller to the right (kB, log scale)"},
        "type": "log",
        "autorange": "reversed",
        "tickvals": round_numbers(min(x), max(x)),
        "tickformat": "~g",
    }
    said = "; ".join(f"{name} {b:.2f} % at {a:,.1f} kB" for name, a, b in zip(names, x, y, strict=True))
    return Chart({"data": [trace], "layout": layout}, f"Accuracy and file size, step by step: {said}.")


def _arm(row: Mapping[str, Any], end: str) -> float:
    return 0.0 if row.get(end) is None else 100 * abs(row[end] - row["accuracy"])
