"""Accuracy against the number of training images: every seed as a dot, the mean as a line, its interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.figures.overlay import colour_of
from core.figures.parts import line, plain_layout, with_alpha
from core.figures.probes import Chart


def chart(result: Mapping[str, Any]) -> Chart | None:
    """The curves so far; None: there is nothing to draw."""
    curves = [curve for curve in result.get("curves", ()) if curve["points"]] if result else []
    if not curves:
        return None
    traces: list[dict[str, Any]] = []
    for i, curve in enumerate(curves):
        points, colour = curve["points"], colour_of(i + 1)
        banded = [point for point in points if "low" in point]
        if len(banded) > 1:
            xs = [point["images"] for point in banded]
            ends = [100 * min(1.0, point["high"]) for point in banded]
            ends += [100 * max(0.0, point["low"]) for point in reversed(banded)]
            traces.append(
                {
                    "type": "scatter",
                    "x": xs + xs[::-1],
                    "y": ends,
                    "fill": "toself",
                    "mode": "lines",
                    "line": {"width": 0},
                    "fillcolor": with_alpha(colour, 0.18),
                    "hoverinfo": "skip",
                    "name": "95 % of the mean",
                    "showlegend": i == 0,
                }
            )
        traces.append(
            line(curve["variant"] or "validation, mean", [point["images"] for point in points],
                 [100 * point["mean"] for point in points], colour, markers=True, hovertemplate="%{y:.2f} %")
        )  # fmt: skip
        traces.append(
            {"type": "scatter", "mode": "markers", "showlegend": False, "hoverinfo": "skip",
             "x": [point["images"] for point in points for _ in point["values"]],
             "y": [100 * each for point in points for each in point["values"]],
             "marker": {"color": colour, "size": 5, "opacity": 0.5}}
        )  # fmt: skip
    layout = plain_layout("validation accuracy (%)")
    ticks = sorted({point["images"] for curve in curves for point in curve["points"]})
    layout["xaxis"] |= {"type": "log", "title": {"text": "training images"}, "tickvals": ticks,
                        "ticktext": [f"{each:,}" for each in ticks]}  # fmt: skip
    said = "; ".join(
        f"{curve['variant'] or 'accuracy'}: "
        + ", ".join(f"{100 * point['mean']:.1f} % of {point['images']:,}" for point in curve["points"])
        for curve in curves
    )
    return Chart({"data": traces, "layout": layout}, f"Accuracy against training images. {said}.")
