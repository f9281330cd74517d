"""What a layout adds to its traces: lines and bands over the plot, notes, the colours' scale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from core.figures.svg.axes import Axis
from core.figures.svg.text import (
    FAINT_INK,
    INK,
    SMALL,
    lines_of,
    number,
    text_at,
)
from core.figures.svg.traces import colour_at, dashes, painted

SCALE = 10.0  # pixels that a scale of colours is wide
STEPS = 40  # colours in it

_SHAPE = {"type", "x0", "x1", "y0", "y1", "xref", "yref", "line", "fillcolor", "layer", "label"}
_NOTE = {
    "text", "x", "y", "xref", "yref", "xanchor", "yanchor", "showarrow", "font", "align",
    "hovertext", "captureevents",
}  # fmt: skip


class Box(NamedTuple):
    """A rectangle in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    def x(self, share: float) -> float:
        return self.left + share * self.width

    def y(self, share: float) -> float:
        """From the bottom."""
        return self.bottom - share * self.height


def shapes(layout: Mapping[str, Any], axes: Mapping[str, Axis], box: Box, layer: str) -> Iterator[str]:
    """The lines and bands of one layer, ``above`` the traces or ``below`` them, with their labels.

    Raises:
        NotImplementedError: one of them can't be drawn as it is meant.
    """
    for shape in layout.get("shapes", ()):
        if shape.get("layer", "above") != layer:
            continue
        if unknown := set(shape) - _SHAPE:
            raise NotImplementedError(f"a shape with {', '.join(sorted(unknown))} is not drawn")
        ends = [_shape_at(shape, axes, box, end) for end in ("x0", "y0", "x1", "y1")]
        x0, y0, x1, y1 = (0.0 if end is None else end for end in ends)
        if None in ends or not _within(min(x0, x1), max(x0, x1), box.left, box.right):
            continue
        yield _outline(shape, x0, y0, x1, y1)
        if label := shape.get("label"):
            yield _label(label, min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1), box)


def notes(layout: Mapping[str, Any], axes: Mapping[str, Axis], box: Box) -> Iterator[str]:
    """The layout's annotations.

    Raises:
        NotImplementedError: one of them has an arrow, or something else that is not drawn.
    """
    for note in layout.get("annotations", ()):
        if unknown := set(note) - _NOTE:
            raise NotImplementedError(f"an annotation with {', '.join(sorted(unknown))} is not drawn")
        if note.get("showarrow", True):
            raise NotImplementedError("an annotation with an arrow is not drawn")
        place = [_note_at(note, axes, box, side) for side in "xy"]
        font, said = note.get("font", {}), lines_of(note["text"])
        size = font.get("size", SMALL)
        anchor = {"left": "start", "right": "end"}.get(note.get("xanchor", ""), "middle")
        y = place[1] + {"top": 0.85, "bottom": -0.2}.get(note.get("yanchor", ""), 0.35) * size
        y = min(y, box.bottom - 3)  # clear of the numbers beneath the plot
        yield text_at(place[0], y, said, size=size, colour=font.get("color", INK), anchor=anchor, kind="note")


def scale_of(trace: Mapping[str, Any], box: Box) -> Iterator[str]:
    """The scale of a heatmap's colours beside the plot; nothing if it wants none."""
    if not trace.get("showscale", True):
        return
    bar = trace.get("colorbar", {})
    low, high, left = trace.get("zmin", 0.0), trace.get("zmax", 1.0), box.right + 16
    step = box.height / STEPS
    for i in range(STEPS):
        colour = painted("fill", colour_at(trace["colorscale"], (i + 0.5) / STEPS))
        top = box.bottom - (i + 1) * step
        yield (
            f'<rect x="{number(left)}" y="{number(top)}" width="{number(SCALE)}" '
            f'height="{number(step + 0.3)}" {colour}/>'
        )
    title = lines_of(bar.get("title", {}).get("text", ""))
    yield text_at(left, box.top - 8, title, colour=FAINT_INK)
    for value in bar.get("tickvals", (low, high)):
        y = box.y((value - low) / (high - low)) + 0.35 * SMALL
        yield text_at(left + SCALE + 4, y, [f"{value:g}"], colour=FAINT_INK)


def has_scale(traces: Sequence[Mapping[str, Any]]) -> bool:
    """Whether there is a scale of colours beside the plot."""
    return any(trace["type"] == "heatmap" and trace.get("showscale", True) for trace in traces)


def _axis(reference: str, axes: Mapping[str, Axis]) -> Axis:
    return axes[f"{reference[0]}axis{reference[1:]}"]


def _shape_at(shape: Mapping[str, Any], axes: Mapping[str, Axis], box: Box, end: str) -> float | None:
    """Of a shape, in values, also on an axis of logarithms."""
    side = end[0]
    reference = shape.get(f"{side}ref", side)
    if reference == "paper":
        return box.x(shape[end]) if side == "x" else box.y(shape[end])
    return _axis(reference, axes).at(shape[end])


def _note_at(note: Mapping[str, Any], axes: Mapping[str, Axis], box: Box, side: str) -> float:
    """Of a note, in an axis' own numbers: on one of logarithms these are its powers of ten."""
    reference = note.get(f"{side}ref", side)
    if reference == "paper":
        return box.x(note["x"]) if side == "x" else box.y(note["y"])
    return _axis(reference, axes).place(note[side])


def _outline(shape: Mapping[str, Any], x0: float, y0: float, x1: float, y1: float) -> str:
    line = shape.get("line", {})
    width = line.get("width", 2)
    stroke = f'{painted("stroke", line.get("color", INK))} stroke-width="{number(width)}"' if width else ""
    if (dash := line.get("dash", "solid")) != "solid":
        stroke += f' stroke-dasharray="{dashes(dash)}"'
    if shape["type"] == "line":
        ends = f'x1="{number(x0)}" y1="{number(y0)}" x2="{number(x1)}" y2="{number(y1)}"'
        return f'<line class="mark" {ends} {stroke}/>'
    if shape["type"] != "rect":
        raise NotImplementedError(f"a shape {shape['type']!r} is not drawn")
    place = f'x="{number(min(x0, x1))}" y="{number(min(y0, y1))}"'
    size = f'width="{number(abs(x1 - x0))}" height="{number(abs(y1 - y0))}"'
    fill = painted("fill", shape["fillcolor"]) if "fillcolor" in shape else 'fill="none"'
    return f'<rect class="mark" {place} {size} {fill} {stroke}/>'


def _label(label: Mapping[str, Any], x0: float, y0: float, x1: float, y1: float, box: Box) -> str:
    """A shape's words: of an upright line beside its upper end, of a band in its lower left corner."""
    size = label.get("font", {}).get("size", SMALL)
    if x1 - x0 < 1:
        right = label.get("xanchor") == "right" or (label.get("xanchor") != "left" and x0 > box.x(0.5))
        anchor, x = ("end", x0 - 4) if right else ("start", x0 + 4)
        return text_at(x, y0 + size, lines_of(label["text"]), size=size, colour=FAINT_INK, anchor=anchor)
    return text_at(x0 + 4, y1 - 4, lines_of(label["text"]), size=size, colour=FAINT_INK)


def _within(low: float, high: float, first: float, last: float) -> bool:
    return high >= first - 0.5 and low <= last + 0.5
