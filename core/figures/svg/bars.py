"""Bars and the categories that they stand at: names in place of numbers along an axis, as Plotly has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.figures.svg.axes import Axis, axis_name
from core.figures.svg.text import INK, attribute, lines_of, number
from core.figures.svg.traces import painted

Trace = Mapping[str, Any]

WIDTH = 0.8  # of a category's room that its bars take


def along(trace: Trace) -> tuple[str, str]:
    """The side of the categories and that of the lengths of a trace of type ``bar``."""
    return ("y", "x") if trace.get("orientation") == "h" else ("x", "y")


def numbered(traces: Sequence[Trace], layout: Mapping[str, Any]) -> tuple[list[Trace], dict[str, Any]]:
    """The same figure with numbers for categories: 0, 1, 2 in the order in which they come, each with its
    name at its axis. A bar has two more lists: ``base``, where each begins, and ``span``, the ends of its
    width."""
    layout = dict(layout)
    kept = [dict(trace) for trace in traces]
    for name in dict.fromkeys(axis_name(t, along(t)[0]) for t in kept if t["type"] == "bar"):
        bars = [trace for trace in kept if trace["type"] == "bar" and axis_name(trace, name[0]) == name]
        categories = list(dict.fromkeys(str(value) for trace in bars for value in trace[name[0]]))
        for trace in bars:
            trace[name[0]] = [float(categories.index(str(value))) for value in trace[name[0]]]
        _place(bars, layout.get("barmode", "group"))
        ends = [-0.5, len(categories) - 0.5]
        given = dict(layout.get(name, {}))
        backwards = given.get("autorange") == "reversed"
        layout[name] = given | {
            "tickvals": list(range(len(categories))),
            "ticktext": categories,
            "range": ends,
            "showgrid": False,
            **({"autorange": "reversed"} if backwards else {}),
        }
    return list(kept), layout


def _place(traces: Sequence[dict[str, Any]], mode: str) -> None:
    if mode not in ("stack", "group", "overlay"):
        raise NotImplementedError(f"bars as {mode!r} are not drawn")
    reached: dict[float, float] = {}
    for i, trace in enumerate(traces):
        place, length = along(trace)
        if any(value < 0 for value in trace[length]):
            raise NotImplementedError("a bar below 0 is not drawn")
        step = WIDTH / len(traces) if mode == "group" else WIDTH
        first = -WIDTH / 2 + (i * step if mode == "group" else 0.0)
        trace["span"] = [(at + first, at + first + step) for at in trace[place]]
        trace["base"] = [reached.get(at, 0.0) if mode == "stack" else 0.0 for at in trace[place]]
        for at, base, value in zip(trace[place], trace["base"], trace[length], strict=True):
            reached[at] = base + value


def bar(trace: Trace, x: Axis, y: Axis) -> str:
    """One of type ``bar``, out of a figure that is `numbered`."""
    place, length = along(trace)
    category, value = (y, x) if place == "y" else (x, y)
    colour = painted("fill", trace.get("marker", {}).get("color", INK))
    drawn = []
    for (first, last), base, size in zip(trace["span"], trace["base"], trace[length], strict=True):
        low, high = value.at(base), value.at(base + size)
        if not size or low is None or high is None:
            continue
        (a, b), (begin, end) = sorted(map(category.place, (first, last))), sorted((low, high))
        level = (begin, a, end - begin, b - a)
        sides = level if place == "y" else (level[1], level[0], level[3], level[2])
        left, top, width, height = map(number, sides)
        drawn.append(f'<rect x="{left}" y="{top}" width="{width}" height="{height}"/>')
    name = attribute(" ".join(lines_of(trace.get("name", ""))))
    return f'<g class="bars" data-name={name} {colour}>{"".join(drawn)}</g>'
