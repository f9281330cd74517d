"""`Studies`: what pages and the command line ask of studies. A thread drives those that run."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from core.jobs.manager import FROZEN, Jobs
from core.jobs.rights import ITSELF, Asker, check_control
from core.run.errors import SpecError
from core.store.store import Store
from core.store.studies import StoredStudy, StudyStore
from core.study.cells import Cell, Table
from core.study.driver import Driver, table_of
from core.study.questions.catalogue import QUESTIONS
from core.study.spec import Study

log = logging.getLogger(__name__)

STEP_SECONDS = 0.2  # how soon the next cell is begun once one has ended
IDLE_SECONDS = 1.0  # how soon a study is seen that another server was asked for
FRESH_SECONDS = 0.2
MOST_LIVE_OF_VISITOR = 3


@dataclass(frozen=True, slots=True)
class StudyView:
    """A study at one moment.

    Args:
        study: None: this version can't read it, and ``reason`` says why.
        table: its cells by key; ``cells``: those that are wanted so far, in their order.
        result: the answer as far as it is known.
    """

    stored: StoredStudy
    study: Study | None
    table: Table
    cells: tuple[Cell, ...]
    result: Mapping[str, Any]

    @property
    def id(self) -> str:
        return self.stored.id

    @property
    def state(self) -> str:
        return self.stored.state

    @property
    def version(self) -> tuple[object, ...]:
        """Equal for equal views."""
        return self.stored, tuple((key, told.state, told.run_id) for key, told in self.table.items())

    @property
    def title(self) -> str:
        """What it is called: its name, or the question."""
        if self.stored.name:
            return self.stored.name
        return QUESTIONS[self.study.question].title if self.study is not None else "Study"

    @property
    def done(self) -> int:
        """Cells of which nothing more will be known."""
        return sum(
            self.table[cell.key].state in ("done", "failed") for cell in self.cells if cell.key in self.table
        )

    @property
    def runs_in_all(self) -> int:
        """Runs that it comes to at most."""
        return max(self.study.cost().runs, len(self.cells)) if self.study is not None else 0

    @property
    def failed(self) -> list[str]:
        """The keys of the cells that failed."""
        return [
            cell.key
            for cell in self.cells
            if cell.key in self.table and self.table[cell.key].state == "failed"
        ]

    @property
    def runs(self) -> list[str]:
        """The runs that are computed for it now."""
        return [told.run_id for told in self.table.values() if told.state == "runs"]


class Studies:
    """The studies of one database; any thread may call any method.

    Args:
        drives: whether a thread of this process drives them.
    """

    def __init__(self, jobs: Jobs, store: Store, slots: int = 1, drives: bool = True) -> None:
        self._jobs, self._store = jobs, StudyStore(store)
        self._driver = Driver(jobs, store, slots)
        self._lock = threading.RLock()
        self._views: dict[str, tuple[float, StudyView]] = {}
        self._woken = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._drive, name="studies", daemon=True)
        if drives:
            self._thread.start()

    def start(self, study: Study, visitor: str = "", name: str = "") -> str:
        """Begin a study; its id.

        Raises:
            SpecError: the teacher has stopped new starts, the visitor has too many that run, or a limit of
                this server is passed.
        """
        asker = Asker(visitor)
        if visitor and not asker.is_teacher:
            if self._jobs.frozen():
                raise SpecError("", FROZEN)
            mine = sum(each.visitor == visitor for each in self._store.live())
            if mine >= MOST_LIVE_OF_VISITOR:
                raise SpecError("", f"{mine} of your studies are running already; pause one, or wait.")
        self._jobs.limits_of(visitor).check_spec(study.base, trains=True)
        study_id = self._store.create(study.model_dump_json(), name or study.name, visitor)
        self._woken.set()
        return study_id

    def pause(self, study_id: str, asker: Asker = ITSELF, reason: str = "") -> None:
        """Begin nothing more, and stop what runs where it is."""
        stored = self._checked(study_id, asker)
        if stored.state == "running":
            self._store.set_state(study_id, "paused", reason)
            self._driver.withdraw(stored)
            self._forget(study_id)

    def resume(self, study_id: str, asker: Asker = ITSELF) -> None:
        """Go on with one that was paused."""
        stored = self._checked(study_id, asker)
        if stored.state == "paused":
            self._store.set_state(study_id, "running")
            self._forget(study_id)
            self._woken.set()

    def try_again(self, study_id: str, asker: Asker = ITSELF) -> None:
        """Begin the cells anew that failed."""
        self._checked(study_id, asker)
        view = self.view(study_id)
        if view is not None and view.failed:
            self._store.forget(study_id, view.failed)
            self._store.set_state(study_id, "running")
            self._forget(study_id)
            self._woken.set()

    def ask_more(self, study_id: str, study: Study, asker: Asker = ITSELF) -> None:
        """Go on with another version of a study, such as one with a longer grid; what is known stays."""
        self._checked(study_id, asker)
        self._store.set_study(study_id, study.model_dump_json())
        self._forget(study_id)
        self._woken.set()

    def rename(self, study_id: str, name: str, asker: Asker = ITSELF) -> None:
        self._checked(study_id, asker)
        self._store.rename(study_id, name)
        self._forget(study_id)

    def delete(self, study_id: str, asker: Asker = ITSELF) -> None:
        """It is gone from every list, and what ran is stopped; runs that ended stay."""
        stored = self._checked(study_id, asker)
        if stored.state == "running":
            self.pause(study_id, asker)
        self._store.delete(study_id)
        self._forget(study_id)

    def restore(self, study_id: str) -> bool:
        """Bring a deleted one back, paused if it had not finished; False: it is gone."""
        restored = self._store.restore(study_id)
        self._forget(study_id)
        return restored

    def recent(self, limit: int = 50) -> list[StoredStudy]:
        """The newest first."""
        return self._store.recent(limit)

    def running(self) -> list[StudyView]:
        """Those that run, the oldest first."""
        return [view for stored in self._store.live() if (view := self.view(stored.id)) is not None]

    def view(self, study_id: str) -> StudyView | None:
        """A study as it is now: the same object while nothing changes; None if there is none."""
        with self._lock:
            read_at, known = self._views.get(study_id, (0.0, None))
            if known is not None and time.monotonic() - read_at < FRESH_SECONDS:
                return known
            stored = self._store.study(study_id)
            if stored is None:
                self._views.pop(study_id, None)
                return None
            view = self._view(stored)
            if known is not None and known.version == view.version:
                view = known
            self._views[study_id] = time.monotonic(), view
            while len(self._views) > 32:
                self._views.pop(next(iter(self._views)))
            return view

    def wait(self, study_id: str, timeout: float | None = None) -> StudyView | None:
        """Wait until a study does not run any more; its view then."""
        deadline = time.monotonic() + (float("inf") if timeout is None else timeout)
        while True:
            view = self.view(study_id)
            if (
                view is None
                or view.state != "running"
                or time.monotonic() >= deadline
                or self._closing.is_set()
            ):
                return view
            time.sleep(STEP_SECONDS)

    def of_run(self, run_id: str) -> StoredStudy | None:
        """The study that a run was begun for."""
        found = self._store.of_run(run_id)
        return self._store.study(found) if found else None

    def close(self) -> None:
        """Drive nothing any more; what runs goes on, and the next server drives on."""
        self._closing.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(5.0)

    def may_control(self, study_id: str, asker: Asker) -> bool:
        try:
            self._checked(study_id, asker)
        except SpecError:
            return False
        return True

    def _checked(self, study_id: str, asker: Asker) -> StoredStudy:
        stored = self._store.study(study_id)
        if stored is None:
            raise SpecError("", "There is no such study any more.")
        if asker != ITSELF:
            check_control(stored, asker)
        return stored

    def _forget(self, study_id: str) -> None:
        with self._lock:
            self._views.pop(study_id, None)

    def _view(self, stored: StoredStudy) -> StudyView:
        table = table_of(self._store.cells(stored.id))
        try:
            study = self._driver.study_of(stored)
            cells = tuple(self._driver.cells(stored, study, table))
            return StudyView(stored, study, table, cells, study.result(table))
        except SpecError as error:
            return StudyView(stored._replace(reason=stored.reason or str(error)), None, table, (), {})

    def _drive(self) -> None:
        while not self._closing.is_set() and not self._jobs.closed:
            live = False
            try:
                live = self._step_all()
            except SQLAlchemyError as error:
                log.warning("The studies can't be read for now: %s", error)
            except Exception:
                log.exception("The studies can't be driven for now.")
            self._woken.wait(STEP_SECONDS if live else IDLE_SECONDS)
            self._woken.clear()

    def _step_all(self) -> bool:
        live = self._store.live()
        for stored in live:
            if self._closing.is_set():
                return False
            try:
                with self._lock:
                    self._driver.step(stored)
            except SQLAlchemyError as error:
                log.warning("Study %s can't go on for now: %s", stored.id, error)
            except Exception:
                log.exception("Study %s can't go on for now.", stored.id)
        return bool(live)
