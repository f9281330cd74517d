"""The traces of a figure: lines with gaps, markers, fills, error bars, texts, cells and bars."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from core.figures.svg.axes import Axis, edges
from core.figures.svg.text import INK, SMALL, attribute, lines_of, number, text_at

Point = tuple[float, float]

DASHES = {
    "dash": (9, 6), "dot": (3, 3), "dashdot": (9, 4, 3, 4), "longdash": (15, 6), "longdashdot": (15, 4, 3, 4),
}  # fmt: skip
OFFSET = 5.0  # pixels between a marker and its text
CAP = 4.0  # half the width of an error bar's ends

_ON_SCREEN = {"hovertemplate", "hoverinfo", "hoveron", "customdata", "ids"}  # what a picture has not
_COMMON = {"type", "name", "x", "y", "xaxis", "yaxis", "opacity", "showlegend", *_ON_SCREEN}
_KNOWN = {
    "scatter": _COMMON | {
        "mode", "line", "marker", "cliponaxis", "fill", "fillcolor", "text", "textposition", "textfont",
        "error_y",
    },
    "heatmap": _COMMON | {
        "z", "zmin", "zmax", "colorscale", "colorbar", "showscale", "xgap", "ygap", "text",
    },
    "bar": _COMMON | {"orientation", "marker"},
}  # fmt: skip
_LINE = {"color", "width", "dash", "shape", "smoothing"}
_MARKER = {"color", "size", "symbol", "opacity", "line"}
_SHAPES = {"linear", "hv", "vh", "spline"}
_RGBA = re.compile(r"rgba?\(\s*([\d.]+)\s*,\s*([\d.]+)\s*,\s*([\d.]+)\s*(?:,\s*([\d.]+)\s*)?\)")


def check(trace: Mapping[str, Any]) -> None:
    """
    Raises:
        NotImplementedError: a part of it would not be drawn, and the picture be another than the figure.
    """
    kind = trace.get("type")
    if kind not in _KNOWN:
        raise NotImplementedError(f"a trace of type {kind!r} is not drawn")
    line, marker = trace.get("line", {}), trace.get("marker", {})
    unknown = (set(trace) - _KNOWN[kind]) | (set(line) - _LINE) | (set(marker) - _MARKER)
    if unknown or line.get("shape", "linear") not in _SHAPES:
        raise NotImplementedError(f"a {kind} with {', '.join(sorted(unknown)) or line['shape']} is not drawn")
    if marker.get("symbol", "circle") not in ("circle", "square", "diamond"):
        raise NotImplementedError(f"a marker {marker['symbol']!r} is not drawn")


def scatter(trace: Mapping[str, Any], x: Axis, y: Axis, before: Mapping[str, Any] | None, clip: str) -> str:
    """One of type ``scatter``.

    Args:
        before: the trace before it on the same axes, to which it may be filled.
        clip: the id of the area that lines and fills are cut at.
    """
    line, marker = trace.get("line", {}), trace.get("marker", {})
    mode = trace.get("mode", "lines")
    pieces = pieces_of(trace, x, y)
    colour = line.get("color") or marker.get("color") or INK
    parts = []
    if fill := trace.get("fill"):
        area = _area(fill, trace, before, x, y)
        parts.append(f'<path d="{area}" {painted("fill", trace.get("fillcolor", colour))} stroke="none"/>')
    if "lines" in mode and line.get("width", 2) > 0:
        dash = f' stroke-dasharray="{dashes(line["dash"])}"' if line.get("dash", "solid") != "solid" else ""
        about = f'{painted("stroke", colour)} stroke-width="{number(line.get("width", 2))}"{dash}'
        drawn = " ".join(_path(piece, line) for piece in pieces if len(piece) > 1)
        if drawn:
            parts.append(f'<path class="line" d="{drawn}" fill="none" stroke-linejoin="round" {about}/>')
    clipped = f'<g clip-path="url(#{clip})">{"".join(parts)}</g>' if parts else ""
    over = [*_error_bars(trace, x, y), *(_markers(trace, x, y) if "markers" in mode else ())]
    over += _texts(trace, x, y) if "text" in mode else ()
    opacity = f' opacity="{trace["opacity"]:g}"' if trace.get("opacity", 1) != 1 else ""
    name = attribute(" ".join(lines_of(trace.get("name", ""))))
    return f'<g class="trace" data-name={name}{opacity}>{clipped}{"".join(over)}</g>'


def heatmap(trace: Mapping[str, Any], x: Axis, y: Axis) -> str:
    """One of type ``heatmap``: a cell a value; one that is missing has no colour."""
    rows: Sequence[Sequence[float | None]] = trace["z"]
    columns = edges(trace.get("x") or range(len(rows[0])))
    borders = edges(trace.get("y") or range(len(rows)))
    known = [value for row in rows for value in row if value is not None]
    low, high = trace.get("zmin", min(known, default=0)), trace.get("zmax", max(known, default=1))
    gaps = trace.get("xgap", 0), trace.get("ygap", 0)
    cells = []
    for j, row in enumerate(rows):
        for i, value in enumerate(row):
            if value is None:
                continue
            share = (value - low) / (high - low) if high > low else 0.0
            sides = _span(x, columns[i : i + 2], gaps[0]), _span(y, borders[j : j + 2], gaps[1])
            (left, width), (top, height) = sides
            place = f'x="{number(left)}" y="{number(top)}" width="{number(width)}" height="{number(height)}"'
            cells.append(f"<rect {place} {painted('fill', colour_at(trace['colorscale'], share))}/>")
    name = attribute(" ".join(lines_of(trace.get("name", ""))))
    return f'<g class="cells" data-name={name} shape-rendering="crispEdges">{"".join(cells)}</g>'


def colour_at(scale: Sequence[Sequence[Any]], share: float) -> str:
    """The colour of a scale at a share of it, as ``rgba(…)``."""
    share = min(max(share, 0.0), 1.0)
    for (a, first), (b, last) in pairwise(scale):
        if share <= b:
            part = (share - a) / (b - a) if b > a else 0.0
            mixed = [p + (q - p) * part for p, q in zip(_rgba(first), _rgba(last), strict=True)]
            return f"rgba({round(mixed[0])},{round(mixed[1])},{round(mixed[2])},{mixed[3]:.4g})"
    return str(scale[-1][1])


def pieces_of(trace: Mapping[str, Any], x: Axis, y: Axis) -> list[list[Point]]:
    """Its points in pixels, in pieces between its gaps."""
    pieces: list[list[Point]] = [[]]
    for value in zip(trace["x"], trace["y"], strict=True):
        at = x.at(value[0]), y.at(value[1])
        if at[0] is None or at[1] is None:
            pieces.append([])
        else:
            pieces[-1].append((at[0], at[1]))
    return [piece for piece in pieces if piece]


def dashes(dash: str) -> str:
    """A dash of Plotly's, by name or as ``4px,2px``, as SVG has it."""
    if dash in DASHES:
        return " ".join(map(str, DASHES[dash]))
    return " ".join(part.removesuffix("px") for part in dash.split(","))


