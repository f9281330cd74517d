"""Every run as a point: how sparse it became, and how accurate it stayed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.figures.parts import NEUTRAL, OTHERS, SPARSITY, TRAIN, VALIDATION, Figure, plain_layout
from core.models.catalogue import ARCHITECTURES
from core.text.escape import plain_html
from core.text.shares import in_full, percent

ARCHITECTURE_COLOURS = (TRAIN, VALIDATION, *OTHERS[1:3])


BAND = 0.25  # of accuracy below the best: what lies lower would press the rest into one line


@dataclass(frozen=True, slots=True)
class RunPoint:
    """A run that has finished.

    Args:
        words: its spec, for a person.
        accuracy, exact: validation accuracy and the share of exact zeros of the saved weights, in [0, 1].
        images, weights: of how many they are; None: that was not kept.
    """

    id: str
    name: str
    words: str
    arch: str
    accuracy: float
    exact: float
    images: int | None = None
    weights: int | None = None

    @property
    def figures(self) -> str:
        """E.g. ``96.3 % (963 of 1,000; 95–97) accuracy, 80.1 % of 421,642 weights are zero``."""
        of = f"of {self.weights:,} weights are" if self.weights else "of the weights are"
        return f"{in_full(self.accuracy, self.images)} accuracy, {percent(self.exact)} {of} zero"


def front(points: Sequence[RunPoint]) -> list[RunPoint]:
    """The runs that no other beats in both, from the least sparse to the sparsest (the Pareto front)."""
    best: list[RunPoint] = []
    for point in sorted(points, key=lambda each: (-each.exact, -each.accuracy)):
        if not best or point.accuracy > best[-1].accuracy:
            best.append(point)
    return best[::-1]


def in_sight(points: Sequence[RunPoint]) -> list[RunPoint]:
    """Those that are not so far below the best that the picture leaves them out at first: a network that
    guesses may have every weight zero, and nobody wants it."""
    floor = max(point.accuracy for point in points) - BAND
    return [point for point in points if point.accuracy >= floor]


def out_of_sight(points: Sequence[RunPoint]) -> int:
    """How many runs are left out at first."""
    return len(points) - len(in_sight(points))


def sparsity_and_accuracy(points: Sequence[RunPoint], shown: str | None = None) -> Figure:
    """A point a run, coloured by architecture, the front as a line, and a ring around the run ``shown``.

    A front is drawn among those `in_sight`. A point's id is its run's, so that a click can open it. There
    is at least one.
    """
    best = front(in_sight(points))
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "front",
            "x": [100 * point.exact for point in best],
            "y": [100 * point.accuracy for point in best],
            # As sparse as the next and as accurate as this: nothing in between has been seen.
            "line": {"color": SPARSITY, "width": 2, "shape": "vh"},
            "hoverinfo": "skip",
        }
    ]
    known = [entry.title for entry in ARCHITECTURES.values()]  # so that an architecture keeps its colour
    for arch in sorted({point.arch for point in points}):
        i = known.index(arch) if arch in known else len(known)
        those = [point for point in points if point.arch == arch]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": plain_html(arch),
                "x": [100 * point.exact for point in those],
                "y": [100 * point.accuracy for point in those],
                "ids": [point.id for point in those],
                "text": [
                    f"<b>{plain_html(point.name)}</b><br>{_broken(point.words)}<br>{point.figures}"
                    for point in those
                ],
                "marker": {
                    "color": ARCHITECTURE_COLOURS[i % len(ARCHITECTURE_COLOURS)],
                    "opacity": 1,
                    "size": [13 if point.id == shown else 9 for point in those],
                    "line": {
                        "color": "var(--st-text-color)",
                        "width": [2 if point.id == shown else 0 for point in those],
                    },
                },
                "hovertemplate": "%{text}<extra></extra>",
            }
        )
    layout = plain_layout("validation accuracy (%)") | {"hovermode": "closest", "uirevision": "runs"}
    layout["xaxis"] |= {"title": {"text": "exact zeros (% of weights)"}, "range": [-3, 103]}
    accuracies = [100 * point.accuracy for point in in_sight(points)]
    room = 0.5 + 0.08 * (max(accuracies) - min(accuracies))
    layout["yaxis"] |= {"range": [min(accuracies) - room, max(accuracies) + room]}
    layout["hoverlabel"] = {"align": "left", "bordercolor": NEUTRAL}
    return {"data": traces, "layout": layout}


def _broken(words: str) -> str:
    """A spec's parts under each other: one line of all would be wider than a telephone."""
    return plain_html(words).replace(" · ", "<br>")
