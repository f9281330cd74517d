"""Axes of a figure: what they reach over, where a value lies, and which numbers stand at them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from core.figures.svg.text import lines_of

ROOM = 0.05  # of an axis beyond its lowest and highest value
FEWEST_TICKS = 3  # of an axis of logarithms: fewer don't show how it runs
WHOLE = ("epoch", "step")  # titles of axes that have no halves
POWERS = range(-3, 5)  # of ten that are written out
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
BETWEEN_TICKS = {"x": 76.0, "y": 40.0}  # pixels

_DRAWN = {
    "title", "range", "type", "dtick", "tickvals", "ticktext", "tickformat", "nticks", "domain", "anchor",
    "autorange", "autorangeoptions", "rangemode", "showgrid", "showticklabels", "constrain", "scaleanchor",
    "exponentformat", "visible",
}  # fmt: skip
_OF_NO_MATTER = {"zeroline", "automargin", "fixedrange", "minor"}  # in a picture that nobody zooms


@dataclass(slots=True)
class Axis:
    """An axis; its own numbers are values, or their logarithms to base 10.

    Args:
        name: as a layout has it, e.g. ``xaxis2``.
        low, high: the ends, in its own numbers.
        start, end: where they lie, in pixels.
    """

    name: str
    settings: Mapping[str, Any]
    low: float
    high: float
    start: float = 0.0
    end: float = 1.0

    @property
    def log(self) -> bool:
        return self.settings.get("type") == "log"

    @property
    def side(self) -> str:
        """``x`` or ``y``."""
        return self.name[0]

    @property
    def shown(self) -> bool:
        return self.settings.get("visible", True) is not False

    @property
    def title(self) -> str:
        title = self.settings.get("title", "")
        return str(title.get("text", "") if isinstance(title, Mapping) else title)

    def own(self, value: Any) -> float | None:
        """A value in the axis' own numbers; None: it has no place there."""
        if value is None or not math.isfinite(value) or (self.log and value <= 0):
            return None
        return math.log10(value) if self.log else float(value)

    def place(self, own: float) -> float:
        """Where one of its own numbers lies, in pixels."""
        return self.start + (own - self.low) / (self.high - self.low) * (self.end - self.start)

    def at(self, value: Any) -> float | None:
        """Where a value lies; None: nowhere."""
        own = self.own(value)
        return None if own is None else self.place(own)

    def reaches(self, pixel: float) -> bool:
        """Whether it lies on the axis."""
        return min(self.start, self.end) - 0.01 <= pixel <= max(self.start, self.end) + 0.01

    def ticks(self) -> list[tuple[float, list[str]]]:
        """The places of its ticks in pixels, and what stands at each."""
        settings, low, high = self.settings, min(self.low, self.high), max(self.low, self.high)
        if (values := settings.get("tickvals")) is not None:
            texts = settings.get("ticktext") or [_number(each, settings) for each in values]
            given = [(self.own(value), lines_of(said)) for value, said in zip(values, texts, strict=True)]
            seen = [(self.place(own), said) for own, said in given if own is not None and low <= own <= high]
            if not self.log or len(seen) >= FEWEST_TICKS:
                return seen
        own = self._own_ticks(low, high)
        step = min((b - a for a, b in pairwise(own)), default=1.0)
        said = [_power(each, settings) if self.log else _number(each, settings, step) for each in own]
        return [(self.place(each), [text]) for each, text in zip(own, said, strict=True)]

    def _own_ticks(self, low: float, high: float) -> list[float]:
        most = max(2.0, abs(self.end - self.start) / BETWEEN_TICKS[self.side])
        most = min(most, float(self.settings.get("nticks", most)))
        dtick = self.settings.get("dtick")
        if self.log:
            step = float(dtick or max(1, math.ceil((high - low) / most)))
            if dtick is None and high - low < FEWEST_TICKS:
                return [math.log10(each) for each in _multiples(10**low, 10**high, most)]
        else:
            step = float(dtick or _round_step((high - low) / most))
            step = max(1.0, step) if self.title in WHOLE else step
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        return [i * step for i in range(first, last + 1)]


def axes_of(layout: Mapping[str, Any], traces: Sequence[Mapping[str, Any]]) -> dict[str, Axis]:
    """The axes that a layout describes or a trace is drawn on, by name, with their ends.

    Raises:
        NotImplementedError: an axis has a setting that is not drawn.
    """
    names = [name for name in layout if name[1:5] == "axis" and name[0] in "xy"]
    names += [axis_name(trace, side) for trace in traces for side in "xy"]
    found = {}
    for name in dict.fromkeys(["xaxis", "yaxis", *names]):
        settings = layout.get(name, {})
        if unknown := set(settings) - _DRAWN - _OF_NO_MATTER:
            raise NotImplementedError(f"{name} has {', '.join(sorted(unknown))}, which is not drawn")
        axis = Axis(name, settings, 0.0, 1.0)
        axis.low, axis.high = _ends(axis, [t for t in traces if axis_name(t, name[0]) == name])
        found[name] = axis
    return found


