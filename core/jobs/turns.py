"""Whose job is next, and how many each visitor may have waiting.

A *visitor* is a text ``place/visit``: where the browser is, and which visit of it. One script can begin any
number of visits, but from one place. Next is a job of the place that was served longest ago, there of the
visit that was, and of its jobs the one that has waited longest. Whoever has asked for one run so waits for at
most one of each other place, however many these have asked for. Before all of them come the jobs that a
teacher has put in an order of his own.
"""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from core.run.errors import SpecError

MAX_WAITING = 100  # a class of 30 starts a few each
MAX_OF_VISIT = 10
MAX_OF_PLACE = 30  # … but each visit's first is taken up to
MAX_FIRSTS_OF_PLACE = 60  # for a whole school may come from one address


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job that waits.

    Args:
        group: the study it is part of, if any.
        last: it comes after all that are not so.
        rank: where a teacher has put it: the lowest is first; None: it takes its turn.
    """

    id: str
    created_at: float
    visitor: str = ""
    group: str | None = None
    last: bool = False
    rank: int | None = None


def place_of(visitor: str) -> str:
    return visitor.partition("/")[0]


def in_turn(waiting: Iterable[Waiting], served: Mapping[str, float]) -> list[str]:
    """The ids in the order in which they will start, if no more come.

    Args:
        served: when each visitor's last job started.
    """
    jobs = list(waiting)
    turns = _Turns(served)
    ranked = sorted(
        (job for job in jobs if job.rank is not None),
        key=lambda job: (job.rank or 0, job.created_at, job.id),
    )
    for job in ranked:
        turns.note(job.visitor)
    rest = [job for job in jobs if job.rank is None]
    first = turns.take(job for job in rest if not job.last)
    return [job.id for job in ranked] + first + turns.take(job for job in rest if job.last)


def check_room(
    waiting: Collection[Waiting], visitor: str, group: str | None = None, most: int | None = None
) -> None:
    """Whether one more job of ``visitor`` may wait. The jobs of a group are one: where one waits, so may the
    others. ``""`` has no share of its own.

    Args:
        most: of one visit, if that is another number than `MAX_OF_VISIT`.

    Raises:
        SpecError: too many wait.
    """
    each = {job.group or job.id: job.visitor for job in waiting}
    if group is not None and group in each:
        return
    if len(each) >= MAX_WAITING:
        raise SpecError("", f"{MAX_WAITING} runs are waiting already; stop one, or try later.")
    if not visitor:
        return
    mine = sum(other == visitor for other in each.values())
    near = sum(place_of(other) == place_of(visitor) for other in each.values() if other)
    if mine >= (most or MAX_OF_VISIT):
        raise SpecError("", f"{mine} of your runs are waiting already; stop one, or wait until one starts.")
    if near >= (MAX_OF_PLACE if mine else MAX_FIRSTS_OF_PLACE):
        raise SpecError("", f"{near} runs from your address are waiting already; stop one, or try later.")


class _Turns:
    """Places and visits in the order in which they were served."""

    def __init__(self, served: Mapping[str, float]) -> None:
        self._visits = dict(served)
        self._places: dict[str, float] = {}
        for visitor, at in served.items():
            place = place_of(visitor)
            self._places[place] = max(at, self._places.get(place, at))
        self._now = max(served.values(), default=0.0)

    def note(self, visitor: str) -> None:
        """One of the visitor's jobs starts next."""
        self._now += 1.0
        self._places[place_of(visitor)] = self._visits[visitor] = self._now

    def take(self, jobs: Iterable[Waiting]) -> list[str]:
        """These jobs' ids, each visitor's in their order."""
        of_place: defaultdict[str, dict[str, deque[Waiting]]] = defaultdict(dict)
        for job in sorted(jobs, key=lambda each: (each.created_at, each.id)):
            of_place[place_of(job.visitor)].setdefault(job.visitor, deque()).append(job)
        heap = [(self._key_of_place(visits), place) for place, visits in of_place.items()]
        heapq.heapify(heap)
        order = []
        while heap:
            _, place = heapq.heappop(heap)
            visits = of_place[place]
            visitor = min(visits, key=lambda each: self._key_of_visit(visits[each]))
            order.append(visits[visitor].popleft().id)
            self.note(visitor)
            if not visits[visitor]:
                del visits[visitor]
            if visits:
                heapq.heappush(heap, (self._key_of_place(visits), place))
        return order

    def _key_of_visit(self, jobs: deque[Waiting]) -> tuple[float, float, str]:
        return self._visits.get(jobs[0].visitor, 0.0), jobs[0].created_at, jobs[0].id

    def _key_of_place(self, visits: Mapping[str, deque[Waiting]]) -> tuple[float, float, str]:
        place = place_of(next(iter(visits)))
        first = min(jobs[0].created_at for jobs in visits.values())
        return self._places.get(place, 0.0), first, place
