"""Any measure of sparsity over the epochs: the whole network bold, each layer thin."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from core.figures.parts import SPARSITY, Figure, layer_colours, line, over_epochs
from core.measure.catalogue import MEASURES
from core.measure.pacing import PRUNABLE_LAST_SHARE, prunable_at_end, prunable_cost, prunable_every
from core.run.events import Event
from core.run.history import History

PERCENT, BYTES = "% of weights", "bytes"


def measured(history: History) -> list[str]:
    """The measures that this run has, in the catalogue's order; an older run has fewer."""
    return [name for name in MEASURES if any(_of_epoch(event, name) is not None for event in history.epochs)]


def why_no_prunable_share(history: History) -> str:
    """A sentence for a run that has no prunable share so far; empty if it has one, or is older than that."""
    names = measured(history)
    if history.started is None or "hoyer" not in names or "prunable" in names:
        return ""
    images = history.started["train_images"], history.started["validation_images"]
    cost = prunable_cost(*images)
    takes = f"Looking for the prunable share takes as long as {cost:.2g} epochs of training"
    epochs = history.total_epochs
    if not prunable_at_end(epochs, *images):
        least = math.ceil(cost / PRUNABLE_LAST_SHARE)
        allowed = f"{100 * PRUNABLE_LAST_SHARE:g} % of a run"
        return f"{takes} and may take {allowed}: those of {least} epochs or more have one."
    first = prunable_every(epochs, *images) or epochs
    when = "this run ended before it was time" if history.ended else f"the first comes after epoch {first}"
    return f"{takes}; {when}."


def earlier_prunable_share(history: History) -> str:
    """A sentence for a run whose prunable shares are of another bound; empty if they are of this one."""
    found = [event for event in history.epochs if event.get("prunable")]
    if not found or _interval(found[-1]):
        return ""
    return (
        "This run's prunable shares were found by an earlier rule, at most half a point of accuracy lost on "
        "400 images, and have no interval: do not compare them with those of newer runs."
    )


def why_not_thorough(history: History) -> str:
    """A sentence for a run that has none of the measures that take longer, so far; empty if it has them."""
    names, started = measured(history), history.started
    thorough = [entry for entry in MEASURES.values() if entry.thorough]
    if started is None or "thorough_every" not in started or "hoyer" not in names:
        return ""
    if any(entry.name in names for entry in thorough):
        return ""
    first, *others, last = [entry.title for entry in thorough]
    which = f"{', '.join([first, *map(str.lower, others)])} and {last.lower()} take longer to measure"
    if history.ended:
        return f"{which}; this run ended before it was time."
    every = started["thorough_every"]
    return f"{which}; they come {f'every {every} epochs' if every else 'after the last epoch'}."


def measure(history: History, run_id: str, name: str) -> Figure:
    """One of `MEASURES` against epochs: shares in per cent, bytes in kB, all else as it is."""
    entry = MEASURES[name]
    kept = [event for event in history.epochs if _of_epoch(event, name) is not None]
    epochs = [event["epoch"] for event in kept]
    layers = kept[-1]["sparsity"]["layers"] if kept else {}
    traces = []
    for layer, colour in zip(layers, layer_colours(len(layers)), strict=True):
        values = [_of_layer(event, layer, name) for event in kept]
        if values[-1] is not None:
            traces.append(line(layer, epochs, values, colour, width=1.5))
    whole = [_of_epoch(event, name) for event in kept]
    bold = line("whole", epochs, whole, SPARSITY, width=4, markers=True)
    traces.append(bold | _intervals(kept) if name == "prunable" else bold)
    unit = {PERCENT: "%", BYTES: "kB"}.get(entry.unit, entry.unit)
    y_title = f"{entry.title.lower()} ({unit})" if unit else entry.title.lower()
    figure = over_epochs(traces, history, run_id, y_title)
    figure["layout"]["yaxis"] |= {"range": [-3, 103]} if entry.unit == PERCENT else {"rangemode": "tozero"}
    return figure


def measure_now(history: History, name: str) -> str:
    """The last figure there is, with its unit, e.g. ``71.2 % of 9,000 weights`` or ``183 kB``; and its
    interval, if any."""
    event = next(event for event in reversed(history.epochs) if _of_epoch(event, name) is not None)
    value = _of_epoch(event, name)
    assert value is not None
    match MEASURES[name].unit:
        case "% of weights":
            ends = _interval(event) if name == "prunable" else None
            said = f"{value:.1f} % of {event['sparsity']['weights']:,} weights"
            return said + (f" (95 %: {ends[0]:.1f} to {ends[1]:.1f} %)" if ends else "")
        case "bytes":
            return f"{value:,.{0 if value >= 100 else 1}f} kB"
        case "":
            return f"{value:.3f}"
        case unit:
            return f"{value:,.0f} {unit}"


def _of_epoch(event: Event, name: str) -> float | None:
    if name == "prunable":
        return 100 * event["prunable"]["share"] if event.get("prunable") else None
    return _of(event["sparsity"], name)


def _interval(event: Event) -> tuple[float, float] | None:
    """The ends of the prunable share's interval, in per cent; None: of a run that is older than that."""
    found = event["prunable"]
    return (100 * found["low"], 100 * found["high"]) if found.keys() >= {"low", "high"} else None


def _intervals(kept: Sequence[Event]) -> dict[str, Any]:
    """Error bars of the prunable shares of these epochs, and what hovering says of them."""
    ends = [ends for event in kept if (ends := _interval(event))]
    if len(ends) < len(kept):
        return {}
    shares = [100 * event["prunable"]["share"] for event in kept]
    return {
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [high - share for share, (_, high) in zip(shares, ends, strict=True)],
            "arrayminus": [share - low for share, (low, _) in zip(shares, ends, strict=True)],
            "color": SPARSITY,
        },
        "customdata": [list(each) for each in ends],
        "hovertemplate": "%{y:.1f} (95 %: %{customdata[0]:.1f} to %{customdata[1]:.1f})",
    }


def _of_layer(event: Event, layer: str, name: str) -> float | None:
    if name == "prunable":
        share = event["prunable"].get("layers", {}).get(layer)  # an older run has none
        return None if share is None else 100 * share
    return _of(event["sparsity"]["layers"][layer], name)


def _of(sparsity: Mapping[str, Any], name: str) -> float | None:
    """A measure of the whole network or of one layer, in the unit it is drawn in; None: not measured."""
    entry = MEASURES[name]
    value: Any = (sparsity.get(entry.within, {}) if entry.within else sparsity).get(name)
    figure = value["zero"] if value is not None and entry.within == "groups" else value
    if not isinstance(figure, int | float) or not math.isfinite(figure):  # stored events may hold anything
        return None
    return figure * {PERCENT: 100, BYTES: 1 / 1000}.get(entry.unit, 1)
