"""The jobs that this server computes: a thread a slot takes one after the other out of the queue.

Each has an executor compute it. Its events are folded into a `History` and written to the store.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from core.files import remove_parts
from core.jobs.executors import Executor, Job
from core.jobs.kinds import is_quick
from core.jobs.limits import NONE, Limits
from core.jobs.queue import Queue
from core.jobs.views import Archive, RunView, queued, view_of
from core.run.checkpoints import newest
from core.run.commands import Control
from core.run.errors import SpecError
from core.run.events import TERMINAL, Event, from_the_start, state
from core.run.history import History, HistoryBuilder, build_history, summary
from core.run.stopping import with_reason
from core.store.artefacts import record
from core.store.folders import shared_folders
from core.store.store import Store, StoredRun, run_folder

log = logging.getLogger(__name__)

POLL_SECONDS = 0.5  # how soon a server takes what another one has queued
STORE_SECONDS = 0.25  # events are written together, this often
MAX_UNSTORED = 10_000  # events that wait for a store that can't be written to
STEPS_IN_FULL = 10_000  # so many `step` events are stored before they are spread out
CLOSING_SECONDS = 5.0
PARK_SECONDS = 20.0  # that a paused run keeps its place while others wait
FREQUENT = ("step", "progress", "row")  # kinds of events that are written together
CLOSED = "Augury was closed before this run had ended."


@dataclass(slots=True, eq=False)
class InHand:
    """A job that is computed here: what changes about it does so under the lock of `Runner`."""

    stored: StoredRun
    started_at: float
    finished_at: float | None = None
    control: Control = field(default_factory=Control)
    builder: HistoryBuilder = field(default_factory=queued)
    view: RunView | None = None  # the latest, while it holds
    unstored: list[tuple[int, Event]] = field(default_factory=lambda: [(1, state("queued"))])
    writing: threading.Lock = field(default_factory=threading.Lock)  # events are written in their order
    stored_at: float = 0.0
    step_stored_at: float = 0.0
    paused_since: float | None = None  # by a person, on the monotonic clock
    trained: float = 0.0  # seconds, before it went on here
    over: str = ""  # why it is ended, though nobody has asked for that
    lost: bool = False  # its lease ran out, and another server has marked it as interrupted
    moved: threading.Event = field(default_factory=threading.Event)  # a step was made, or it has ended
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def id(self) -> str:
        return self.stored.id


class Runner:
    """Computes jobs of the queue, ``queue.slots`` at a time. Any thread may call any method."""

    def __init__(
        self, store: Store, queue: Queue, archive: Archive, executor: Executor, limits: Limits = NONE
    ) -> None:
        self._store = store
        self._queue = queue
        self._archive = archive
        self._executor = executor
        self._limits = limits
        self._folders = shared_folders()
        self._lock = threading.Condition()  # guards what follows; told when a job may be there, or we close
        self._in_hand: dict[str, InHand] = {}
        self._unsaved: list[InHand] = []  # those that have ended, while the store can't be written to
        self._closing = False
        self._woken = False  # something was put into the queue since it was last looked at
        self._threads = [
            threading.Thread(target=self._work, args=(quick,), name=f"jobs-{slot}", daemon=True)
            for quick in (False, True)
            for slot in range(queue.slots(quick))
        ]
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """A job was put into the queue."""
        with self._lock:
            self._woken = True
            self._lock.notify_all()

    def get(self, run_id: str) -> InHand | None:
        """The job, if it is computed here now."""
        with self._lock:
            run = self._in_hand.get(run_id)
            return None if run is None or run.lost else run

    def view(self, run_id: str) -> RunView | None:
        """The job's view, if it is computed here now: the same object until something changes."""
        with self._lock:
            run = self._in_hand.get(run_id)
            if run is None or run.lost:
                return None
            if run.view is None:
                run.view = view_of(run.stored, run.builder.history(), finished_at=run.finished_at)
            return run.view

    def read_again(self, run_id: str) -> None:
        """A person has changed the job's name or notes."""
        run = self.get(run_id)
        stored = self._store.run(run_id) if run else None
        if run is None or stored is None:
            return
        stored = stored.model_copy(update={"started_at": run.started_at})
        with self._lock:
            if stored != run.stored:
                run.stored, run.view = stored, None

    def store_gathered(self) -> None:
        """Write the events that have waited long enough, whether or not another one comes."""
        with self._lock:
            late = [run for run in self._in_hand.values() if run.unstored and not run.lost]
        for run in late:
            if time.monotonic() - run.stored_at >= STORE_SECONDS:
                self._store_events(run)

    def park(self) -> None:
        """Stop what has been paused for long while another job waits for its place; it can go on later."""
        now = time.monotonic()
        with self._lock:
            paused = [
                run
                for run in self._in_hand.values()
                if run.paused_since is not None and now - run.paused_since >= PARK_SECONDS
            ]
        for run in paused:
            if self._queue.waits(is_quick(run.stored.kind)):
                run.control.end("queue")

    def end_overdue(self) -> None:
        """Stop the runs that have had the minutes which their visitors may take. One that had them before it
        went on was started again by a teacher."""
        now = time.time()
        with self._lock:
            for run in self._in_hand.values():
                limits = self._limits.of(run.stored.visitor)
                most = 60 * (limits.minutes or float("inf"))
                if run.trained < most <= run.trained + now - run.started_at and not run.over:
                    run.over = limits.time_over
                    run.control.stop.set()

    def take_commands(self) -> None:
        """Pass on what other servers' visitors ask of the jobs that are computed here."""
        with self._lock:
            controls = {run.id: run.control for run in self._in_hand.values()}
        for run_id, command in self._queue.take_commands(list(controls)):
            with suppress(SpecError):  # from another version, or far too many: the run goes on
                controls[run_id].post(command)

    def renew(self) -> None:
        """Renew the leases of what is computed here, and let go of what is no longer ours."""
        self._save_ended()
        with self._lock:
            ids = [run.id for run in self._in_hand.values() if not run.lost]
        for run_id in self._queue.renew(ids):
            with self._lock:
                run = self._in_hand.get(run_id)
                if run is None:  # it has ended meanwhile
                    continue
                log.warning("The lease of run %s ran out; it is stopped.", run_id)
                run.lost = True
                run.control.stop.set()
            self._archive.changed(run_id)
        for run_id in ids:
            self.read_again(run_id)

    def close(self) -> None:
        """Interrupt what is computed here, and close the executor."""
        with self._lock:
            self._closing = True
            for run in self._in_hand.values():
                run.control.stop.set()
            self._lock.notify_all()
        self._executor.close()
        for thread in self._threads:
            thread.join(CLOSING_SECONDS)
        self._save_ended()

    # The background threads

    def _work(self, quick: bool) -> None:
        """Compute one job of this sort after another until we close."""
        while (run := self._next(quick)) is not None:
            problem = "The run ended without saying why."
            job = Job(run.id, run.stored.spec, run.stored.kind, run.stored.told, run_folder(run.id))
            try:
                self._executor.execute(job, run.control, partial(self._on_event, run))
            except Exception as error:
                log.exception("Run %s could not be computed.", run.id)
                problem = f"Augury could not compute this run: {type(error).__name__}: {error}"
            if run.finished_at is None:
                self._on_event(run, state("failed", problem))
            if not self._conclude(run):
                with self._lock:
                    self._unsaved.append(run)

    def _next(self, quick: bool) -> InHand | None:
        """The job that comes first, now running; None once we are closing."""
        while True:
            with self._lock:
                if self._closing:
                    return None
            try:
                if (run := self._claim(quick)) is not None:
                    return run
            except SQLAlchemyError as error:
                log.warning("The queue could not be read: %s", error)
            except Exception:  # whatever a row says: the jobs behind it still start, once it is mended
                log.exception("The queue could not be read.")
            with self._lock:
                if not self._closing and not self._woken:
                    self._lock.wait(POLL_SECONDS)
                self._woken = False

    def _claim(self, quick: bool) -> InHand | None:
        run_id = self._queue.claim(quick)
        if run_id is None:
            return None
        stored = self._store.run(run_id)
        if stored is None or stored.started_at is None:
            self._queue.mark(run_id, "failed", "What is stored of this run can't be read.")
            return None
        run = InHand(stored, stored.started_at)
        self._bring(run_id)
        if told := self._store.events(run_id):  # it goes on
            run.builder, run.unstored = build_history(told), []
            run.trained = seconds_trained(run.builder.history())
        with self._lock:
            self._take_in(run, state("running"))
            if told and newest(run_folder(run_id)) is None:
                self._take_in(run, from_the_start(run.builder.history().started or {}))
            if self._closing:
                run.control.stop.set()
            self._in_hand[run_id] = run
        self._store_events(run)
        self._archive.changed()
        return run

    def _bring(self, run_id: str) -> None:
        """Have here what another machine has left of a run that goes on, if it can be had."""
        if self._folders is not None:
            try:
                self._folders.fetch(run_id, run_folder(run_id))
            except (OSError, SpecError) as error:
                log.warning("What run %s has left elsewhere can't be read: %s", run_id, error)

    def _on_event(self, run: InHand, event: Event) -> None:
        """Take an event from the executor in, and write what has gathered if it is time to."""
        with self._lock:
            if run.lost or run.builder.knows(event):
                return
            if event["event"] == "state":
                if event["state"] == run.builder.history().state:
                    return  # it is known to be running since it left the queue
                event = with_reason(event, run.control.stopped_by)
                if self._closing and event["state"] in TERMINAL and event["state"] != "finished":
                    event = state("interrupted", CLOSED)
                elif run.over and event["state"] == "stopped":
                    event = state("stopped", f"{run.over} {event.get('reason', '')}".strip())
            self._take_in(run, event)
        if event["event"] not in FREQUENT or time.monotonic() - run.stored_at >= STORE_SECONDS:
            self._store_events(run)
        if event["event"] == "state" and event["state"] not in TERMINAL:
            self._guarded(run, self._queue.mark, run.id, event["state"], event.get("reason", ""))
        if event["event"] == "artefact":
            self._guarded(run, record, self._store.engine, run.id, event)

    def _take_in(self, run: InHand, event: Event) -> None:
        """Fold an event, under the lock; `_store_events` writes it later, without."""
        now = time.time()
        run.builder.add(event, now)
        run.view = None
        if event["event"] == "state":
            by_a_person = event["state"] == "paused" and not event.get("reason")
            run.paused_since = time.monotonic() if by_a_person else None
            if event["state"] in TERMINAL:
                run.finished_at = now
                run.moved.set()
        if event["event"] in ("step", "progress"):
            run.moved.set()
            # At first every step is stored; later they are spread ever wider, so that a day's run
            # stores some 50,000, all of them as fine as a chart of the whole can show.
            if now - run.step_stored_at < (now - run.started_at) / STEPS_IN_FULL:
                return
            run.step_stored_at = now
        if event["event"] != "batch":
            run.unstored.append((run.builder.version, event))

    def _conclude(self, run: InHand) -> bool:
        """A job has ended: write the rest, and remember it as it is. False: the store can't be written to."""
        history = run.builder.history()
        figures = summary(history)
        if not run.lost:
            columns: dict[str, Any] = {"finished_at": run.finished_at, "summary": figures}
            if history.edits:  # it is another job than the one that was asked for
                columns["digest"] = run.stored.digest_with(history.edits)
            if not self._store_events(run):
                return False
            if not self._guarded(run, self._queue.mark, run.id, history.state, history.reason, **columns):
                return False
            if not self._guarded(run, self._remember, run, history.state):
                return False
        if not run.lost:
            remove_parts(run_folder(run.id))  # its worker may have been killed
        with self._lock:
            self._in_hand.pop(run.id, None)
            self._lock.notify_all()
        self._archive.changed()
        run.moved.set()
        run.done.set()
        return True

    def _remember(self, run: InHand, ended: str) -> None:
        if (stored := self._store.run(run.id)) is not None and stored.state == ended:
            self._archive.remember(stored, run.builder)

    # Writing. A job that can't be stored for now, because the disk is full, is still worth watching.

    def _save_ended(self) -> None:
        with self._lock:
            unsaved, self._unsaved = self._unsaved, []
        for run in unsaved:
            if not self._conclude(run):
                with self._lock:
                    self._unsaved.append(run)

    def _store_events(self, run: InHand) -> bool:
        with run.writing:
            with self._lock:
                gathered, run.unstored = run.unstored, []
            run.stored_at = time.monotonic()
            if self._guarded(run, self._store.append, run.id, gathered):
                return True
            with self._lock:
                run.unstored = (gathered + run.unstored)[-MAX_UNSTORED:]
            return False

    def _guarded(self, run: InHand, write: Any, *arguments: Any, **columns: Any) -> bool:
        """Write something; False, and a line in the log, if the store can't be written to now."""
        try:
            write(*arguments, **columns)
        except SQLAlchemyError as error:
            log.warning("Something of run %s could not be stored yet: %s", run.id, error)
            return False
        return True


def seconds_trained(history: History) -> float:
    """How long the epochs took that a run has ended."""
    return float(sum(epoch.get("seconds") or 0.0 for epoch in history.epochs))
