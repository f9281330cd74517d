"""`Jobs`: the queue of runs, who computes them, and what every page sees of them.

A background thread a slot takes the run that has waited longest and has it computed. Its events are
folded into a `History`, written to the store, and shown to any number of pages as `RunView` values.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from core.jobs.executors import Executor, make_executor
from core.jobs.views import Archive, RunView
from core.run.commands import Control
from core.run.errors import SpecError
from core.run.events import TERMINAL, Event, state
from core.run.history import HistoryBuilder, summary
from core.run.spec import RunSpec
from core.store.store import Store, StoredRun, run_folder

log = logging.getLogger(__name__)

MAX_WAITING = 100  # a class of 30 starts a few each
STORE_SECONDS = 0.25  # events are written together, this often
MAX_UNSTORED = 10_000  # events that wait for a store that can't be written to
STEPS_IN_FULL = 10_000  # so many `step` events are stored before they are spread out
CLOSING_SECONDS = 5.0
CLOSED = "Augury was closed before this run had ended."


@dataclass(slots=True, eq=False)
class _Run:
    """A run in hand: what changes about it does so under the lock of `Jobs`."""

    id: str
    spec: RunSpec
    created_at: float
    started_at: float | None = None
    finished_at: float | None = None
    control: Control = field(default_factory=Control)
    fold: HistoryBuilder = field(default_factory=HistoryBuilder)
    view: RunView | None = None  # the latest, while it holds
    unstored: list[tuple[int, Event]] = field(default_factory=list)
    stored_at: float = 0.0
    step_stored_at: float = 0.0
    moved: threading.Event = field(default_factory=threading.Event)  # a step was made, or it has ended
    done: threading.Event = field(default_factory=threading.Event)


class Jobs:
    """Runs wait their turn, are computed one a slot, and can be seen by everyone.

    Marks the runs that a process left behind as interrupted. Any thread may call any method.

    Args:
        slots: how many runs are computed at a time. On a CPU more than one gains nothing, for each
            uses all cores.
    """

    def __init__(self, store: Store, executor: Executor, slots: int = 1) -> None:
        self._store = store
        self._executor = executor
        self._archive = Archive(store)
        self._lock = threading.Condition()  # guards what follows; told when a run waits or we close
        self._in_hand: dict[str, _Run] = {}  # queued and running, in the order they came
        self._waiting: deque[_Run] = deque()
        self._closing = False
        store.interrupt_orphans()
        self._threads = [
            threading.Thread(target=self._work, name=f"jobs-{slot}", daemon=True) for slot in range(slots)
        ]
        for thread in self._threads:
            thread.start()
        atexit.register(self.close)

    def submit(self, spec: RunSpec) -> str:
        """Put a run in the queue; its id.

        Raises:
            SpecError: too many are waiting, the store can't be written to, or Augury is closing.
        """
        run = _Run(uuid.uuid4().hex, spec, created_at=time.time())
        with self._lock:
            if self._closing:
                raise SpecError("", "Augury is closing; start it again to train.")
            if len(self._waiting) >= MAX_WAITING:
                raise SpecError("", f"{MAX_WAITING} runs are waiting already; stop one, or try later.")
        try:
            self._store.create(run.id, spec, run.created_at)
        except SQLAlchemyError as error:
            cause = getattr(error, "orig", error)
            raise SpecError("", f"The run could not be stored: {cause}; is the disk full?") from error
        with self._lock:
            self._in_hand[run.id] = run
            self._take_in(run, state("queued"))
            too_late = self._closing  # since it was looked at above
            if too_late:
                self._take_in(run, state("interrupted", CLOSED))
            else:
                self._waiting.append(run)
                self._lock.notify()
        if too_late:
            self._conclude(run)
        return run.id

    def stop(self, run_id: str) -> None:
        """End a run: one that waits never starts, one that runs stops within a batch. One that has
        ended, or that another process has in hand, is left alone."""
        with self._lock:
            run = self._in_hand.get(run_id)
            if run is None:
                return
            run.control.stop.set()
            if run not in self._waiting:
                return
            self._waiting.remove(run)
            self._take_in(run, state("stopped", "It was stopped before it began."))
        self._conclude(run)

    def view(self, run_id: str) -> RunView | None:
        """A run as it is now, wherever it is or was computed; None if there is no such run. While
        nothing changes it is the same object, and equal ``(id, version)`` draw equal charts."""
        with self._lock:
            if run := self._in_hand.get(run_id):
                return self._view_of(run)
        return self._archive.view(run_id)

    def live(self) -> list[RunView]:
        """The runs in hand, those that run first, then those that wait, in their order."""
        with self._lock:
            views = [self._view_of(run) for run in self._in_hand.values()]
        return [view for view in views if not view.ended]

    def recent(self, limit: int = 50) -> list[StoredRun]:
        """The newest runs in the store, without their histories, the newest first."""
        return self._store.runs(limit)

    def wait(self, run_id: str, timeout: float | None = None) -> RunView | None:
        """Wait until a run in hand has ended and is stored; its view then."""
        with self._lock:
            run = self._in_hand.get(run_id)
        if run is not None:
            run.done.wait(timeout)
        return self.view(run_id)

    def wait_for_step(self, run_id: str, timeout: float | None = None) -> None:
        """Wait until a run in hand has made its first step, or has ended without one."""
        with self._lock:
            run = self._in_hand.get(run_id)
        if run is not None:
            run.moved.wait(timeout)

    def warm(self) -> None:
        """Prepare for the next run, so that it starts at once."""
        self._executor.warm()

    def close(self) -> None:
        """Interrupt what waits and runs, and close the executor; the store stays open."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
            abandoned = list(self._waiting)
            self._waiting.clear()
            for run in abandoned:
                self._take_in(run, state("interrupted", CLOSED))
            for run in self._in_hand.values():
                run.control.stop.set()
            self._lock.notify_all()
        for run in abandoned:
            self._conclude(run)
        self._executor.close()
        for thread in self._threads:
            thread.join(CLOSING_SECONDS)
        atexit.unregister(self.close)

    # The background threads

    def _work(self) -> None:
        """Compute one run after another until we close."""
        while (run := self._next()) is not None:
            self._store_state(run)
            problem = "The run ended without saying why."
            try:
                self._executor.execute(
                    run.id, run.spec, run.control, run_folder(run.id), partial(self._on_event, run)
                )
            except Exception as error:
                log.exception("Run %s could not be computed.", run.id)
                problem = f"Augury could not compute this run: {type(error).__name__}: {error}"
            if run.finished_at is None:
                self._on_event(run, state("failed", problem))
            self._conclude(run)

    def _next(self) -> _Run | None:
        """The run that has waited longest, now running; None once we are closing."""
        with self._lock:
            self._lock.wait_for(lambda: self._waiting or self._closing)
            if self._closing:
                return None
            run = self._waiting.popleft()
            run.started_at = time.time()
            self._take_in(run, state("running"))
            return run

    def _on_event(self, run: _Run, event: Event) -> None:
        """Take an event from the executor in, and write what has gathered if it is time to."""
        with self._lock:
            if event["event"] == "state":
                if event["state"] == run.fold.history().state:
                    return  # it is known to be running since it left the queue
                if self._closing and event["state"] in TERMINAL and event["state"] != "finished":
                    event = state("interrupted", CLOSED)
            self._take_in(run, event)
        if event["event"] != "step" or time.monotonic() - run.stored_at >= STORE_SECONDS:
            self._store_events(run)

    def _take_in(self, run: _Run, event: Event) -> None:
        """Fold an event, under the lock; `_store_events` writes it later, without."""
        now = time.time()
        run.fold.add(event, now)
        run.view = None
        if event["event"] == "state" and event["state"] in TERMINAL:
            run.finished_at = now
            run.moved.set()
        if event["event"] == "step":
            assert run.started_at is not None
            run.moved.set()
            # At first every step is stored; later they are spread ever wider, so that a day's run
            # stores some 50,000, all of them as fine as a chart of the whole can show.
            if now - run.step_stored_at < (now - run.started_at) / STEPS_IN_FULL:
                return
            run.step_stored_at = now
        if event["event"] != "batch":
            run.unstored.append((run.fold.version, event))

    def _conclude(self, run: _Run) -> None:
        """A run has ended: write the rest, and remember it as it is."""
        self._store_events(run)
        self._store_state(run, finished_at=run.finished_at, summary=summary(run.fold.history()))
        with self._lock:
            self._archive.remember(self._view_of(run))
            del self._in_hand[run.id]
        run.done.set()

    def _view_of(self, run: _Run) -> RunView:
        """The run's view, under the lock: the last one if it still holds."""
        position = 0
        if run in self._waiting:
            free = len(self._threads) - (len(self._in_hand) - len(self._waiting))
            position = max(0, self._waiting.index(run) + 1 - free)
        if run.view is None or run.view.position != position:
            run.view = RunView(
                id=run.id,
                spec=run.spec,
                history=run.fold.history(),
                position=position,
                created_at=run.created_at,
                started_at=run.started_at,
                finished_at=run.finished_at,
            )
        return run.view

    # Writing. A run that can't be stored for now, because the disk is full, is still worth watching.

    def _store_events(self, run: _Run) -> None:
        with self._lock:
            gathered, run.unstored = run.unstored, []
        run.stored_at = time.monotonic()
        try:
            self._store.append(run.id, gathered)
        except SQLAlchemyError as error:
            log.warning("Events of run %s could not be stored yet: %s", run.id, error)
            with self._lock:
                run.unstored = (gathered + run.unstored)[-MAX_UNSTORED:]

    def _store_state(self, run: _Run, **columns: Any) -> None:
        with self._lock:
            history = run.fold.history()
        try:
            self._store.set_state(run.id, history.state, history.reason, started_at=run.started_at, **columns)
        except SQLAlchemyError as error:
            log.warning("The state of run %s could not be stored: %s", run.id, error)


def make_jobs() -> Jobs:
    """The runs of this installation, as the environment says: ``AUGURY_HOME``, ``AUGURY_DATABASE_URL``
    and ``AUGURY_EXECUTOR``.

    Raises:
        SpecError: one of them is of no use.
    """
    return Jobs(Store(os.environ.get("AUGURY_DATABASE_URL")), make_executor())
