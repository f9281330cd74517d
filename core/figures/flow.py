"""How strongly training acts on each layer, epoch by epoch: gradients, and how far weights move."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from core.figures.parts import (
    NEUTRAL,
    Figure,
    layer_colours,
    line,
    name_at_ends,
    over_epochs,
    round_numbers,
    with_alpha,
)
from core.figures.sparsity import MOST_NAMED
from core.run.history import History

USUAL = (3e-4, 3e-3)  # of the update-to-weight ratio: half a power of ten to each side of 1e-3
DEEPEST = 6  # powers of ten that an axis goes down from its highest value
FEW_DECADES = 2  # a power of ten at each line would leave an axis of so few with one line


def has_flow(history: History) -> bool:
    """Whether the run says how its layers were trained; one of an older version does not."""
    return bool(history.epochs and history.epochs[-1].get("flow"))


def gradient_norms(history: History, run_id: str) -> Figure:
    """‖g‖₂ of each layer at the last batch of each epoch, on a log scale."""
    return _by_layer(history, run_id, "gradient", "norm of gradient")


def update_ratios(history: History, run_id: str) -> Figure:
    """‖Δw‖₂ / ‖w‖₂ of each layer at the last batch of each epoch, on a log scale, and what is usual."""
    return _by_layer(history, run_id, "update", "update / weight", USUAL)


def _by_layer(history: History, run_id: str, of: str, title: str, usual: Sequence[float] = ()) -> Figure:
    told = [event for event in history.epochs if event.get("flow")]
    layers = list(told[0]["flow"][of]) if told else []
    epochs = [event["epoch"] for event in told]
    traces = []
    for layer, colour in zip(layers, layer_colours(len(layers)), strict=True):
        # A logarithm knows no zero: a layer that did not move has no point there.
        values = [event["flow"][of].get(layer) or None for event in told]
        traces.append(line(layer, epochs, values, colour, width=2, markers=True, hovertemplate="%{y:.2e}"))
    figure = over_epochs(traces, history, run_id, title)
    low, high = _decades([y for trace in traces for y in trace["y"] if y is not None], usual)
    figure["layout"]["yaxis"] |= {
        "type": "log",
        "range": [low, high],
        "automargin": True,
    }
    if high - low > FEW_DECADES:
        figure["layout"]["yaxis"] |= {"dtick": math.ceil((high - low) / 6), "exponentformat": "power"}
    else:
        ticks = round_numbers(10**low, 10**high)
        figure["layout"]["yaxis"] |= {"tickvals": ticks, "tickformat": "~g"}
    if usual:
        figure["layout"]["shapes"] = [*figure["layout"].get("shapes", ()), _band(usual)]
    if len(layers) <= MOST_NAMED:
        name_at_ends(figure, traces, low, high, log=True)
    return figure


def _decades(values: Sequence[float], usual: Sequence[float]) -> tuple[float, float]:
    """Ends of the axis, in powers of ten: all values with some room, but not what is next to nothing."""
    seen = [*values, *usual] or [1e-3, 1.0]
    high = math.log10(max(seen)) + 0.25
    return max(math.log10(min(seen)) - 0.25, high - DEEPEST), high


def _band(usual: Sequence[float]) -> dict[str, Any]:
    return {
        "type": "rect",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": usual[0],
        "y1": usual[1],
        "line": {"width": 0},
        "fillcolor": with_alpha(NEUTRAL, 0.18),
        "layer": "below",
        "label": {"text": "usual: about 0.001", "textposition": "bottom left", "font": {"size": 12}},
    }
