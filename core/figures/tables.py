"""What is not a curve: bars of parameters, and a run's figures as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.figures.parts import Figure, layer_colours, plain_layout
from core.run.history import History
from core.run.spec import RunSpec

NOT_FIGURES = ("event", "right", "sparsity", "weights", "filters", "penalties", "strengths", "prunable")


def parameters_by_layer(rows: Mapping[str, Sequence[tuple[str, str, int]]]) -> Figure:
    """One bar a network, cut into its layers: where it keeps its parameters.

    Args:
        rows: by the network's name, of each layer its name, its kind and how many parameters it has.
    """
    traces = []
    for network, layers in reversed(list(rows.items())):
        shown = [layer for layer in layers if layer[2]]
        for (name, kind, parameters), colour in zip(shown, layer_colours(len(shown)), strict=True):
            traces.append(
                {
                    "type": "bar",
                    "orientation": "h",
                    "name": name,
                    "y": [network],
                    "x": [parameters],
                    "marker": {"color": colour},
                    "hovertemplate": f"{name}, {kind}: %{{x:,}} parameters<extra></extra>",
                }
            )
    layout = plain_layout("") | {"barmode": "stack", "showlegend": False, "hovermode": "closest"}
    layout["xaxis"] |= {"title": {"text": "parameters"}}
    layout["yaxis"] |= {"automargin": True}
    return {"data": traces, "layout": layout}


def layers_in_a_bar(layers: Sequence[tuple[str, str, int]]) -> Figure:
    """The same of one network, without axes, each layer's name in its part of the bar."""
    figure = parameters_by_layer({"": layers})
    for trace in figure["data"]:
        trace |= {"text": [trace["name"]], "textposition": "inside", "insidetextanchor": "middle"}
    figure["layout"] |= {
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "uniformtext": {"minsize": 12, "mode": "hide"},
    }
    figure["layout"]["xaxis"] |= {"visible": False}
    figure["layout"]["yaxis"] |= {"visible": False}
    return figure


def epochs_csv(history: History, run_id: str, spec: RunSpec) -> str:
    """A line an epoch with every figure of it, each layer's sparsity too, as comma-separated values.

    Each line says which run it is of, so that those of several can stand below each other.
    """
    import pandas as pd  # a third of a second, which no page that shows no table waits for

    started: Mapping[str, Any] = history.started or {}
    of = {"run": run_id, "seed": spec.seed}
    images = {"validation_images": started.get("validation_images")}
    versions = started.get("versions", {})
    rows = [of | _row(event) | images | versions for event in history.epochs]
    return str(pd.DataFrame(rows).to_csv(index=False))


def _row(event: Mapping[str, Any]) -> dict[str, Any]:
    sparsity = event["sparsity"]
    row = {key: value for key, value in event.items() if key not in NOT_FIGURES}
    for name in ("penalties", "strengths"):
        row |= {f"{name}.{kind}": value for kind, value in event.get(name, {}).items()}
    row |= {"exact_zeros": sparsity["exact"], "near_zeros": sparsity["near"]}
    others = sparsity.keys() - {"exact", "near"}  # those are there already, under plainer names
    row |= {key: sparsity[key] for key in sorted(others) if isinstance(sparsity[key], float)}
    row |= {f"bytes.{form}": count for form, count in sparsity.get("bytes", {}).items()}
    if prunable := event.get("prunable"):
        ends = {f"prunable.{end}": prunable[end] for end in ("low", "high") if end in prunable}
        row |= {"prunable": prunable["share"], **ends}
    for name, layer in sparsity["layers"].items():
        row |= {f"exact_zeros.{name}": layer["exact"]}
    return row