def _path(points: Sequence[Point], line: Mapping[str, Any]) -> str:
    shape = line.get("shape", "linear")
    if shape == "spline" and len(points) > 2:
        return _smooth(points, line.get("smoothing", 1.0))
    said = [f"M{_at(points[0])}"]
    for (x0, y0), (x1, y1) in pairwise(points):
        if corner := {"hv": (x1, y0), "vh": (x0, y1)}.get(shape):
            said.append(f"L{_at(corner)}")
        said.append(f"L{_at((x1, y1))}")
    return " ".join(said)


def _smooth(points: Sequence[Point], smoothing: float) -> str:
    """Through all points on curves of Catmull and Rom, centripetal, as Plotly draws a spline."""
    triples = zip(points, points[1:], points[2:], strict=False)
    bends = [_bend(before, here, after, smoothing) for before, here, after in triples]
    said = [f"M{_at(points[0])} Q{_at(bends[0][0])} {_at(points[1])}"]
    said += [
        f"C{_at(last[1])} {_at(bend[0])} {_at(point)}"
        for (last, bend), point in zip(pairwise(bends), points[2:], strict=False)
    ]
    said.append(f"Q{_at(bends[-1][1])} {_at(points[-1])}")
    return " ".join(said)


def _bend(before: Point, here: Point, after: Point, smoothing: float) -> tuple[Point, Point]:
    """The controls on both sides of a point."""
    d1, d2 = (before[0] - here[0], before[1] - here[1]), (after[0] - here[0], after[1] - here[1])
    a1, a2 = math.hypot(*d1) ** 0.5, math.hypot(*d2) ** 0.5
    way = [(a2 * a2 * p - a1 * a1 * q) * smoothing for p, q in zip(d1, d2, strict=True)]
    first, last = 3 * a2 * (a1 + a2), 3 * a1 * (a1 + a2)
    return (
        (here[0] + (way[0] / first if first else 0), here[1] + (way[1] / first if first else 0)),
        (here[0] - (way[0] / last if last else 0), here[1] - (way[1] / last if last else 0)),
    )


def _at(point: Point) -> str:
    return f"{number(point[0])} {number(point[1])}"


def _area(fill: str, trace: Mapping[str, Any], before: Mapping[str, Any] | None, x: Axis, y: Axis) -> str:
    """The outline of what is filled."""
    line, pieces = trace.get("line", {}), pieces_of(trace, x, y)
    if fill == "toself":
        return " ".join(f"{_path(piece, line)} Z" for piece in pieces)
    if fill == "tozeroy":
        foot = y.at(0.0)
        ground = y.start if foot is None else foot
        return " ".join(
            f"{_path(piece, line)} L{number(piece[-1][0])} {number(ground)} L{number(piece[0][0])} "
            f"{number(ground)} Z"
            for piece in pieces
        )
    if fill == "tonexty":
        there = [point for piece in pieces for point in piece]
        back = [point for piece in (pieces_of(before, x, y) if before else []) for point in piece]
        return f"{_path([*there, *reversed(back)], {})} Z" if there and back else ""
    raise NotImplementedError(f"a fill {fill!r} is not drawn")


