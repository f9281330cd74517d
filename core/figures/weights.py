"""How large the weights are, epoch by epoch: a ridge of histograms, and the share below a chosen ε."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from core.figures.parts import (
    NEUTRAL,
    SPARSITY,
    TRAIN,
    Figure,
    layer_colours,
    line,
    over_epochs,
    plain_layout,
    share_of,
    with_alpha,
)
from core.measure.near import share_below
from core.run.events import Event
from core.run.history import History, evenly

MOST_RIDGES = 12
OVERLAP = 1.7  # a ridge's height, in rows
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")  # as large as other letters, which <sup> is not
ZEROS = 0.13  # of the picture's width, for the weights that are exactly 0

Histogram = Mapping[str, Any]  # {"zeros", "edges", "counts"}


def has_histograms(history: History) -> bool:
    """Whether the run kept how large its weights were."""
    return any(event.get("weights") for event in history.epochs)


def edges(history: History) -> list[float]:
    """What ε may be: the histograms' edges between 1e-6 and 1. The history has histograms."""
    last = _kept(history)[-1]["weights"]
    return [edge for edge in next(iter(last.values()))["edges"][1:] if 1e-6 <= edge <= 1]


def weight_ridge(
    history: History, run_id: str, layer: str | None = None, epsilon: float | None = None
) -> Figure:
    """A histogram of |w| an epoch, on a log scale, the newest in front; at the left those exactly 0.

    Every ridge's height is the share of all weights, so what leaves the hills is found in the bars.

    Args:
        layer: whose weights; None: the whole network's.
        epsilon: where to draw a line, if anywhere.
    """
    shown = evenly(_kept(history), MOST_RIDGES)
    histograms = [_of(event, layer) for event in shown]
    shares = [_shares(histogram) for histogram in histograms]
    tallest = max((share for row in shares for share in row), default=0) or 1
    first, last = _used(histograms)
    traces: list[dict[str, Any]] = []
    for i, (event, histogram, row) in enumerate(zip(shown, histograms, shares, strict=True)):
        base = float(len(shown) - 1 - i)
        age = 0.25 + 0.6 * (i + 1) / len(shown)  # older ones are paler
        traces += [
            _hill(event["epoch"], histogram["edges"], row, first, last, base, OVERLAP / tallest, age),
            _bar(event["epoch"], histogram, base, age),
        ]
    layout = plain_layout("epoch") | {"showlegend": False, "hovermode": "closest", "uirevision": run_id}
    layout["xaxis"] |= {
        "title": {"text": "|w|", "standoff": 12},
        "type": "log",
        "domain": [ZEROS + 0.03, 1],
        "tickvals": [10.0**power for power in range(-10, 3, 2)],
        "ticktext": [f"10{str(power).translate(RAISED)}" for power in range(-10, 3, 2)],
    }
    layout["xaxis2"] = {
        "title": {"text": "exactly 0"},
        "domain": [0, ZEROS],
        "range": [0, 1],
        "showticklabels": False,
        "showgrid": False,
        "zeroline": False,
    }
    layout["yaxis"] |= {
        "tickvals": list(range(len(shown))),
        "ticktext": [str(event["epoch"]) for event in reversed(shown)],
        "range": [-0.15, len(shown) - 1 + OVERLAP + 0.1],
        "showgrid": False,
        "anchor": "x2",
    }
    if epsilon is not None:
        layout["shapes"] = [_upright(epsilon)]
    return {"data": traces, "layout": layout}


