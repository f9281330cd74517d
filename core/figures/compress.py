"""What smaller networks lose: accuracy against what each costs, a network and all that was made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.figures.parts import NEUTRAL, PENALTY, SPARSITY, TRAIN, VALIDATION, plain_layout
from core.figures.probes import Chart
from core.measure.counted import wilson
from core.text.escape import plain_html
from core.text.shares import in_full

AXES: Mapping[str, tuple[str, str]] = {  # a field of `Cost`, and its unit
    "Numbers left": ("left", "learned and not 0, in thousands"),
    "Bytes": ("bytes", "kB of its smaller file, plain or packed"),
    "Multiply-adds": ("multiply_adds", "thousands an image"),
    "Time": ("time", "% of the original's time an image, measured side by side"),
}
_SCALE = {"left": 1e-3, "bytes": 1e-3, "multiply_adds": 1e-3, "time": 100.0}


@dataclass(frozen=True, slots=True)
class Cost:
    """A network: how good it is, and what it costs; None: that was not measured.

    Args:
        kind: ``original``, how it was made of it, or ``other``: another run on the same images.
        accuracy: on ``images`` validation images.
        left: its learned numbers that are not 0.
        bytes: of the smaller of the files that it can be taken away as: plain weights, or packed.
        packed: whether that is the packed one.
        time: of an image, as a share of the original's in the same measurement; ``time_low`` to ``time_high``
            is the middle half of the rounds.
        microseconds: an image of many, where it was made.
    """

    id: str
    name: str
    kind: str
    accuracy: float
    images: int
    left: int | None = None
    bytes: int | None = None
    packed: bool = False
    multiply_adds: int | None = None
    time: float | None = None
    time_low: float | None = None
    time_high: float | None = None
    microseconds: float | None = None

    def ends(self, field: str) -> tuple[float, float]:
        """Between which the figure lies: what was counted is what it is."""
        value = getattr(self, field)
        if field != "time" or self.time_low is None or self.time_high is None:
            return value, value
        return self.time_low, self.time_high


_COLOURS = {"original": TRAIN, "other": NEUTRAL}


def front(points: Sequence[Cost], field: str) -> list[Cost]:
    """Those that no other beats in both, from the cheapest to the dearest. A network that can't be told to be
    cheaper than one that is as good is no step of the front."""

    def beaten(point: Cost) -> bool:
        high = point.ends(field)[1]
        return any(
            other.ends(field)[0] <= high
            and (other.accuracy, -getattr(other, field)) > (point.accuracy, -getattr(point, field))
            for other in points
        )

    best = {(getattr(p, field), p.accuracy): p for p in points if not beaten(p)}
    return [best[at] for at in sorted(best)]


def smallest(points: Sequence[Cost], lost: float) -> Cost | None:
    """Of the networks that were made of the first point's and are at most ``lost`` less accurate, the one
    with the smallest file, if it is smaller than the original's."""
    original = points[0]
    good = [
        point
        for point in points
        if point.kind == "made" and point.bytes and point.accuracy >= original.accuracy - lost - 1e-9
    ]
    best = min(good, key=lambda point: (point.bytes or 0, -point.accuracy), default=None)
    return best if best is not None and original.bytes and (best.bytes or 0) < original.bytes else None


def chart(points: Sequence[Cost], axis: str, shown: str) -> Chart | None:
    """A point a network, with the interval of its accuracy, and the front; None: none has this figure.

    Args:
        axis: one of `AXES`.
        shown: the id of the run that the page is about.
    """
    field, unit = AXES[axis]
    known = [point for point in points if getattr(point, field) is not None]
    if not known:
        return None
    scale = _SCALE[field]
    best = front(known, field)
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "front",
            "x": [scale * getattr(point, field) for point in best],
            "y": [100 * point.accuracy for point in best],
            "line": {"color": SPARSITY, "width": 2, "shape": "hv"},
            "hoverinfo": "skip",
        }
    ]
    for kind in dict.fromkeys(point.kind for point in known):
        those = [point for point in known if point.kind == kind]
        colour = _COLOURS.get(kind, VALIDATION)
        ends = [wilson(round(point.accuracy * point.images), point.images) for point in those]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": {"other": "other runs", "made": "made of it"}.get(kind, kind),
                "x": [scale * getattr(point, field) for point in those],
                "y": [100 * point.accuracy for point in those],
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": [100 * (high - p.accuracy) for p, (_, high) in zip(those, ends, strict=True)],
                    "arrayminus": [100 * (p.accuracy - low) for p, (low, _) in zip(those, ends, strict=True)],
                    "color": colour,
                    "thickness": 1,
                },
                **_across(those, field, scale, colour),
                "marker": {
                    "color": colour,
                    "size": [14 if point.id == shown else 9 for point in those],
                    "line": {"color": PENALTY, "width": [2 if point.id == shown else 0 for point in those]},
                },
                "ids": [point.id for point in those],
                "customdata": [plain_html(point.name) for point in those],
                "hovertemplate": f"%{{customdata}}<br>%{{x:,.4~g}} {unit}<br>%{{y:.1f}} %<extra></extra>",
            }
        )
    layout = plain_layout("validation accuracy (%)")
    layout["hovermode"] = "closest"
    layout["xaxis"] |= {"title": {"text": f"{axis.lower()} ({unit})"}, "rangemode": "tozero"}
    said = "; ".join(
        f"{point.name}: {in_full(point.accuracy, point.images)} at {scale * getattr(point, field):,.4g}"
        for point in known
        if point.kind != "other"
    )
    return Chart({"data": traces, "layout": layout}, f"Accuracy against {axis.lower()} ({unit}). {said}.")


def _across(points: Sequence[Cost], field: str, scale: float, colour: str) -> dict[str, Any]:
    """Whiskers along the x axis, where a figure was measured in rounds."""
    if field != "time":
        return {}
    ends = [point.ends(field) for point in points]
    values = [getattr(point, field) for point in points]
    return {
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [scale * max(0.0, high - x) for x, (_, high) in zip(values, ends, strict=True)],
            "arrayminus": [scale * max(0.0, x - low) for x, (low, _) in zip(values, ends, strict=True)],
            "color": colour,
            "thickness": 1,
        }
    }
