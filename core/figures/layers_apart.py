"""Where several runs are sparse, layer by layer beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from core.figures.overlay import colour_of
from core.figures.parts import Figure, plain_layout
from core.text.escape import plain_html

WHOLE = "whole network"
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "hexagon")
ROW, AROUND = 34, 70  # pixels of a layer, and of the axis with its title


class LayersOf(NamedTuple):
    """A run: what it is called, and the ``sparsity`` of the epoch that stands for it."""

    name: str
    sparsity: Mapping[str, Any]


def layers_of(runs: Sequence[LayersOf]) -> list[str]:
    """The layers that any of the runs has, in the order of the network, without the whole."""
    found: list[str] = []
    for run in runs:
        own = list(run.sparsity["layers"])
        for i, layer in enumerate(own):
            if layer not in found:  # it stands before the next that is there already
                behind = next((each for each in own[i:] if each in found), None)
                found.insert(len(found) if behind is None else found.index(behind), layer)
    return found


def counted_zeros(run: LayersOf, layer: str) -> tuple[int, int] | None:
    """How many weights of a layer, or of `WHOLE`, are exactly 0, and of how many; None: it has none such."""
    each = run.sparsity if layer == WHOLE else run.sparsity["layers"].get(layer)
    return None if each is None else (round(each["exact"] * each["weights"]), each["weights"])


def zeros_by_layer(runs: Sequence[LayersOf]) -> Figure:
    """A row a layer, a mark a run at its share of exact zeros in per cent, in the run's colour and a form of
    its own; a layer that a run does not have has no mark of it."""
    layers = [*layers_of(runs), WHOLE]
    traces = []
    for i, run in enumerate(runs):
        counts = [counted_zeros(run, layer) for layer in layers]
        there = [(j, *count) for j, count in enumerate(counts) if count and count[1]]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": plain_html(run.name),
                "x": [100 * zeros / of for _, zeros, of in there],
                "y": [_place(j, i, len(runs)) for j, _, _ in there],
                "customdata": [[plain_html(layers[j]), f"{zeros:,} of {of:,}"] for j, zeros, of in there],
                "marker": {
                    "color": colour_of(i),
                    "symbol": SYMBOLS[i % len(SYMBOLS)],
                    "size": 9,
                },
                "cliponaxis": False,
                "hovertemplate": "%{customdata[0]}: %{x:.1f} %, %{customdata[1]} weights are 0",
            }
        )
    layout = plain_layout("") | {"hovermode": "closest", "showlegend": False, "uirevision": "layers"}
    layout["xaxis"] |= {"title": {"text": "exact zeros (%)"}, "range": [-2, 102]}
    layout["yaxis"] |= {
        "tickvals": list(range(len(layers))),
        "ticktext": [plain_html(layer) for layer in layers],
        "range": [len(layers) - 0.5, -0.5],
        "automargin": True,
    }
    return {"data": traces, "layout": layout}


def height_of(runs: Sequence[LayersOf]) -> int:
    """In pixels, so that each run's mark of a layer has room."""
    return AROUND + max(ROW, 9 * len(runs)) * (len(layers_of(runs)) + 1)


def _place(row: int, i: int, of: int) -> float:
    """Marks of one row stand beneath each other: equal shares would hide all but one."""
    return row + (0.7 * ((i + 0.5) / of - 0.5) if of > 1 else 0.0)
