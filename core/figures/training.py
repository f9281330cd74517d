"""How a run learns: loss, each penalty, each λ, and accuracy."""

from __future__ import annotations

import math
from typing import Any

from core.figures.parts import (
    BATCH,
    DASHES,
    PENALTIES,
    PENALTY,
    TRAIN,
    VALIDATION,
    Figure,
    line,
    over_epochs,
    plain_layout,
    round_numbers,
    share_of,
    short,
    with_alpha,
)
from core.figures.strengths import add_strengths
from core.measure.band import Band
from core.regularise.schedule import strength_at
from core.run.history import History
from core.run.spec import RegulariserSpec

CUBIC_POINTS = 12  # of a line that bends


def loss(history: History, run_id: str) -> Figure:
    """The data loss and each penalty against epochs, on a log scale; beneath them each λ, if there is one.

    The objective is their sum: the losses are the data's part alone.
    """
    epochs = [event["epoch"] for event in history.epochs]
    losses = {
        of: [event.get(f"{of}_loss") for event in history.epochs] for of in ("train", "clean", "validation")
    }
    penalties = {f"{short(kind)} penalty": drawn for kind, drawn in history.penalties.items() if any(drawn.y)}
    if not history.penalties and any(history.penalty.y):  # an older run: their sum alone was kept
        penalties = {"penalty": history.penalty}
    traces = [
        line("each batch", *history.loss, BATCH, width=1, opacity=0.7),
        *_train(history, losses["train"], losses["clean"]),
        line("validation", epochs, losses["validation"], VALIDATION, markers=True),
    ]
    for i, (name, drawn) in enumerate(penalties.items()):
        traces.append(
            line(name, *drawn, PENALTIES[i % len(PENALTIES)], width=2, dash=DASHES[i % len(DASHES)])
        )
    figure = over_epochs(traces, history, run_id, "loss")
    shown = [y for y in (*history.loss.y, *(y for each in losses.values() for y in each)) if y and y > 0]
    lowest = min(shown, default=1)
    pulled = [y for drawn in penalties.values() for y in drawn.y if y]
    highest = max([*shown, *pulled], default=1)
    bottom = max(lowest / 30, min([*shown, *pulled], default=1))  # of the axis, as it is clipped here
    # A penalty that rises from 0 would press the loss flat; and there may be no power of ten among few.
    figure["layout"]["yaxis"] |= {
        "type": "log",
        "automargin": True,
        "autorangeoptions": {"clipmin": lowest / 30},
    }
    figure["layout"]["yaxis"] |= (
        {"dtick": math.ceil((math.log10(highest) - math.log10(bottom)) / 6), "minor": {"dtick": "D1"}}
        if highest / 30 > bottom
        else {"tickvals": round_numbers(bottom, highest), "tickformat": "~g"}
    )
    if not shown:  # before the first step: any axis a loss may have
        figure["layout"]["yaxis"] |= {"range": [-2, 0.5], "tickvals": [0.01, 0.1, 1], "tickformat": "~g"}
    add_strengths(figure, history)
    return figure


def schedule(spec: RegulariserSpec, epochs: int) -> Figure:
    """λ of one regulariser over a whole run, small: the shape, and where it gets to."""
    assert spec.strength is not None
    # A step has its foot and its top at one epoch.
    ends = {float(at) for at in (spec.warmup_epochs, spec.release_epochs) if 0 < at <= epochs}
    x = sorted({0.0, float(epochs), *ends})
    if spec.schedule == "cubic" and spec.warmup_epochs:
        top = min(spec.warmup_epochs, epochs)
        x = sorted({*x, *(top * i / CUBIC_POINTS for i in range(CUBIC_POINTS))})
    y = [strength_at(spec, epoch) for epoch in x]
    if spec.schedule == "step" and 0 < spec.warmup_epochs <= epochs:
        x.insert(1, float(spec.warmup_epochs))
        y.insert(1, 0.0)
    if 0 < spec.release_epochs < epochs:  # a cliff: its top and its foot are at one epoch
        x.insert(foot := x.index(spec.release_epochs), float(spec.release_epochs))
        y.insert(foot, spec.strength)
    trace = line("λ", x, y, PENALTY, fill="tozeroy", fillcolor=with_alpha(PENALTY, 0.15))
    layout = plain_layout("") | {"showlegend": False, "margin": {"l": 52, "r": 32, "t": 6, "b": 24}}
    layout["xaxis"] |= {
        "range": [0, epochs],
        "tickvals": [0, epochs],
        "ticktext": ["0", f"epoch {epochs}"],
        "fixedrange": True,
    }
    layout["yaxis"] |= {
        "range": [0, 1.15 * (spec.strength or 1)],
        "tickvals": [0, spec.strength],
        "ticktext": ["0", f"{spec.strength:g}"],
        "fixedrange": True,
    }
    return {"data": [trace], "layout": layout}


def accuracy(history: History, run_id: str, seeds: Band = ()) -> Figure:
    """Train and validation accuracy in per cent against epochs; the gap between clean train and validation is
    shaded, and so is what validation reaches over ``seeds``."""
    epochs = [event["epoch"] for event in history.epochs]
    of = {
        name: [_percent(event.get(f"{name}_accuracy")) for event in history.epochs]
        for name in ("train", "clean", "validation")
    }
    train = _train(history, of["train"], of["clean"])
    gap: dict[str, Any] = {
        "fill": "tonexty",
        "fillcolor": with_alpha(VALIDATION, 0.12),
    }  # to the trace before it
    clean_images = max((event.get("clean_images") or 0 for event in history.epochs), default=0)
    started = history.started or {}
    for trace in train:
        learning = trace["name"] == "while learning"
        trace["hovertemplate"] = share_of(started.get("train_images") if learning else clean_images)
    gap["hovertemplate"] = share_of(history.validation_images)
    validation = line("validation", epochs, of["validation"], VALIDATION, markers=True, **gap)
    traces = [*train, validation, *_band(seeds)]
    figure = over_epochs(traces, history, run_id, "accuracy (%)")
    if not epochs:
        figure["layout"]["yaxis"]["range"] = [-3, 103]  # else plotly's own, from -1 to 4
    return figure


def _band(seeds: Band) -> list[dict[str, Any]]:
    """From the lowest to the highest, as an area with edges."""
    if not seeds:
        return []
    epochs = [epoch for epoch, _, _ in seeds]
    style: dict[str, Any] = {"width": 0.8, "dash": "dot", "hoverinfo": "skip", "hovertemplate": None}
    low = line(
        "lowest seed", epochs, [100 * low for _, low, _ in seeds], VALIDATION, showlegend=False, **style
    )
    area: dict[str, Any] = {"fill": "tonexty", "fillcolor": with_alpha(VALIDATION, 0.25)}
    high = line("all seeds", epochs, [100 * high for _, _, high in seeds], VALIDATION, **area, **style)
    return [low, high]


def _train(history: History, learning: list[float | None], clean: list[float | None]) -> list[dict[str, Any]]:
    """The mean over an epoch's batches while it was learning, and how the network did after it on training
    images as they are. A run of an older version has the first alone."""
    epochs = [event["epoch"] for event in history.epochs]
    if epochs and all(each is None for each in clean):
        return [line("while learning", epochs, learning, TRAIN, markers=True)]
    return [
        line("while learning", epochs, learning, TRAIN, width=1.5, dash="dot"),
        line("clean train", epochs, clean, TRAIN, markers=True),
    ]


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
