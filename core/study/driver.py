"""One step of a study: take in what its runs have come to, and begin those that can be begun.

Nothing is kept between two steps but what is in the database. So a study goes on after its server was killed,
and several servers may drive the same one: of two that begin a cell one succeeds.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from core.jobs.manager import RESUMES, Jobs
from core.run.errors import SpecError
from core.run.events import TERMINAL, Event
from core.run.history import History, build_history
from core.store.store import Store
from core.store.studies import RunRow, StoredCell, StoredStudy, StudyStore, group_of
from core.study.cells import Cell, CellFigures, Making, Table, Told
from core.study.spec import Study, parse_study
from core.transform.plan import Asked
from core.transform.rows import Costs, rows_of

log = logging.getLogger(__name__)

AHEAD = 3  # jobs that wait at a time: no slot is idle, and others' runs take their turn between them
LOST_SECONDS = 5.0  # after which a cell is begun again whose server was killed before it had put it in
NOT_MADE = "What it would be made of has failed."
GONE = "Its run is not there any more."
UNREADABLE = "What is stored of this study can't be read by this version."


def table_of(stored: Mapping[str, StoredCell]) -> dict[str, Told]:
    """A study's cells as its question reads them."""
    return {key: _told(cell) for key, cell in stored.items()}


def _told(cell: StoredCell) -> Told:
    figures = None
    if cell.state == "done":
        try:
            figures = CellFigures.model_validate_json(cell.figures or "")
        except ValidationError:
            return Told("failed", cell.run_id, None, "What is stored of it can't be read.", cell.reused)
    state = cell.state if cell.state in ("runs", "paused", "done", "failed") else "failed"
    return Told(state, cell.run_id, figures, cell.reason, cell.reused)  # type: ignore[arg-type]


