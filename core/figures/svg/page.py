"""A figure, `core.figures.parts.Figure`, as one SVG: title, legend, plot, axes and caption, dark on white.

It is drawn from the same dictionary that Plotly draws in a browser. What a figure has that is not drawn
here is refused, so that a picture never shows less than the page without saying so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from core.figures.parts import Figure
from core.figures.svg.axes import Axis, axes_of, axis_name
from core.figures.svg.bars import bar, numbered
from core.figures.svg.marks import Box, has_scale, notes, scale_of, shapes
from core.figures.svg.text import (
    FAINT_INK,
    FONT,
    GRID,
    INK,
    LETTERS,
    RULE,
    SMALL,
    attribute,
    content,
    lines_of,
    number,
    shortened,
    text_at,
    width_of,
    wrapped,
)
from core.figures.svg.traces import check, dashes, heatmap, painted, scatter

WIDTH, HEIGHT = 760, 430  # pixels
EDGE = 14.0
TITLE, CAPTION, ROW = 16.0, 11.5, 18.0
SAMPLE = 26.0  # of a line in a legend
MOST_NAME = 150.0  # pixels of a name beside an axis


def svg(
    figure: Figure,
    *,
    title: str,
    caption: str = "",
    width: int = WIDTH,
    height: int = HEIGHT,
    key: str = "plot",
) -> str:
    """The picture as text, to be kept as UTF-8.

    Args:
        title: above it, as plain letters, like ``caption``, which stands beneath it and should give the n.
        key: begins the ids within; another for each of several pictures on one page.

    Raises:
        NotImplementedError: the figure has something that would be missing in the picture.
    """
    traces, layout = figure["data"], figure.get("layout", {})
    for trace in traces:
        check(trace)
    traces, layout = numbered(traces, layout)
    axes = axes_of(layout, traces)
    heads = wrapped(title, TITLE, width - 2 * EDGE)
    feet = wrapped(caption, CAPTION, width - 2 * EDGE)
    names = _legend_rows(traces, layout, width - 2 * EDGE)
    top = EDGE + 1.25 * TITLE * len(heads) + ROW * len(names) + 10
    bottom = EDGE + 1.2 * CAPTION * len(feet)
    box = _placed(axes, layout, traces, Box(EDGE, top, width - EDGE, height - bottom))
    pairs = _pairs(axes, traces)
    clips = {pair: f"{key}-{i}" for i, pair in enumerate(pairs)}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" font-family={attribute(FONT)}>',
        f"<title>{content(title)}</title><desc>{content(caption)}</desc>",
        f'<rect width="{width}" height="{height}" fill="#FFFFFF"/>',
        "<defs>",
        *(_clip(axes[x], axes[y], name) for (x, y), name in clips.items()),
        "</defs>",
        text_at(EDGE, EDGE + TITLE, heads, size=TITLE, weight="600", kind="title"),
        *_legend(names, EDGE + 1.25 * TITLE * len(heads) + ROW),
        *(part for x, y in pairs for part in _grid(axes[x], axes[y])),
        *shapes(layout, axes, box, "below"),
        *_drawn(traces, axes, clips),
        *shapes(layout, axes, box, "above"),
        *(part for axis in axes.values() for part in _axis(axis, axes, layout, box)),
        *notes(layout, axes, box),
        *(part for trace in traces if has_scale([trace]) for part in scale_of(trace, box)),
        text_at(EDGE, height - bottom + CAPTION, feet, size=CAPTION, colour=FAINT_INK, kind="caption")
        if feet
        else "",
        "</svg>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _placed(
    axes: Mapping[str, Axis], layout: Mapping[str, Any], traces: Sequence[Mapping[str, Any]], room: Box
) -> Box:
    """Give each axis its place in ``room``; the rectangle that all plots share."""
    ups = [axis for axis in axes.values() if axis.side == "y" and axis.shown]
    alongs = [axis for axis in axes.values() if axis.side == "x" and axis.shown]
    for axis in ups:  # for a first word of how many ticks there will be
        axis.start, axis.end = room.bottom - 40, room.top
    left = room.left + max((_beside(axis) for axis in ups), default=0)
    right = room.right - _right_of_it(layout, traces)
    for axis in alongs:
        axis.start, axis.end = left, right
    bottom = room.bottom - max((_beneath(axis) for axis in alongs), default=0)
    box = Box(left, room.top, right, bottom)
    for axis in axes.values():
        first, last = axis.settings.get("domain", (0, 1))
        at = box.x if axis.side == "x" else box.y
        axis.start, axis.end = at(first), at(last)
    for axis in axes.values():
        if (other := axis.settings.get("scaleanchor")) is not None:
            _square(axis, axes[f"{other[0]}axis{other[1:]}"])
    return box


def _square(axis: Axis, other: Axis) -> None:
    """Shorten one of two axes, so that a unit is as long on both."""
    units = [abs(each.end - each.start) / abs(each.high - each.low) for each in (axis, other)]
    for each, unit in zip((axis, other), units, strict=True):
        middle, share = (each.start + each.end) / 2, min(units) / unit
        each.start, each.end = middle + (each.start - middle) * share, middle + (each.end - middle) * share


def _beside(axis: Axis) -> float:
    """How much room an upright axis takes at the left."""
    said = [line for _, lines in _labels(axis) for line in lines]
    return (1.6 * LETTERS if axis.title else 0) + max((width_of(line, SMALL) for line in said), default=0) + 8


def _beneath(axis: Axis) -> float:
    """How much room a level axis takes beneath it."""
    labels = _labels(axis)
    widest = max((width_of(line, SMALL) for _, lines in labels for line in lines), default=0.0)
    height = widest + 4 if _is_turned(axis) else 1.3 * SMALL * bool(labels)
    return 8 + height + (1.6 * LETTERS if axis.title else 0)


def _labels(axis: Axis) -> list[tuple[float, list[str]]]:
    if axis.settings.get("showticklabels") is False:
        return []
    return [(at, [shortened(line, SMALL, MOST_NAME) for line in said]) for at, said in axis.ticks()]


def _is_turned(axis: Axis) -> bool:
    """Whether the names at a level axis stand upright, for there is no room beside each other."""
    labels = _labels(axis)
    places = [at for at, _ in labels]
    gap = min((abs(b - a) for a, b in pairwise(places)), default=float("inf"))
    return any(width_of(line, SMALL) > gap - 4 for _, lines in labels for line in lines)


def _right_of_it(layout: Mapping[str, Any], traces: Sequence[Mapping[str, Any]]) -> float:
    """How much room names at the ends of lines and a scale of colours take."""
    names = [
        width_of(line, note.get("font", {}).get("size", SMALL)) + 16
        for note in layout.get("annotations", ())
        if note.get("xref") == "paper" and note["x"] > 1
        for line in lines_of(note["text"])
    ]
    return max([10.0, *names, 58.0 if has_scale(traces) else 0.0])


def _pairs(axes: Mapping[str, Axis], traces: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """The axes that are drawn across each other; of a figure without traces the first two."""
    pairs = [(axis_name(trace, "x"), axis_name(trace, "y")) for trace in traces]
    return list(dict.fromkeys(pairs or [("xaxis", "yaxis")]))


def _clip(x: Axis, y: Axis, name: str) -> str:
    """The area of two axes, and a line's width beyond it at the ends of the level one."""
    left, top = min(x.start, x.end) - 2, min(y.start, y.end) - 2
    size = f'width="{number(abs(x.end - x.start) + 4)}" height="{number(abs(y.end - y.start) + 4)}"'
    return f'<clipPath id="{name}"><rect x="{number(left)}" y="{number(top)}" {size}/></clipPath>'