def _markers(trace: Mapping[str, Any], x: Axis, y: Axis) -> Iterator[str]:
    marker = trace.get("marker", {})
    if marker.get("opacity", 1) == 0:
        return
    for i, (px, py) in _seen(trace, x, y):
        size, edge = _each(marker.get("size", 6), i), marker.get("line", {})
        drawn = painted("fill", _each(marker.get("color", INK), i))
        if width := _each(edge.get("width", 0), i):
            own = str(edge.get("color", INK))  # of a theme it is ink here
            drawn += f" {painted('stroke', INK if own.startswith('var(') else own)}"
            drawn += f' stroke-width="{number(width)}"'
        half = size / 2
        if marker.get("symbol", "circle") == "circle":
            yield f'<circle cx="{number(px)}" cy="{number(py)}" r="{number(half)}" {drawn}/>'
            continue
        turn = f' transform="rotate(45 {number(px)} {number(py)})"' if marker["symbol"] == "diamond" else ""
        corner = f'x="{number(px - half)}" y="{number(py - half)}"'
        yield f'<rect {corner} width="{number(size)}" height="{number(size)}"{turn} {drawn}/>'


def _error_bars(trace: Mapping[str, Any], x: Axis, y: Axis) -> Iterator[str]:
    if not (bars := trace.get("error_y")):
        return
    downs = bars.get("arrayminus", bars["array"])
    for i, (px, _) in _seen(trace, x, y):
        top, foot = y.at(trace["y"][i] + bars["array"][i]), y.at(trace["y"][i] - downs[i])
        if top is None or foot is None:
            continue
        ends = " ".join(f"M{number(px - CAP)} {number(end)} h{number(2 * CAP)}" for end in (top, foot))
        way = f"M{number(px)} {number(foot)} V{number(top)} {ends}"
        about = f'{painted("stroke", bars.get("color", INK))} stroke-width="1.5"'
        yield f'<path class="error" d="{way}" fill="none" {about}/>'


def _texts(trace: Mapping[str, Any], x: Axis, y: Axis) -> Iterator[str]:
    font = trace.get("textfont", {})
    size = font.get("size", SMALL)
    up, _, along = trace.get("textposition", "middle center").partition(" ")
    for i, (px, py) in _seen(trace, x, y):
        said = lines_of(_each(trace["text"], i))
        if not "".join(said).strip():
            continue
        away = OFFSET if "markers" in trace["mode"] and trace["marker"].get("opacity", 1) else 1.0
        px += {"right": away, "left": -away}.get(along, 0.0)
        py += {"top": -away, "bottom": away + 0.8 * size}.get(up, 0.35 * size)
        anchor = {"right": "start", "left": "end"}.get(along, "middle")
        yield text_at(px, py, said, size=size, colour=font.get("color", INK), anchor=anchor)


def _seen(trace: Mapping[str, Any], x: Axis, y: Axis) -> Iterator[tuple[int, Point]]:
    """The points that lie within both axes, with their numbers."""
    for i, value in enumerate(zip(trace["x"], trace["y"], strict=True)):
        px, py = x.at(value[0]), y.at(value[1])
        if px is not None and py is not None and x.reaches(px) and y.reaches(py):
            yield i, (px, py)


def _each(setting: Any, i: int) -> Any:
    """A setting that is one for all points, or one each."""
    return setting[i] if isinstance(setting, list | tuple) else setting


def _span(axis: Axis, ends: Sequence[float], gap: float) -> tuple[float, float]:
    """Where a cell begins on an axis, and how long it is, in pixels, less a gap."""
    first, last = sorted(axis.place(end) for end in ends)
    return first + gap / 2, max(0.0, last - first - gap)


def _rgba(colour: str) -> tuple[float, float, float, float]:
    if found := _RGBA.fullmatch(colour):
        red, green, blue, alpha = found.groups(default="1")
        return float(red), float(green), float(blue), float(alpha)
    return (*(float(int(colour[i : i + 2], 16)) for i in (1, 3, 5)), 1.0)  # type: ignore[return-value]


def painted(what: str, colour: str) -> str:
    """A colour as attributes; what is half transparent has an opacity of its own, for older readers."""
    if not colour.startswith(("#", "rgb")):
        raise NotImplementedError(f"a colour {colour!r} is not drawn")
    if not (found := _RGBA.fullmatch(colour)):
        return f"{what}={attribute(colour)}"
    red, green, blue, alpha = found.groups(default="1")
    solid = f'{what}="rgb({red},{green},{blue})"'
    return solid if float(alpha) == 1 else f'{solid} {what}-opacity="{float(alpha):g}"'
