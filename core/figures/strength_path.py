"""A path over λ as a chart, and in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from core.figures.parts import NEUTRAL, SPARSITY, VALIDATION, plain_layout
from core.figures.probes import Chart, Row
from core.measure.sparsity import NEAR

TOLERANCE = 0.005  # of accuracy: what a good λ may cost
GONE = 0.99  # of the weights are zero: what is left can't say much


def path_chart(points: Sequence[Row], grid: Sequence[float], now: float | None) -> Chart:
    """Accuracy on the left axis, zeros on the right one, against λ. Every point's id is its λ, and a star
    marks the `good` one. Groups are filters, neurons and heads.

    Args:
        points: the rows of a path's jobs that are known, at least one.
        grid: all values of λ, which span the axis from the start.
        now: λ in the form, marked if it is in the span.
    """
    points = sorted(points, key=lambda point: point["strength"])
    near = [point["near"] for point in points]
    traces = [
        _line("accuracy", points, [point["accuracy"] for point in points], VALIDATION),
        _line("exact zeros", points, [point["exact"] for point in points], SPARSITY, "y2", symbol="square"),
        _line(f"|w| < {NEAR:g}", points, near, SPARSITY, "y2", dash="dot", width=1.5),
    ]
    if any(point["groups"] > 0.01 for point in points):
        shares = [point["groups"] for point in points]
        traces.append(_line("zero groups", points, shares, SPARSITY, "y2", dash="dash", width=1.5))
    if best := good(points):
        traces.append(_star(best))
    layout = plain_layout("accuracy (%)")
    layout["margin"] |= {"r": 56}
    layout["hoverdistance"] = -1  # wherever one clicks, the nearest λ is meant
    layout["xaxis"] |= {
        "type": "log",
        "title": {"text": "λ"},
        "range": _span(grid),
        "dtick": 1,
        "exponentformat": "power",
        "hoverformat": "~g",
        "unifiedhovertitle": {"text": "λ = %{x}"},
    }
    layout["yaxis"] |= {"range": [0, 103]}
    layout["yaxis2"] = {
        "title": {"text": "zeros (%)"},
        "overlaying": "y",
        "side": "right",
        "range": [0, 103],
        "showgrid": False,
        "zeroline": False,
    }
    if now is not None and now > 0:
        layout |= _now(now)
    return Chart({"data": traces, "layout": layout}, _in_words(points))


def good(points: Sequence[Row]) -> Row | None:
    """The point of the largest λ whose accuracy is within `TOLERANCE` of the path's best; None if there is
    no point with an accuracy."""
    right = [point for point in points if point["accuracy"] is not None]
    best = max((point["accuracy"] for point in right), default=0.0)
    # Accuracies are shares of a few hundred images: 0.97 - 0.005 is a hair above 0.965 in floats.
    close = [point for point in right if point["accuracy"] >= best - TOLERANCE - 1e-9]
    return max(close, key=lambda point: point["strength"], default=None)


def verdict(points: Sequence[Row]) -> list[str]:
    """What the path says, in sentences: which λ is good, what no λ did, and where it kills the network."""
    points = sorted(points, key=lambda point: point["strength"])
    best = good(points)
    if best is None:
        return ["At every λ the loss stopped being a number; try a lower learning rate."]
    said = [
        f"**λ = {best['strength']:g}** is the largest here whose accuracy is within {100 * TOLERANCE:g} "
        f"points of the best: {best['accuracy']:.1%} right, {best['exact']:.1%} exact zeros."
    ]
    if best == points[-1]:
        said.append("It is the largest of all: a stronger one may do as well.")
    if not any(point["exact"] for point in points):
        most = max(point["near"] for point in points)
        said.append(f"No λ made a weight exactly zero; at most {most:.1%} are near it (|w| < {NEAR:g}).")
    diverged = [point for point in points if point["accuracy"] is None]
    if diverged:
        said.append(f"From λ = {diverged[0]['strength']:g} on the loss stopped being a number.")
    dead = [
        p
        for p in points
        if p["exact"] > GONE and p["accuracy"] is not None and 2 * p["accuracy"] < best["accuracy"]
    ]
    if dead:
        said.append(
            f"λ = {dead[0]['strength']:g} kills the network: {dead[0]['exact']:.1%} of its weights are zero, "
            f"and {dead[0]['accuracy']:.1%} of its answers are right."
        )
    return said


def _in_words(points: Sequence[Row]) -> str:
    each = [
        f"λ {point['strength']:g}: "
        + ("no number" if point["accuracy"] is None else f"{point['accuracy']:.1%} right")
        + f", {point['exact']:.1%} zero"
        for point in points
    ]
    return f"Lines: accuracy and zeros against λ on a log scale. {'; '.join(each)}."


def _line(
    name: str,
    points: Sequence[Row],
    shares: Sequence[float | None],
    colour: str,
    axis: str = "y",
    *,
    dash: str = "solid",
    width: float = 2.5,
    symbol: str = "circle",
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": [point["strength"] for point in points],
        "y": [None if share is None else 100 * share for share in shares],
        "ids": [f"{point['strength']:g}" for point in points],
        "yaxis": axis,
        "line": {"color": colour, "width": width, "dash": dash},
        "marker": {"color": colour, "size": 8 if dash == "solid" else 4, "symbol": symbol},
        "hovertemplate": "%{y:.1f} %",
    }


def _star(best: Row) -> dict[str, Any]:
    star = _line("good", [best], [best["accuracy"]], VALIDATION, symbol="star")
    star["marker"] |= {"size": 18, "line": {"color": "var(--st-background-color)", "width": 1.5}}
    return star | {"mode": "markers", "hoverinfo": "skip", "hovertemplate": None, "showlegend": False}


def _span(grid: Sequence[float]) -> list[float]:
    """A little more than the values, as powers of ten."""
    low, high = math.log10(min(grid)), math.log10(max(grid))
    return [low - 0.2, high + 0.2]


def _now(strength: float) -> dict[str, Any]:
    """A line at the form's λ, with a word for it."""
    line = {"color": NEUTRAL, "width": 1.5, "dash": "dot"}
    place = {"x0": strength, "x1": strength, "yref": "paper", "y0": 0, "y1": 1}
    note = {
        "x": math.log10(strength),
        "y": 0,
        "yref": "paper",
        "yanchor": "bottom",
        "xanchor": "left",
        "showarrow": False,
        "text": "now",
        "font": {"size": 11},
    }
    return {"shapes": [{"type": "line", "line": line, **place}], "annotations": [note]}