def _drawn(
    traces: Sequence[Mapping[str, Any]], axes: Mapping[str, Axis], clips: Mapping[tuple[str, str], str]
) -> Iterator[str]:
    before: dict[tuple[str, str], Mapping[str, Any]] = {}
    for trace in traces:
        pair = axis_name(trace, "x"), axis_name(trace, "y")
        x, y = axes[pair[0]], axes[pair[1]]
        if trace["type"] == "heatmap":
            yield heatmap(trace, x, y)
        elif trace["type"] == "bar":
            yield bar(trace, x, y)
        else:
            yield scatter(trace, x, y, before.get(pair), clips[pair])
            before[pair] = trace


def _grid(x: Axis, y: Axis) -> Iterator[str]:
    for axis, across in ((x, y), (y, x)):
        if not axis.shown or axis.settings.get("showgrid") is False:
            continue
        first, last = number(across.start), number(across.end)
        for at, _ in axis.ticks():
            place = number(at)
            ends = (
                f'x1="{place}" y1="{first}" x2="{place}" y2="{last}"'
                if axis.side == "x"
                else f'x1="{first}" y1="{place}" x2="{last}" y2="{place}"'
            )
            yield f'<line class="grid" {ends} stroke="{GRID}"/>'


def _axis(axis: Axis, axes: Mapping[str, Axis], layout: Mapping[str, Any], box: Box) -> Iterator[str]:
    """Its line, numbers and title, at the foot or the left end of the axis that it stands at."""
    if not axis.shown:
        return
    other = axis.settings.get("anchor", {"x": "y", "y": "x"}[axis.side])
    across = axes.get(f"{other[0]}axis{other[1:]}")
    level = axis.side == "x"
    foot = (
        (max(across.start, across.end) if level else min(across.start, across.end))
        if across
        else (box.bottom if level else box.left)
    )
    ends = number(axis.start), number(axis.end), number(foot)
    way = "x1={0} x2={1} y1={2} y2={2}" if level else "y1={0} y2={1} x1={2} x2={2}"
    yield f'<line class="axis" {way.format(*(f"{chr(34)}{end}{chr(34)}" for end in ends))} stroke="{RULE}"/>'
    labels = _labels(axis)
    yield f'<g class="ticks" data-axis="{axis.name}">'
    turned = level and _is_turned(axis)
    for at, said in labels:
        if turned:
            yield text_at(at + 0.35 * SMALL, foot + 6, said, colour=FAINT_INK, anchor="end", turned=True)
        elif level:
            yield text_at(at, foot + 1.3 * SMALL, said, colour=FAINT_INK, anchor="middle")
        else:
            yield text_at(foot - 6, at + 0.35 * SMALL, said, colour=FAINT_INK, anchor="end")
    yield "</g>"
    if axis.title:
        middle, said = (axis.start + axis.end) / 2, lines_of(axis.title)
        kind = f"{axis.name} title"
        if level:
            yield text_at(middle, foot + _beneath(axis) - 6, said, size=LETTERS, anchor="middle", kind=kind)
        else:
            x = foot - _beside(axis) + LETTERS
            yield text_at(x, middle, said, size=LETTERS, anchor="middle", turned=True, kind=kind)


