"""A path over λ as a chart, and in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from core.figures.parts import NEUTRAL, SPARSITY, VALIDATION, plain_layout
from core.figures.probes import Chart, Row
from core.measure.near import NEAR
from core.measure.path_star import TOLERANCE, Fall, against, alike, star, without
from core.text.shares import in_full, percent

GONE = 0.99  # of the weights are zero: what is left can't say much


def path_chart(points: Sequence[Row], grid: Sequence[float], now: float | None) -> Chart:
    """Accuracy on the left axis, zeros on the right one, against λ. Every point's id is its λ, and a star
    marks the one that `star` chooses. A dotted line is the accuracy at λ = 0, and bars are what each λ costs
    against it, at 95 %. Groups are filters, neurons and heads.

    Args:
        points: the rows of a path's jobs that are known, at least one; that of λ = 0 may be among them.
        grid: all values of λ, which span the axis from the start.
        now: λ in the form, marked if it is in the span.
    """
    zero, best = without(points), star(points)
    points = sorted((point for point in points if point["strength"] > 0), key=lambda point: point["strength"])
    near = [point["near"] for point in points]
    accuracy = _line("accuracy", points, [point["accuracy"] for point in points], VALIDATION)
    traces = [
        accuracy | (_costs(zero, points) if zero else {}),
        _line("exact zeros", points, [point["exact"] for point in points], SPARSITY, "y2", symbol="square"),
        _line(f"|w| < {NEAR:g}", points, near, SPARSITY, "y2", dash="dot", width=1.5),
    ]
    if any(point["groups"] > 0.01 for point in points):
        shares = [point["groups"] for point in points]
        traces.append(_line("zero groups", points, shares, SPARSITY, "y2", dash="dash", width=1.5))
    if best:
        traces.append(_star(best))
    if zero:
        traces.append(_without(zero, grid))
    layout = plain_layout("accuracy (%)")
    layout["margin"] |= {"r": 56}
    layout["hoverdistance"] = -1  # wherever one clicks, the nearest λ is meant
    layout["xaxis"] |= {
        "type": "log",
        "title": {"text": "λ"},
        "range": _span(grid),
        "dtick": 1,
        "tickformat": "~g",
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
    return Chart({"data": traces, "layout": layout}, _in_words(points, zero))


def verdict(points: Sequence[Row]) -> list[str]:
    """What the path says, in sentences: which λ is good, what no λ did, and where it kills the network."""
    points = sorted(points, key=lambda point: point["strength"])
    zero, best = without(points), star(points)
    strong = [point for point in points if point["strength"] > 0]
    if all(point["accuracy"] is None for point in points):
        return ["At every λ the loss stopped being a number; try a lower learning rate."]
    said = [_about(best, zero)] if zero and best else [_no_star(points, zero)]
    if best and (tied := _tied(strong, best)):
        said.append(tied)
    if best and best == strong[-1]:
        said.append("It is the largest of all: a stronger one may do as well.")
    if not any(point["exact"] for point in strong):
        near = max((point["near"] for point in strong), default=0.0)
        said.append(f"No λ made a weight exactly zero; at most {percent(near)} are near it (|w| < {NEAR:g}).")
    diverged = [point for point in strong if point["accuracy"] is None]
    if diverged:
        said.append(f"From λ = {diverged[0]['strength']:g} on the loss stopped being a number.")
    right = [point for point in points if point["accuracy"] is not None]
    most = max(point["accuracy"] for point in right)
    dead = [p for p in right if p["exact"] > GONE and 2 * p["accuracy"] < most]
    if dead:
        first = dead[0]
        said.append(
            f"λ = {first['strength']:g} kills the network: {_zeros(first)}, accuracy {_accuracy(first)}."
        )
    return said


def _about(best: Row, zero: Row) -> str:
    found = against(zero, best)
    assert found is not None
    return (
        f"**About λ = {best['strength']:g}**, good to a factor of about three, is the largest here that "
        f"costs at most {100 * TOLERANCE:g} points against λ = 0, once the noise is evened out: "
        f"accuracy {_accuracy(best)}, {_zeros(best)}. Of the same {found.images:,} images it names "
        f"{found.lost} wrongly that λ = 0 names correctly, and {found.won} the other way round, "
        f"{_fell(found)}."
    )


def _tied(points: Sequence[Row], best: Row) -> str:
    """Which λ can't be told apart from the chosen one, and which of them has the most zeros."""
    tied = alike(points, best)
    if len(tied) == 1:
        return ""
    *others, last = (f"{point['strength']:g}" for point in tied)
    most = max(tied, key=lambda point: point["exact"])
    zeros = (
        f"{most['strength']:g} has the most zeros ({percent(most['exact'])})"
        if most["exact"] > 0
        else "none has a zero"
    )
    return f"λ = {', '.join(others)} and {last} can't be told apart on {best['images']:,} images; {zeros}."


