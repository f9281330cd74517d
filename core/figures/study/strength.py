"""Cross-validation of λ as a chart: the error with its standard error, and the zeros, against λ."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from core.figures.parts import NEUTRAL, SPARSITY, TRAIN, VALIDATION, line, plain_layout
from core.figures.probes import Chart

LOW = 0.92  # where the words at the two ends stand, as a share of the height


def chart(result: Mapping[str, Any]) -> Chart | None:
    """The answer so far; None: there is nothing to draw."""
    if not result or not result.get("grid"):
        return None
    return _plane(result) if isinstance(result["grid"][0], list) else _curve(result)


def _curve(result: Mapping[str, Any]) -> Chart:
    keep = [i for i, each in enumerate(result["grid"]) if each > 0]
    grid = [result["grid"][i] for i in keep]
    by_loss = result["figure"] == "loss"

    def of(name: str, scale: float = 100.0) -> list[float]:
        return [scale * result[name][i] for i in keep]

    judged = of("mean", 1.0) if by_loss else of("accuracy")
    n = result["folds"]
    curve = line(
        f"{'loss' if by_loss else 'accuracy'}, mean of {n} folds", grid, judged, VALIDATION, markers=True,
        hovertemplate="%{y:.3f}" if by_loss else "%{y:.1f} %",
    )  # fmt: skip
    curve["error_y"] = {
        "type": "data",
        "array": of("standard_error", 1.0 if by_loss else 100.0),
        "color": VALIDATION,
        "thickness": 1.5,
    }
    traces = [curve]
    if not by_loss:
        traces.append(
            line(
                "on its own training images",
                grid,
                of("train_accuracy"),
                TRAIN,
                width=1.5,
                dash="dot",
                hovertemplate="%{y:.1f} %",
            )
        )
    traces.append(line("exact zeros", grid, of("zeros"), SPARSITY, yaxis="y2", markers=True,
                       hovertemplate="%{y:.1f} %"))  # fmt: skip
    layout = plain_layout("loss" if by_loss else "accuracy (%)")
    layout["margin"] |= {"r": 56}
    layout["xaxis"] |= {
        "type": "log",
        "title": {"text": "λ"},
        "dtick": 1,
        "tickformat": "~g",
        "hoverformat": "~g",
        "unifiedhovertitle": {"text": "λ = %{x}"},
    }
    layout["yaxis2"] = {
        "title": {"text": "zeros (%)"},
        "overlaying": "y",
        "side": "right",
        "range": [0, 103],
        "tickmode": "array",
        "tickvals": [0, 25, 50, 75, 100],
        "showgrid": False,
        "zeroline": False,
    }
    if not by_loss:
        low = min([*judged, *of("train_accuracy")])
        layout["yaxis"]["range"] = [max(0, math.floor(low / 10) * 10 - 5), 102]
    _mark(layout, result)
    zero = [i for i, each in enumerate(result["grid"]) if each == 0]
    said = f"{_word(result, 0)} at λ 0; " if zero else ""
    each = "; ".join(f"λ {strength:g}: {value:.3g}" for strength, value in zip(grid, judged, strict=True))
    return Chart(
        {"data": traces, "layout": layout},
        f"{'Loss' if by_loss else 'Accuracy'} and zeros against λ. {said}{each}.",
    )


def _word(result: Mapping[str, Any], i: int) -> str:
    return (
        f"{result['mean'][i]:.3g}" if result["figure"] == "loss" else f"{100 * result['accuracy'][i]:.1f} %"
    )


def _mark(layout: dict[str, Any], result: Mapping[str, Any]) -> None:
    """Lines at the two answers, and at the ends what goes wrong there."""
    layout["shapes"], layout["annotations"] = [], []
    answers = {"least error": result["lambda_min"], "within one standard error": result["lambda_1se"]}
    if result["lambda_min"] == result["lambda_1se"]:
        answers = {"least error": result["lambda_min"]}
    for i, (name, strength) in enumerate(answers.items()):
        if strength <= 0:
            continue
        at = {"x0": strength, "x1": strength, "yref": "paper", "y0": 0, "y1": 1}
        style = {"color": NEUTRAL, "width": 1.5, "dash": "dot" if i == 0 and len(answers) > 1 else "solid"}
        layout["shapes"].append({"type": "line", **at, "line": style})
        left = i == 0 and len(answers) > 1
        layout["annotations"].append(
            {"x": math.log10(strength), "y": 0.02, "yref": "paper", "yanchor": "bottom", "showarrow": False,
             "xanchor": "right" if left else "left", "text": name, "font": {"size": 12}}
        )  # fmt: skip


def _plane(result: Mapping[str, Any]) -> Chart:
    """Two strengths: accuracy as colour."""
    xs = sorted({point[0] for point in result["grid"]})
    ys = sorted({point[1] for point in result["grid"]})
    known = {tuple(point): i for i, point in enumerate(result["grid"])}
    by_loss = result["figure"] == "loss"
    scale, name = (1.0, "mean") if by_loss else (100.0, "accuracy")

    def at(x: float, y: float) -> float | None:
        i = known.get((x, y))
        return None if i is None else scale * result[name][i]

    heat = {
        "type": "heatmap",
        "x": [f"{x:g}" for x in xs],
        "y": [f"{y:g}" for y in ys],
        "z": [[at(x, y) for x in xs] for y in ys],
        "colorscale": "Cividis",
        "reversescale": by_loss,
        "colorbar": {"title": {"text": "loss" if by_loss else "accuracy (%)"}, "thickness": 12},
        "hovertemplate": "%{x}, %{y}: %{z:.4g}<extra></extra>",
    }
    layout = plain_layout("second λ")
    layout["hovermode"] = "closest"
    layout["xaxis"] |= {"type": "category", "title": {"text": "first λ"}}
    layout["yaxis"] |= {"type": "category"}
    traces = [heat, *(_star(point, text) for point, text in _answers(result))]
    best = result["lambda_1se"]
    return Chart(
        {"data": traces, "layout": layout},
        f"A field a pair of λ, {len(known)} of them; the pair to take is {best[0]:g} and {best[1]:g}.",
    )


def _answers(result: Mapping[str, Any]) -> Sequence[tuple[list[float], str]]:
    if result["lambda_min"] == result["lambda_1se"]:
        return [(result["lambda_min"], "take")]
    return [(result["lambda_min"], "least"), (result["lambda_1se"], "take")]


def _star(point: Sequence[float], text: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": [f"{point[0]:g}"],
        "y": [f"{point[1]:g}"],
        "text": [text],
        "textposition": "top center",
        "textfont": {"color": "#FFFFFF", "size": 12},
        "marker": {
            "symbol": "star",
            "size": 14,
            "color": "#FFFFFF",
            "line": {"color": "#222222", "width": 1},
        },
        "showlegend": False,
        "hoverinfo": "skip",
    }
