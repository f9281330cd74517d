"""What is not a curve: bars of parameters, and a run's figures as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from core.figures.parts import Figure, layer_colours, plain_layout
from core.run.history import History
from core.run.spec import RunSpec

if TYPE_CHECKING:
    from core.models.summary import Summary

NOT_FIGURES = ("event", "sparsity", "weights", "filters", "penalties", "strengths", "prunable")


def parameters_by_layer(summaries: Mapping[str, Summary]) -> Figure:
    """One bar an architecture, cut into its layers: where a network keeps its parameters."""
    traces = []
    for name, summary in reversed(list(summaries.items())):
        rows = [row for row in summary.rows if row.parameters]
        for row, colour in zip(rows, layer_colours(len(rows)), strict=True):
            traces.append(
                {
                    "type": "bar",
                    "orientation": "h",
                    "name": row.name,
                    "y": [name],
                    "x": [row.parameters],
                    "marker": {"color": colour},
                    "hovertemplate": f"{row.name}, {row.kind}: %{{x:,}} parameters<extra></extra>",
                }
            )
    layout = plain_layout("") | {"barmode": "stack", "showlegend": False, "hovermode": "closest"}
    layout["xaxis"] |= {"title": {"text": "parameters"}}
    layout["yaxis"] |= {"automargin": True}
    return {"data": traces, "layout": layout}


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
