"""What each learning rate gave each optimiser, and how the race ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.figures.overlay import colour_of
from core.figures.parts import line, plain_layout
from core.figures.probes import Chart


def chart(result: Mapping[str, Any]) -> Chart | None:
    """A line an optimiser over the rates, and a dot with its interval where it raced; None: nothing is
    known."""
    rows = [row for row in result.get("optimisers", ()) if row["tried"]] if result else []
    if not rows:
        return None
    traces: list[dict[str, Any]] = []
    for i, row in enumerate(rows):
        tried = [each for each in row["tried"] if each["accuracy"] is not None]
        traces.append(
            line(
                row["optimiser"],
                [each["rate"] for each in tried],
                [100 * each["accuracy"] for each in tried],
                colour_of(i),
                width=1.5,
                dash="dot",
                markers=True,
                hovertemplate="%{y:.1f} %",
                legendgroup=str(i),
                showlegend=row.get("mean") is None,
            )
        )
        if row.get("mean") is not None:
            traces.append(_raced(row, i))
    layout = plain_layout("accuracy (%)")
    layout["xaxis"] |= {"type": "log", "title": {"text": "learning rate"}, "dtick": 1, "tickformat": "~g",
                        "hoverformat": "~g"}  # fmt: skip
    layout["hovermode"] = "closest"
    said = "; ".join(
        f"{row['optimiser']} at {row['rate']:g}: {100 * row['mean']:.1f} %"
        for row in rows
        if row.get("mean") is not None
    )
    return Chart(
        {"data": traces, "layout": layout}, f"Accuracy against the learning rate, by optimiser. {said}"
    )


def _raced(row: Mapping[str, Any], i: int) -> dict[str, Any]:
    mean = 100 * row["mean"]
    ends = (100 * row["low"], 100 * row["high"]) if "low" in row else (mean, mean)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{row['optimiser']}, n = {row['n']}",
        "legendgroup": str(i),
        "x": [row["rate"]],
        "y": [mean],
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [ends[1] - mean],
            "arrayminus": [mean - ends[0]],
            "color": colour_of(i),
            "thickness": 2,
        },
        "marker": {"color": colour_of(i), "size": 13, "symbol": "star"},
        "hovertemplate": "%{y:.2f} %",
    }