def axis_name(trace: Mapping[str, Any], side: str) -> str:
    """The name in a layout of the axis that a trace is drawn on."""
    return f"{side}axis{trace.get(f'{side}axis', side)[1:]}"


def edges(centres: Sequence[float]) -> list[float]:
    """The borders of cells around their centres; one cell alone is one wide."""
    if len(centres) == 1:
        return [centres[0] - 0.5, centres[0] + 0.5]
    middles = [(a + b) / 2 for a, b in pairwise(centres)]
    return [2 * centres[0] - middles[0], *middles, 2 * centres[-1] - middles[-1]]


def _ends(axis: Axis, traces: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    settings = axis.settings
    if given := settings.get("range"):
        low, high = (float(end) for end in given)
        if low == high:  # of a network that was never trained: from epoch 0 to epoch 0
            low, high = low - 0.5, high + 0.5
    else:
        low, high = _automatic_ends(axis, traces)
    backwards = settings.get("autorange") == "reversed"
    return (high, low) if backwards else (low, high)


def _automatic_ends(axis: Axis, traces: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    cells = [trace for trace in traces if trace["type"] == "heatmap"]
    if cells:
        borders = [
            border for trace in cells for border in edges(trace.get(axis.side) or _counted(trace, axis))
        ]
        return min(borders), max(borders)
    own = [
        each for trace in traces for value in _reached(axis, trace) if (each := axis.own(value)) is not None
    ]
    if not own:
        return (0.0, 1.0)
    low, high = min(own), max(own)
    clip = axis.own(axis.settings.get("autorangeoptions", {}).get("clipmin"))
    bars = any(trace["type"] == "bar" for trace in traces)  # which stand on 0
    to_zero = (bars or axis.settings.get("rangemode") == "tozero") and not axis.log
    if low == high:
        low, high = (0.0, high or 1.0) if to_zero and low >= 0 else (low - 0.5, high + 0.5)
    pads = bars or axis.side == "y" or any("markers" in trace.get("mode", "") for trace in traces)
    room = ROOM * (high - low) if pads else 0.0
    low = min(0.0, low) if to_zero and min(own) >= 0 else low - room
    return (low if clip is None else max(low, clip)), high + room


def _reached(axis: Axis, trace: Mapping[str, Any]) -> Iterable[float | None]:
    """The values of a trace on this axis, with the ends of its error bars; 0, if it is filled to there."""
    values = trace[axis.side]
    if trace["type"] == "bar":
        yield from (base + value for base, value in zip(trace["base"], values, strict=True))
        return
    yield from values
    if axis.side == "y" and (bars := trace.get("error_y")):
        yield from (y + up for y, up in zip(values, bars["array"], strict=True))
        downs = bars.get("arrayminus", bars["array"])
        yield from (y - down for y, down in zip(values, downs, strict=True))
    if trace.get("fill") == f"tozero{axis.side}":
        yield 0.0


def _counted(trace: Mapping[str, Any], axis: Axis) -> list[int]:
    """Of cells without coordinates: 0, 1, 2 and so on."""
    return list(range(len(trace["z"] if axis.side == "y" else trace["z"][0])))


def _round_step(least: float) -> float:
    """The smallest of 1, 2 and 5 and their multiples by ten that is no less."""
    base = 10.0 ** math.floor(math.log10(least))
    return next((m * base for m in (1, 2, 5) if m * base >= least * (1 - 1e-9)), 10 * base)


def _multiples(low: float, high: float, most: float) -> list[float]:
    """1, 2 and 5 and their multiples by ten between two numbers; evenly spaced ones, if these are few."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [m * 10.0**decade for decade in decades for m in (1, 2, 5) if low <= m * 10.0**decade <= high]
    if FEWEST_TICKS <= len(found) <= most + 2:
        return found
    if len(found) > most + 2:
        return [each for each in found if f"{each:e}"[0] == "1"]
    step = _round_step((high - low) / most)
    return [i * step for i in range(max(1, math.ceil(low / step)), math.floor(high / step) + 1)]


def _power(own: float, settings: Mapping[str, Any]) -> str:
    exponent = round(own)
    whole = abs(own - exponent) < 1e-9
    if whole and (exponent not in POWERS or settings.get("exponentformat") == "power"):
        return f"10{str(exponent).translate(RAISED)}"
    return _number(10.0**own, settings)


def _number(value: float, settings: Mapping[str, Any], step: float | None = None) -> str:
    if settings.get("tickformat") == "~g" or step is None or abs(value) < 1e-12:
        said = f"{0 if abs(value) < 1e-12 else value:g}"
    elif step >= 1e-4 and abs(value) < 1e7:
        said = f"{value:,.{max(0, -math.floor(math.log10(step) + 1e-9))}f}"
    else:
        said = f"{value:.3g}"
    return said.replace("-", "−")