def near_zero_share(history: History, run_id: str, epsilon: float) -> Figure:
    """Weights with |w| < ε in per cent against epochs: the whole network bold, each layer thin.

    Args:
        epsilon: one of `edges`.
    """
    kept = _kept(history)
    epochs = [event["epoch"] for event in kept]
    layers = list(kept[-1]["weights"]) if kept else []
    traces = [
        line(
            layer,
            epochs,
            [100 * share_below({layer: event["weights"][layer]}, epsilon) for event in kept],
            colour,
            width=1.5,
            hovertemplate=share_of(kept[-1]["sparsity"]["layers"][layer]["weights"]),
        )
        for layer, colour in zip(layers, layer_colours(len(layers)), strict=True)
    ]
    whole = [100 * share_below(event["weights"], epsilon) for event in kept]
    said = share_of(kept[-1]["sparsity"]["weights"] if kept else None)
    traces.append(line("whole", epochs, whole, SPARSITY, width=4, dash="dot", hovertemplate=said))
    figure = over_epochs(traces, history, run_id, f"|w| < {epsilon:.2g} (% of weights)")
    figure["layout"]["yaxis"] |= {"range": [-3, 103]}
    return figure


def _kept(history: History) -> list[Event]:
    return [event for event in history.epochs if event.get("weights")]


def _of(event: Event, layer: str | None) -> Histogram:
    """One layer's histogram, or the sum of all, whose edges are the same."""
    histograms = event["weights"]
    if layer is not None:
        return dict(histograms[layer])
    every = list(histograms.values())
    return {
        "zeros": sum(each["zeros"] for each in every),
        "edges": every[0]["edges"],
        "counts": [sum(counts) for counts in zip(*(each["counts"] for each in every), strict=True)],
    }


def _shares(histogram: Histogram) -> list[float]:
    """In per cent of all weights, those that are 0 among them."""
    whole = histogram["zeros"] + sum(histogram["counts"])
    return [100 * count / whole for count in histogram["counts"]]


def _used(histograms: Sequence[Histogram]) -> tuple[int, int]:
    """The first and the last bin that holds more than a thousandth of the weights at any time."""
    used = [i for each in histograms for i, share in enumerate(_shares(each)) if share > 0.1]
    return (min(used), max(used)) if used else (0, len(histograms[0]["counts"]) - 1 if histograms else 0)


def _hill(
    epoch: int,
    edges: Sequence[float],
    shares: Sequence[float],
    first: int,
    last: int,
    base: float,
    scale: float,
    age: float,
) -> dict[str, Any]:
    bins = range(first, last + 1)
    x = [edges[first], *(math.sqrt(edges[i] * edges[i + 1]) for i in bins), edges[last + 1]]
    said = [
        f"epoch {epoch}: {shares[i]:.2f} % of weights between {edges[i]:.2g} and {edges[i + 1]:.2g}"
        for i in bins
    ]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": [base, *(round(base + scale * shares[i], 4) for i in bins), base],
        "fill": "toself",
        "fillcolor": with_alpha(TRAIN, 0.5 * age),
        "line": {"color": with_alpha(TRAIN, age), "width": 1.2, "shape": "spline", "smoothing": 0.6},
        "text": ["", *said, ""],
        "hoveron": "points",
        "hovertemplate": "%{text}<extra></extra>",
    }


def _bar(epoch: int, histogram: Histogram, base: float, age: float) -> dict[str, Any]:
    """The share of exact zeros: a bar as high as a row if all are, with the number beside it."""
    weights = histogram["zeros"] + sum(histogram["counts"])
    share = histogram["zeros"] / weights
    top = base + 0.85 * share
    return {
        "type": "scatter",
        "mode": "lines+text",
        "xaxis": "x2",
        "x": [0.05, 0.05, 0.4, 0.4, 0.05, 0.45],
        "y": [base, top, top, base, base, base],
        "fill": "toself",
        "fillcolor": with_alpha(SPARSITY, age),
        "line": {"width": 0},
        "text": ["", "", "", "", "", f"{100 * share:.0f} %"],
        "textposition": "top right",
        "textfont": {"size": 12},
        "cliponaxis": False,
        "hoveron": "points",
        "hovertemplate": f"epoch {epoch}: {100 * share:.1f} % of {weights:,} exactly 0<extra></extra>",
    }


def _upright(x: float) -> dict[str, Any]:
    """A line from bottom to top."""
    style = {"color": NEUTRAL, "width": 1.5, "dash": "dash"}
    return {"type": "line", "x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1, "line": style}