class Driver:
    """Drives studies.

    Args:
        slots: how many jobs are computed at a time by all servers that take from this queue.
    """

    def __init__(self, jobs: Jobs, store: Store, slots: int = 1) -> None:
        self._jobs, self._store = jobs, store
        self._studies = StudyStore(store)
        self._ahead = slots + AHEAD
        self._parsed: dict[str, tuple[str, Study]] = {}
        self._wanted: dict[str, tuple[Table, Study, list[Cell]]] = {}

    def step(self, stored: StoredStudy) -> bool:
        """One step of a study that runs; whether all of it is done."""
        try:
            study = self.study_of(stored)
        except SpecError as error:
            log.warning("Study %s can't be read: %s", stored.id, error)
            self._studies.set_state(stored.id, "paused", f"{UNREADABLE} {error}")
            return False
        cells = self._studies.cells(stored.id)
        self._take_in(stored, study, cells)
        cells = self._studies.cells(stored.id)
        wanted = self.cells(stored, study, table_of(cells))
        alive = sum(cell.state == "runs" for cell in cells.values())
        said = ""
        for cell in wanted:
            known = cells.get(cell.key)
            if known is not None and known.state == "paused":
                self._go_on(stored, cell, known)
                alive += 1
            elif known is None and alive < self._ahead:
                try:
                    alive += self._begin(stored, cell, cells)
                except SpecError as error:  # too many wait, the teacher has stopped new starts …
                    said = str(error)
                    break
        if said != stored.reason:
            self._studies.set_state(stored.id, "running", said)
        known_now = self._studies.cells(stored.id)
        over = all(
            cell.key in known_now and known_now[cell.key].state in ("done", "failed") for cell in wanted
        )
        if not over or len(self.cells(stored, study, table_of(known_now))) > len(wanted):
            return False
        self._studies.set_state(stored.id, "finished")
        return True

    def withdraw(self, stored: StoredStudy) -> None:
        """End what waits, and stop what runs, of a study that was paused; all of it can go on."""
        cells = self._studies.cells(stored.id)
        for cell in sorted(cells.values(), key=lambda each: -each.begun_at):  # what waits first
            if cell.state == "runs" and not cell.reused:
                self._studies.set_cell(stored.id, cell.key, "paused", was="runs")
                self._jobs.stop(cell.run_id)

    def study_of(self, stored: StoredStudy) -> Study:
        """What a stored study asks.

        Raises:
            SpecError: it can't be read by this version.
        """
        known = self._parsed.get(stored.id)
        if known is None or known[0] != stored.study:
            known = self._parsed[stored.id] = stored.study, parse_study(stored.study)
        return known[1]

    def cells(self, stored: StoredStudy, study: Study, table: Table) -> list[Cell]:
        """`Study.cells`, remembered while nothing that counts has changed."""
        settled = {key: told for key, told in table.items() if told.state in ("done", "failed")}
        known = self._wanted.get(stored.id)
        if known is None or known[0] != settled or known[1] is not study:
            known = self._wanted[stored.id] = settled, study, study.cells(table)
        return known[2]

    def _take_in(self, stored: StoredStudy, study: Study, cells: Mapping[str, StoredCell]) -> None:
        running = {key: cell for key, cell in cells.items() if cell.state == "runs"}
        found = self._studies.runs([cell.run_id for cell in running.values()])
        wanted = {cell.key: cell for cell in self.cells(stored, study, table_of(cells))}
        for key, known in running.items():
            cell, run = wanted.get(key), found.get(known.run_id)
            if cell is None:  # of a grid that was asked for before
                self._studies.set_cell(
                    stored.id, key, "failed", was="runs", reason="It is not wanted any more."
                )
            elif run is None:
                if time.time() - known.begun_at > LOST_SECONDS:
                    self._studies.forget(stored.id, [key])
            else:
                self._settle(stored.id, cell, known, run)

    def _settle(self, study_id: str, cell: Cell, known: StoredCell, run: RunRow) -> None:
        """Write down what a cell has come to, if its run has ended."""
        if run.is_deleted:
            self._studies.set_cell(study_id, cell.key, "failed", was="runs", reason=GONE)
            return
        if run.state == "interrupted" and run.resumes > 0:
            return  # it goes on by itself
        if run.state not in TERMINAL:
            return
        ended = run.state in ("finished", "stopped")
        figures = figures_at(self._store.events(known.run_id), cell) if ended else None
        if figures is None:
            reason = run.reason or "It has no figures."
            self._studies.set_cell(study_id, cell.key, "failed", was="runs", reason=reason)
            return
        self._studies.set_cell(study_id, cell.key, "done", was="runs", figures=figures.model_dump_json())

    def _begin(self, stored: StoredStudy, cell: Cell, cells: Mapping[str, StoredCell]) -> bool:
        """Begin a cell; whether a job of it waits now.

        Raises:
            SpecError: it can't be begun now.
        """
        if cell.made is not None:
            return self._make(stored, cell, cell.made, cells)
        if cell.follows is not None:
            before = cells.get(cell.follows)
            if before is None or not self._studies.begin(stored.id, cell.key, before.run_id, before.reused):
                return False
            return self._promote(stored, cell, before)
        if (there := self._jobs.already(cell.spec)) is not None:
            self._studies.begin(stored.id, cell.key, there.id, True)
            return False
        run_id = uuid.uuid4().hex
        if not self._studies.begin(stored.id, cell.key, run_id, False):
            return False
        try:
            self._submit(stored, cell, run_id)
        except SpecError:
            self._studies.forget(stored.id, [cell.key])
            raise
        return True

    def _make(self, stored: StoredStudy, cell: Cell, made: Making, cells: Mapping[str, StoredCell]) -> bool:
        """Begin a cell whose network is made of others', if those are there; whether a job waits now.

        Raises:
            SpecError: it can't be begun now.
        """
        before = [cells[key] for key in made.of if key in cells]
        if any(each.state == "failed" for each in before):
            self._studies.begin(stored.id, cell.key, uuid.uuid4().hex, False)
            self._studies.set_cell(stored.id, cell.key, "failed", was="runs", reason=NOT_MADE)
            return False
        if len(before) < len(made.of) or any(each.state != "done" for each in before):
            return False
        asked = asked_for(cell, made, [each.run_id for each in before])
        if (there := self._jobs.already_made(made.how, asked)) is not None:
            self._studies.begin(stored.id, cell.key, there.id, True)
            return False
        run_id = uuid.uuid4().hex
        if not self._studies.begin(stored.id, cell.key, run_id, False):
            return False
        told = {"visitor": stored.visitor, "group": group_of(stored.id), "run_id": run_id}
        try:
            self._jobs.make(made.how, asked, **told, resumes=RESUMES)
        except SpecError as error:
            if error.where:  # it is about this cell, and another try would end alike
                self._studies.set_cell(stored.id, cell.key, "failed", was="runs", reason=error.what)
                return False
            self._studies.forget(stored.id, [cell.key])
            raise
        return True

    def _submit(self, stored: StoredStudy, cell: Cell, run_id: str) -> None:
        self._jobs.submit(
            cell.spec,
            visitor=stored.visitor,
            group=group_of(stored.id),
            run_id=run_id,
            until=cell.until,
            resumes=RESUMES,
        )

    def _promote(self, stored: StoredStudy, cell: Cell, before: StoredCell) -> bool:
        """The run of the rung before goes on; whether it does."""
        run = self._studies.runs([before.run_id]).get(before.run_id)
        if run is None or run.is_deleted:
            self._studies.set_cell(stored.id, cell.key, "failed", was="runs", reason=GONE)
            return False
        if run.state == "finished":
            return False
        return self._jobs.go_on(before.run_id, cell.until)

    def _go_on(self, stored: StoredStudy, cell: Cell, known: StoredCell) -> None:
        """A cell that was paused goes on."""
        if self._studies.set_cell(stored.id, cell.key, "runs", was="paused"):
            run = self._studies.runs([known.run_id]).get(known.run_id)
            if run is None or (cell.made is not None and not cell.epochs and run.state == "stopped"):
                self._studies.forget(stored.id, [cell.key])  # the second is made anew, which takes a moment
            elif run.state == "stopped" and not _has_reached(self._store.events(known.run_id), cell):
                self._jobs.go_on(known.run_id, cell.until)


