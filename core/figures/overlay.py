"""Curves of several runs over each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from statistics import median
from typing import Any, NamedTuple

from core.figures.parts import Figure, line, plain_layout, with_alpha
from core.measure.band import Middle, middle
from core.run.events import Event

# After Okabe and Ito, the light ones darker: 3:1 at least on both grounds. In the order runs are chosen.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#B47F00", "#3A93C4", "#8A66D9", "#8C5A1A")
AXES = {"epoch": "epoch", "step": "step", "seconds": "seconds of training"}
MAX_SMOOTHING = 0.95


class Measure(NamedTuple):
    """What is drawn of each epoch: its name with its unit, and its value in that unit; None: it has none."""

    label: str
    value: Callable[[Mapping[str, Any]], float | None]


def _percent(name: str) -> Callable[[Mapping[str, Any]], float | None]:
    return lambda epoch: None if epoch.get(name) is None else 100 * epoch[name]


MEASURES = {
    "accuracy": Measure("validation accuracy (%)", _percent("validation_accuracy")),
    "loss": Measure("validation loss", lambda epoch: epoch.get("validation_loss")),
    "clean": Measure("clean train (%)", _percent("clean_accuracy")),
    "zeros": Measure("exact zeros (%)", lambda epoch: 100 * epoch["sparsity"]["exact"]),
}


class Curves(NamedTuple):
    """One run: what it is called, and its ``epoch`` events."""

    name: str
    epochs: Sequence[Event]


def colour_of(i: int) -> str:
    """The colour of the run that was chosen as number ``i``, from 0; the same in every picture."""
    return COLOURS[i % len(COLOURS)]


def overlay(runs: Sequence[Curves], of: str, by: str = "epoch", smoothing: float = 0.0) -> Figure:
    """A line a run.

    Args:
        of: a name in `MEASURES`; ``by`` one in `AXES`.
        smoothing: 0, none, to `MAX_SMOOTHING`: the weight of what came before in a running mean, whose start
            is not drawn to 0; then the values themselves stay behind, thin.
    """
    measure, traces = MEASURES[of], []
    for i, run in enumerate(runs):
        x, y = _along(run.epochs, by), [measure.value(each) for each in run.epochs]
        dash = "solid" if i < len(COLOURS) // 2 else "dash"
        if smoothing:
            traces.append(line(run.name, x, y, colour_of(i), width=1, opacity=0.35, showlegend=False))
            y = smoothed(y, smoothing)
        traces.append(line(run.name, x, y, colour_of(i), dash=dash, markers=len(x) <= 40))
    return {"data": traces, "layout": _layout(measure, by, smoothing, f"{of} {by}")}


class Group(NamedTuple):
    """Runs that differ in their seeds alone: what they are called together, and the ``epoch`` events of each.
    One run alone is a group of one."""

    name: str
    runs: Sequence[Sequence[Event]]


def overlay_groups(
    groups: Sequence[Group],
    of: str,
    by: str = "epoch",
    smoothing: float = 0.0,
    colours: Sequence[str] = COLOURS,
) -> Figure:
    """A line a group, the median of its runs after each epoch, and an area, the middle half of them. Epochs
    that half of the runs have are drawn, two at least; ``of``, ``by`` and ``smoothing`` as in `overlay`.

    Args:
        colours: of each group.
    """
    measure, traces = MEASURES[of], []
    for group, colour in zip(groups, colours, strict=False):
        x, found = _middles(group, measure, by, smoothing)
        dash = "solid" if colour in COLOURS[: len(COLOURS) // 2] else "dash"
        if any(each.of > 1 for each in found):
            traces += _area(group.name, x, found, colour)
        said = [
            f"{each.lower:.4g} to {each.upper:.4g}, n = {each.of}" if each.of > 1 else "one run"
            for each in found
        ]
        traces.append(
            line(
                group.name,
                x,
                [each.median for each in found],
                colour,
                dash=dash,
                markers=len(x) <= 40,
                customdata=said,
                hovertemplate="%{y:.4g} (%{customdata})",
            )
        )
    return {"data": traces, "layout": _layout(measure, by, smoothing, f"{of} {by} seeds")}


def _layout(measure: Measure, by: str, smoothing: float, uirevision: str) -> dict[str, Any]:
    layout = plain_layout(measure.label + (f", smoothed {smoothing:g}" if smoothing else ""))
    layout["xaxis"] |= {"title": {"text": AXES[by], "standoff": 4}, "rangemode": "tozero"}
    return layout | {"showlegend": False, "uirevision": uirevision}


def _area(name: str, x: Sequence[float], found: Sequence[Middle], colour: str) -> list[dict[str, Any]]:
    """From the lower to the upper quartile."""
    style: dict[str, Any] = {"width": 0.5, "opacity": 0.6, "showlegend": False, "hoverinfo": "skip"}
    style["hovertemplate"] = None
    fill: dict[str, Any] = {"fill": "tonexty", "fillcolor": with_alpha(colour, 0.2)}
    return [
        line(name, x, [each.lower for each in found], colour, **style),
        line(name, x, [each.upper for each in found], colour, **style, **fill),
    ]


def _middles(group: Group, measure: Measure, by: str, smoothing: float) -> tuple[list[float], list[Middle]]:
    """Where along the axis, and the median and quartiles there. Epoch by epoch: of seconds the median too."""
    places: dict[int, list[float]] = {}
    values: dict[int, list[float]] = {}
    for epochs in group.runs:
        along = _along(epochs, by)
        drawn = smoothed(map(measure.value, epochs), smoothing)  # of no smoothing the values themselves
        for epoch, place, value in zip(epochs, along, drawn, strict=True):
            if value is not None:
                places.setdefault(epoch["epoch"], []).append(place)
                values.setdefault(epoch["epoch"], []).append(value)
    enough = max(min(2, len(group.runs)), len(group.runs) / 2)
    shown = [epoch for epoch in sorted(values) if len(values[epoch]) >= enough]
    return [median(places[epoch]) for epoch in shown], [middle(values[epoch]) for epoch in shown]


def smoothed(values: Iterable[float | None], weight: float) -> list[float | None]:
    """A running mean in which each value counts ``weight`` times as much as the next (Adam's, with the
    correction for its start); a gap stays one."""
    mean, counted = 0.0, 0.0
    found: list[float | None] = []
    for value in values:
        if value is None:
            found.append(None)
            continue
        mean = weight * mean + (1 - weight) * value
        counted = weight * counted + (1 - weight)
        found.append(mean / counted)
    return found


def _along(epochs: Sequence[Event], by: str) -> list[float]:
    if by == "seconds":
        return list(accumulate(float(each.get("seconds") or 0.0) for each in epochs))
    return [float(each[by]) for each in epochs]