def _accuracy(point: Row) -> str:
    return in_full(point["accuracy"], point["images"])


def _zeros(point: Row) -> str:
    """E.g. ``70.0 % of 421,642 weights are zero``; an older path does not say how many weights there are."""
    weights = point.get("weights")
    return f"{percent(point['exact'])} of {f'{weights:,}' if weights else 'its'} weights are zero"


def _no_star(points: Sequence[Row], zero: Row | None) -> str:
    if zero is not None:
        within = f"within {100 * TOLERANCE:g} points of λ = 0"
        return f"None of these λ was measured {within}; try weaker ones, or more images: λ = 0 may be lucky."
    if any(point["strength"] == 0 for point in points):
        return "Without the regulariser the loss stopped being a number: there is nothing to compare with."
    return "What each costs is not known: λ = 0, which they are compared with, has not been tried."


def _fell(found: Fall) -> str:
    """A fall with its interval, in points."""
    low, high = found.interval
    if found.share < 0:
        said = f"a rise of {-100 * found.share:.1f} points (95 %: {-100 * high:.1f} to {-100 * low:.1f})"
    else:
        said = f"a fall of {100 * found.share:.1f} points (95 %: {100 * low:.1f} to {100 * high:.1f})"
    return said.replace("-", "−")


def _in_words(points: Sequence[Row], zero: Row | None) -> str:
    each = [
        f"λ {point['strength']:g}: "
        + ("no number" if point["accuracy"] is None else f"accuracy {_accuracy(point)}")
        + f", {percent(point['exact'])} zero"
        + (f", {_fell(found)}" if (found := against(zero, point)) else "")
        for point in points
    ]
    if zero:
        each.insert(0, f"λ 0: accuracy {_accuracy(zero)}")
    return f"Lines: accuracy and zeros against λ on a log scale. {'; '.join(each)}."


def _costs(zero: Row, points: Sequence[Row]) -> dict[str, Any]:
    """Bars around the accuracies, as far as falls against λ = 0 may reach, and what hovering says."""
    found = [against(zero, point) for point in points]
    ends = [each.interval if each else None for each in found]
    above = [each.share - end[0] if each and end else 0.0 for each, end in zip(found, ends, strict=True)]
    below = [end[1] - each.share if each and end else 0.0 for each, end in zip(found, ends, strict=True)]
    return {
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [100 * each for each in above],
            "arrayminus": [100 * each for each in below],
            "color": VALIDATION,
            "thickness": 1.5,
        },
        "customdata": [
            f"{_accuracy(point)}, {_fell(each)}" if each else ""
            for point, each in zip(points, found, strict=True)
        ],
        "hovertemplate": "%{customdata}",
    }


def _without(zero: Row, grid: Sequence[float]) -> dict[str, Any]:
    """A line over the whole width, for an axis of logarithms has no 0."""
    x = [10**end for end in _span(grid)]
    line = {"color": VALIDATION, "width": 1.5, "dash": "dot"}
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "accuracy at λ = 0",
        "x": x,
        "y": [100 * zero["accuracy"]] * 2,
        "line": line,
        "hoverinfo": "skip",
    }


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
        "customdata": [_of(point, axis) for point in points],
        "yaxis": axis,
        "line": {"color": colour, "width": width, "dash": dash},
        "marker": {"color": colour, "size": 8 if dash == "solid" else 4, "symbol": symbol},
        "hovertemplate": "%{y:.1f} %%{customdata}",
    }


def _of(point: Row, axis: str) -> str:
    """What a share of the axis is of, as far as the row says it."""
    if axis == "y":
        return f" of {point['images']:,}"
    return f" of {point['weights']:,}" if point.get("weights") else ""


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
        "font": {"size": 12},
    }
    return {"shapes": [{"type": "line", "line": line, **place}], "annotations": [note]}
