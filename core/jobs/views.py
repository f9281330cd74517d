"""What pages see of a job, and the jobs that are not, or no longer, in this process's hands."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.jobs.queue import Queue
from core.run.edits import applied
from core.run.events import TERMINAL, Event, State, state
from core.run.history import History, HistoryBuilder, Progress
from core.run.spec import RunSpec
from core.store.find import Offered
from core.store.store import Store, StoredRun, is_run_id

MAX_REMEMBERED = 24  # views of ended runs: 2 MB for sixty epochs, 9 MB for a thousand
FRESH_SECONDS = 0.1  # so long what was read of a live run is believed to be the latest
OFFERED_FRESH_SECONDS = 10.0
ENDED_FRESH_SECONDS = 1.0  # of a run that has ended only its name and notes can change


@dataclass(frozen=True, slots=True, eq=False)
class RunView:
    """A job at one moment. Times are seconds since 1970.

    Args:
        position: how many jobs must end before this one starts; 0 for one that starts now, or has started.
        imported_at: when it came from an archive; None: it was computed here.
        waits_for: one sentence: why it waits although its turn has come; empty if there is no such reason.
    """

    id: str
    spec: RunSpec
    history: History
    position: int
    created_at: float
    started_at: float | None
    finished_at: float | None
    kind: str = "train"
    inputs: Mapping[str, Any] = field(default_factory=dict)
    parents: tuple[str, ...] = ()
    group: str | None = None
    visitor: str = ""
    note: str = ""
    tags: tuple[str, ...] = ()
    starred: bool = False
    resumes: int = 0
    control: str | None = field(default=None, repr=False)
    imported_at: float | None = None
    waits_for: str = ""

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def state(self) -> State:
        return self.history.state

    @property
    def reason(self) -> str:
        return self.history.reason

    @property
    def version(self) -> int:
        return self.history.version

    @property
    def ended(self) -> bool:
        return self.history.ended

    @property
    def spec_now(self) -> RunSpec:
        """The spec with the edits that were made."""
        return applied(self.spec, self.history.edits)

    def progress(self, now: float | None = None) -> Progress:
        """How far it is at ``now``; None: at this moment."""
        return self.history.progress(time.time() if now is None else now)


def view_of(run: StoredRun, history: History, position: int = 0, finished_at: float | None = None) -> RunView:
    """A stored job with what happened in it.

    Args:
        finished_at: when it ended, if the store does not know yet.
    """
    return RunView(
        id=run.id,
        spec=run.spec,
        history=history,
        position=position,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=finished_at or run.finished_at,
        kind=run.kind,
        inputs=run.inputs,
        parents=tuple(run.parents),
        group=run.group,
        visitor=run.visitor,
        note=run.note,
        tags=tuple(run.tags),
        starred=run.starred,
        resumes=run.resumes,
        control=run.control,
        imported_at=run.imported_at,
        waits_for=run.reason if run.state == "queued" else "",
    )


def queued() -> HistoryBuilder:
    """The history of a job that waits."""
    builder = HistoryBuilder()
    builder.add(state("queued"))
    return builder


def _is_end(event: Event) -> bool:
    return event["event"] == "state" and event["state"] in TERMINAL


@dataclass(slots=True, eq=False)
class _Known:
    """A job that was read from the store."""

    run: StoredRun
    builder: HistoryBuilder
    view: RunView
    checked: float  # on the monotonic clock; 0: look again

    def is_fresh(self) -> bool:
        seconds = ENDED_FRESH_SECONDS if self.run.ended else FRESH_SECONDS
        return time.monotonic() - self.checked < seconds


class Archive:
    """Views of jobs that are read from the store: those that wait, those that another server runs, and
    those that have ended, the latest of which are remembered. Thirty pages that ask at once read once."""

    def __init__(self, store: Store, queue: Queue) -> None:
        self._store = store
        self._queue = queue
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._known: OrderedDict[str, _Known] = OrderedDict()  # the one used last is last
        self._unfinished: tuple[float, list[RunView]] = (0.0, [])
        self._recent: dict[tuple[int, tuple[str, ...] | None, bool], tuple[float, list[StoredRun]]] = {}
        self._offered: tuple[float, Offered | None] = (0.0, None)
        self._changes = 0  # what was read before the latest is not fresh

    def remember(self, run: StoredRun, builder: HistoryBuilder) -> RunView:
        """Keep a job that has ended here."""
        view = view_of(run, builder.history())
        with self._lock:
            return self._keep(_Known(run, builder, view, time.monotonic()))

    def changed(self, run_id: str | None = None) -> None:
        """Something was just changed: read again what may be another now; None: whatever is alive."""
        with self._lock:
            self._changes += 1
            self._unfinished = (0.0, [])
            self._recent.clear()
            self._offered = (0.0, None)
            for known in self._known.values():
                if known.run.id == run_id or not known.run.ended:
                    known.checked = 0.0

    def view(self, run_id: str) -> RunView | None:
        """A job's view, the same object while nothing changed; None if there is no such job."""
        if not is_run_id(run_id):
            return None
        if view := self._recall(run_id):
            return view
        with self._reading:
            if view := self._recall(run_id):
                return view
            changes = self._changes
            run = self._store.run(run_id)
            if run is None or run.deleted_at is not None:
                with self._lock:
                    self._known.pop(run_id, None)
                return None
            waits = run.state == "queued"
            position = self._queue.position(run) if waits else 0
            return self._read(run, position, changes)

    def unfinished(self) -> list[RunView]:
        """The jobs of all servers that run, in the order they came, then those that wait, in their turn."""
        with self._reading:
            read_at, views = self._unfinished
            if time.monotonic() - read_at < FRESH_SECONDS:
                return views
            changes = self._changes
            runs = self._store.unfinished()
            positions = self._queue.positions(runs)
            views = [self._read(run, positions[run.id], changes) for run in runs]
            views.sort(key=lambda view: view.position)  # what runs has 0, and stays before what starts next
            with self._lock:
                if changes == self._changes:
                    self._unfinished = (time.monotonic(), views)
            return views

    def recent(self, limit: int, kinds: tuple[str, ...] | None, cells: bool) -> list[StoredRun]:
        """The newest jobs, see `Store.runs`; what another server did to them may be a second old."""
        with self._lock:
            read_at, stored = self._recent.get((limit, kinds, cells), (0.0, []))
            changes = self._changes
        if time.monotonic() - read_at < ENDED_FRESH_SECONDS:
            return stored
        stored = self._store.runs(limit, kinds=kinds, cells=cells)
        with self._lock:
            if changes == self._changes:
                self._recent[limit, kinds, cells] = (time.monotonic(), stored)
        return stored

    def offered(self) -> Offered:
        """What runs can be filtered by; what another server did to them may be seconds old."""
        with self._lock:
            read_at, found = self._offered
            changes = self._changes
        if found is not None and time.monotonic() - read_at < OFFERED_FRESH_SECONDS:
            return found
        found = self._store.offered()
        with self._lock:
            if changes == self._changes:
                self._offered = (time.monotonic(), found)
        return found

    def _recall(self, run_id: str) -> RunView | None:
        with self._lock:
            known = self._known.get(run_id)
            if known is None or not known.is_fresh():
                return None
            self._known.move_to_end(run_id)
            return known.view

    def _read(self, run: StoredRun, position: int, changes: int) -> RunView:
        """The view of a job whose row was read after so many changes; only its new events are read."""
        known = self._known.get(run.id)
        builder = known.builder if known else queued()
        # One that had ended may have gone on elsewhere, and ended again, before anybody looked.
        if known is None or known.run != run or not (run.ended and builder.history().ended):
            told = self._store.events(run.id, builder.version if known else 0)
            if told and _is_end(told[-1][1]) and not run.ended:
                told.pop()  # its server is about to write how it ended; shown once that is there, too
            for number, event in told:
                builder.add(event, time.time() if known else None, version=number)
            if run.ended and builder.history().state != run.state:  # its server could not say so itself
                builder.add(state(run.state, run.reason))
        history = builder.history()
        view = known.view if known else None
        same = known is not None and known.run == run
        if view is None or not same or view.history is not history or view.position != position:
            view = view_of(run, history, position)
        read = _Known(run, builder, view, time.monotonic() if changes == self._changes else 0.0)
        with self._lock:
            now = self._known.get(run.id)
            if now is not known and now is not None and now.builder.version >= builder.version:
                return now.view  # it has ended here meanwhile, and was remembered whole
            return self._keep(read)

    def _keep(self, known: _Known) -> RunView:
        """Remember a job, under the lock; its view."""
        self._known[known.run.id] = known
        self._known.move_to_end(known.run.id)
        ended = [run_id for run_id, each in self._known.items() if each.run.ended]
        for run_id in ended[: max(0, len(ended) - MAX_REMEMBERED)]:
            del self._known[run_id]
        return known.view
