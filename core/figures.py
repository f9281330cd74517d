"""Events and catalogues in, Plotly figures out: plain dictionaries, ready to be JSON.

The figures know no theme: backgrounds are transparent and the text's colour is left to the page that
shows them, so one figure serves every viewer, light or dark. The same things have the same colours
everywhere (Okabe–Ito, told apart with any kind of colour vision).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import torch

from core.jobs import History
from core.models import Summary
from core.regularise import elastic_net_, soft_threshold_

Figure = dict[str, Any]

TRAIN, VALIDATION, PENALTY, SPARSITY = "#0072B2", "#D55E00", "#E69F00", "#009E73"
BATCH = "#56B4E9"  # one batch of the training images: train's colour, lighter
LAYERS = ("#56B4E9", "#CC79A7", "#E69F00", "#0072B2", "#D55E00", "#F0E442", "#999999")


def loss(history: History, run_id: str) -> Figure:
    """Train and validation loss and the penalty against epochs, on a log scale."""
    epochs = [event["epoch"] for event in history.epochs]
    traces = [
        _line("train, each batch", *history.loss, BATCH, width=1, opacity=0.7),
        _line("train", epochs, [event["train_loss"] for event in history.epochs], TRAIN, markers=True),
        _line(
            "validation",
            epochs,
            [event["validation_loss"] for event in history.epochs],
            VALIDATION,
            markers=True,
        ),
    ]
    if any(history.penalty.y):
        traces.append(_line("penalty", *history.penalty, PENALTY, dash="dot"))
    figure = _figure(traces, history, run_id, "loss (nats)")
    figure["layout"]["yaxis"] |= {"type": "log", "dtick": 1, "minor": {"dtick": "D1"}}
    return figure


def accuracy(history: History, run_id: str) -> Figure:
    """Train and validation accuracy in per cent against epochs."""
    epochs = [event["epoch"] for event in history.epochs]
    traces = [
        _line(
            "train", epochs, [100 * event["train_accuracy"] for event in history.epochs], TRAIN, markers=True
        ),
        _line(
            "validation",
            epochs,
            [100 * event["validation_accuracy"] for event in history.epochs],
            VALIDATION,
            markers=True,
        ),
    ]
    return _figure(traces, history, run_id, "accuracy (%)")


def sparsity_by_layer(history: History, run_id: str) -> Figure:
    """Exact zeros in per cent against epochs: the whole network bold, each layer thin."""
    epochs = [event["epoch"] for event in history.epochs]
    measured = [event["sparsity"] for event in history.epochs]
    traces = []
    for i, layer in enumerate(measured[0]["layers"] if measured else ()):
        shares = [100 * each["layers"][layer]["exact"] for each in measured]
        traces.append(_line(layer, epochs, shares, LAYERS[i % len(LAYERS)], width=1.5))
    near = [100 * each["near"] for each in measured]
    exact = [100 * each["exact"] for each in measured]
    traces.append(_line("near zero", epochs, near, SPARSITY, dash="dot"))
    traces.append(_line("whole", epochs, exact, SPARSITY, width=4, markers=True))
    figure = _figure(traces, history, run_id, "exact zeros (% of weights)")
    figure["layout"]["yaxis"] |= {"range": [-3, 103]}
    return figure


def parameters_by_layer(summaries: Mapping[str, Summary]) -> Figure:
    """One bar an architecture, cut into its layers: where a network keeps its parameters."""
    traces = []
    for name, summary in reversed(list(summaries.items())):
        for i, row in enumerate(row for row in summary.rows if row.parameters):
            traces.append(
                {
                    "type": "bar",
                    "orientation": "h",
                    "name": row.name,
                    "y": [name],
                    "x": [row.parameters],
                    "marker": {"color": LAYERS[i % len(LAYERS)]},
                    "hovertemplate": f"{row.name}, {row.kind}: %{{x:,}} parameters<extra></extra>",
                }
            )
    layout = plain_layout("") | {"barmode": "stack", "showlegend": False, "hovermode": "closest"}
    layout["xaxis"] |= {"title": {"text": "parameters"}}
    layout["yaxis"] |= {"automargin": True}
    return {"data": traces, "layout": layout}


def shrinkage_curves(size: float = 0.3) -> Figure:
    """What one step of strength ``size`` makes of a weight, against the weight before it."""
    before = torch.linspace(-1, 1, 201)
    lasso, elastic = before.clone(), before.clone()
    soft_threshold_([lasso], size)
    elastic_net_([elastic], size, 0.5)
    curves = (
        ("no regulariser", before, TRAIN, "dot"),
        ("L2", before / (1 + size), VALIDATION, "solid"),
        ("elastic net", elastic, PENALTY, "solid"),
        ("L1", lasso, SPARSITY, "solid"),
    )
    traces = [
        _line(name, before.tolist(), after.tolist(), colour, dash=dash)
        for name, after, colour, dash in curves
    ]
    layout = plain_layout("weight after")
    layout["xaxis"] |= {"title": {"text": "weight before"}}
    return {"data": traces, "layout": layout}


def epochs_csv(history: History) -> str:
    """A line an epoch with every figure of it, layers' sparsity too, as comma-separated values."""
    rows = [
        {
            **{key: value for key, value in event.items() if key not in ("event", "sparsity")},
            "exact_zeros": event["sparsity"]["exact"],
            "near_zeros": event["sparsity"]["near"],
            **{f"exact_zeros.{name}": layer["exact"] for name, layer in event["sparsity"]["layers"].items()},
        }
        for event in history.epochs
    ]
    return str(pd.DataFrame(rows).to_csv(index=False))


def _line(
    name: str,
    x: Sequence[float],
    y: Sequence[float],
    colour: str,
    *,
    width: float = 2.5,
    dash: str = "solid",
    opacity: float = 1.0,
    markers: bool = False,
) -> dict[str, Any]:
    return {
        "type": "scatter",
        # A line through one point is invisible: until there are two, show the point itself.
        "mode": "lines+markers" if markers or len(x) < 2 else "lines",
        "name": name,
        "x": x,
        "y": y,
        "opacity": opacity,
        "line": {"color": colour, "width": width, "dash": dash},
        "marker": {"color": colour, "size": 5},
        "hovertemplate": "%{y:.4g}",
    }


def _figure(traces: list[dict[str, Any]], history: History, run_id: str, y_title: str) -> Figure:
    """A chart whose x-axis is the whole run from the start, so that the line grows into its place."""
    layout = plain_layout(y_title)
    layout["uirevision"] = run_id  # a person's zoom and legend choices last as long as the run is shown
    layout["xaxis"] |= {
        "title": {"text": "epoch"},
        "range": [0, history.started["epochs"] if history.started else 1],
    }
    return {"data": traces, "layout": layout}


def plain_layout(y_title: str) -> dict[str, Any]:
    return {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 56, "r": 12, "t": 8, "b": 40},
        "hovermode": "x unified",
        "legend": {
            "orientation": "h",
            "y": 1.02,
            "yanchor": "bottom",
            "x": 0,
            "font": {"size": 11},
            "itemwidth": 30,
            "entrywidthmode": "pixels",
            "entrywidth": 0,
        },
        "xaxis": {"zeroline": False},
        "yaxis": {"title": {"text": y_title}, "zeroline": False},
    }