def _has_reached(events: list[tuple[int, Event]], cell: Cell) -> bool:
    return any(event["event"] == "epoch" and event["epoch"] >= cell.epochs for _, event in events)


def figures_at(events: list[tuple[int, Event]], cell: Cell) -> CellFigures | None:
    """What a run had come to at the cell's epoch, as its events say; at its end it is the epoch that stands
    for it, which early stopping may have chosen. None: it did not come so far, and did not end by itself
    either."""
    history = build_history(events).history()
    epochs = {event["epoch"]: event for event in history.epochs}
    if cell.until is None:
        if history.state != "finished":
            return None
        event = history.result
    else:
        event = epochs.get(cell.until)
        if event is None and history.state == "finished" and epochs:
            event = epochs[max(epochs)]  # it ended early, by a regulariser's choice
    if event is None:
        return None
    sparsity, started = event["sparsity"], history.started or {}
    trained = [each for each in history.epochs if cell.until is None or each["epoch"] <= cell.until]
    return CellFigures(
        accuracy=event["validation_accuracy"],
        loss=event["validation_loss"],
        train_accuracy=event.get("clean_accuracy", event["train_accuracy"]),
        train_loss=event.get("clean_loss", event["train_loss"]),
        zeros=sparsity["exact"],
        epochs=trained[-1]["epoch"],
        epoch=event["epoch"],
        images=history.validation_images,
        seconds=sum(float(each.get("seconds") or 0.0) for each in trained),
        calibration_error=event.get("calibration_error"),
        parameters=started.get("parameters"),
        **_costs(history),
    )


def _costs(history: History) -> dict[str, Any]:
    """What a network that was made of others costs, and the first of those."""
    rows = {row.place: row for row in rows_of(history, "costs", Costs)}
    own, before = rows.get(None), rows.get(0)
    if own is None or before is None:
        return {}
    return {
        "bytes": own.smallest_file,
        "bytes_before": before.smallest_file,
        "multiply_adds": own.multiply_adds,
        "multiply_adds_before": before.multiply_adds,
        "times": own.times,
    }


def asked_for(cell: Cell, made: Making, sources: Sequence[str]) -> Asked:
    """The job of a cell whose network is made of these runs'."""
    return Asked(
        sources=tuple(sources),
        params=dict(made.params),
        train=made.train,
        model=made.model,
        name=cell.spec.name,
    )


def already_there(jobs: Jobs, cells: list[Cell]) -> list[str]:
    """The keys of those of these cells that finished runs answer already."""
    begun = [cell for cell in cells if cell.follows is None and cell.made is None]
    return [cell.key for cell in begun if jobs.already(cell.spec) is not None]
