"""A line of a chart that may grow for a million points and stays a few hundred."""

from __future__ import annotations

from typing import NamedTuple

Point = tuple[float, float]

MAX_POINTS = 500


class Line(NamedTuple):
    """What a chart draws: positions and values of equal length."""

    x: tuple[float, ...]
    y: tuple[float, ...]


EMPTY_LINE = Line((), ())


class ThinnedLine:
    """Keeps of every stretch of points its lowest and its highest, and always the first and the last.

    When there are too many stretches, neighbours are merged in pairs and a stretch is twice as long
    from then on: the whole history stays visible, a spike is never lost, and adding a point costs
    O(1) on average. This is the min-max decimation of oscilloscopes and of M4 (Jugel et al.,
    "M4: A visualization-oriented time series data aggregation", VLDB 2014).
    """

    def __init__(self, max_points: int = MAX_POINTS) -> None:
        assert max_points >= 6
        self._max_stretches = (max_points - 2) // 4 * 2  # even, two points each, beside first and last
        self._stretches: list[tuple[Point, ...]] = []
        self._length = 1  # points in a full stretch
        self._room = 0  # points that the last stretch can still take
        self._ends: tuple[Point, ...] = ()  # the first and the last

    def add(self, x: float, y: float) -> None:
        """Append a point; ``y`` must be finite."""
        point = (x, y)
        self._ends = (*self._ends[:1], point)
        if self._room:
            self._stretches[-1] = _extremes((*self._stretches[-1], point))
        else:
            if len(self._stretches) == self._max_stretches:
                pairs = zip(self._stretches[::2], self._stretches[1::2], strict=True)
                self._stretches = [_extremes(left + right) for left, right in pairs]
                self._length *= 2
            self._stretches.append((point,))
            self._room = self._length
        self._room -= 1

    def cut(self, x: float) -> None:
        """Forget all points beyond ``x``."""
        kept = [tuple(point for point in stretch if point[0] <= x) for stretch in self._stretches]
        self._stretches = [stretch for stretch in kept if stretch]
        self._room = 0
        points = [*self._ends[:1], *(point for stretch in self._stretches for point in stretch)]
        self._ends = (points[0], points[-1]) if self._stretches else ()

    def line(self) -> Line:
        """The points that are kept, in the order they came."""
        points = [point for stretch in self._stretches for point in stretch]
        if points and points[0] is not self._ends[0]:
            points.insert(0, self._ends[0])
        if points and points[-1] is not self._ends[-1]:
            points.append(self._ends[-1])
        return Line(tuple(x for x, _ in points), tuple(y for _, y in points))


def _extremes(points: tuple[Point, ...]) -> tuple[Point, ...]:
    """The lowest and the highest of a few points, in the order they came; one point if they are all alike."""
    values = [y for _, y in points]
    kept = {values.index(min(values)), values.index(max(values))}
    return tuple(points[i] for i in sorted(kept))