def _legend_rows(
    traces: Sequence[Mapping[str, Any]], layout: Mapping[str, Any], width: float
) -> list[list[tuple[float, str, Mapping[str, Any]]]]:
    """What a legend names, in rows: where each begins, in pixels; its name; the trace."""
    named = [
        each
        for each in traces
        if each.get("name") and each.get("showlegend", True) and ("line" in each or each["type"] == "bar")
    ]
    if not layout.get("showlegend", len(named) > 1):
        return []
    rows: list[list[tuple[float, str, Mapping[str, Any]]]] = [[]]
    at = 0.0
    for trace in named:
        name = shortened(" ".join(lines_of(trace["name"])), SMALL, width - SAMPLE - 8)
        takes = SAMPLE + 8 + width_of(name, SMALL) + 18
        if rows[-1] and at + takes > width + 18:
            rows.append([])
            at = 0.0
        rows[-1].append((at, name, trace))
        at += takes
    return [row for row in rows if row]


def _legend(rows: Sequence[Sequence[tuple[float, str, Mapping[str, Any]]]], top: float) -> Iterator[str]:
    for i, row in enumerate(rows):
        y = top + i * ROW
        for at, name, trace in row:
            line = trace.get("line", {})
            colour = line.get("color") or trace.get("marker", {}).get("color", INK)
            if trace["type"] == "bar":
                place = f'x="{number(EDGE + at)}" y="{number(y - 9)}" width="{number(SAMPLE)}" height="10"'
                yield f"<rect {place} {painted('fill', colour)}/>"
                yield text_at(EDGE + at + SAMPLE + 8, y, [name], kind="legend")
                continue
            dash = line.get("dash", "solid")
            dashed = f' stroke-dasharray="{dashes(dash)}"' if dash != "solid" else ""
            ends = f'x1="{number(EDGE + at)}" x2="{number(EDGE + at + SAMPLE)}"'
            about = f'{painted("stroke", colour)} stroke-width="{number(line.get("width", 2))}"{dashed}'
            yield f'<line {ends} y1="{number(y - 4)}" y2="{number(y - 4)}" {about}/>'
            if "markers" in trace.get("mode", ""):
                dot = painted("fill", colour)
                yield f'<circle cx="{number(EDGE + at + SAMPLE / 2)}" cy="{number(y - 4)}" r="2.5" {dot}/>'
            yield text_at(EDGE + at + SAMPLE + 8, y, [name], kind="legend")
