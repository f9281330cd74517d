"""`Store`: what was run, how it went and who runs it.

Everything that is read back is checked again; a row that can't be believed is left out with a note in
the log, so that no page fails because of it.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import BaseModel, BeforeValidator, ConfigDict, Json, ValidationError

from core.home import home
from core.run.events import MAX_EVENT_BYTES, TERMINAL, Event, State, read_event
from core.run.figures import Summary, Text
from core.run.spec import MAX_SPEC_BYTES, RunSpec, parse
from core.store import owner
from core.store.tables import events, open_database, runs

log = logging.getLogger(__name__)

MAX_EVENTS = 200_000  # a run as `core.jobs` stores it has about 50,000 after a day
MAX_RUNS = 500
MAX_REASON = 2000  # characters

_RUN_ID = re.compile(r"[0-9a-f]{32}")


class StoredRun(BaseModel):
    """One row of ``runs``, believed. Times are seconds since 1970; None: that hasn't happened."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    id: Annotated[str, BeforeValidator(lambda value: _checked_id(value))]
    spec: Annotated[RunSpec, BeforeValidator(lambda value: parse(str(value)))]
    state: State
    reason: Text
    created_at: float
    started_at: float | None
    finished_at: float | None
    summary: Json[Summary] | None

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def ended(self) -> bool:
        return self.state in TERMINAL


def is_run_id(text: object) -> bool:
    """Whether ``text``, which may come from an address, can be a run's id: 32 lower-case hex digits."""
    return isinstance(text, str) and _RUN_ID.fullmatch(text) is not None


def run_folder(run_id: str) -> Path:
    """Where a run's weights lie; not made here."""
    return home() / "runs" / _checked_id(run_id)


class Store:
    """Runs and events in a database; may be used from any thread.

    Args:
        url: an SQLAlchemy address; None: ``augury.db`` in `core.home.home`, as SQLite.

    Raises:
        SpecError: the address is of no use.
    """

    def __init__(self, url: str | None = None) -> None:
        self._engine = open_database(url or f"sqlite:///{home() / 'augury.db'}")
        self._owner = owner.this_process()

    def close(self) -> None:
        self._engine.dispose()

    def create(self, run_id: str, spec: RunSpec, created_at: float) -> None:
        """A new run, queued, owned by this process."""
        row = {
            "id": _checked_id(run_id),
            "name": spec.name,
            "spec": spec.to_json(),
            "state": "queued",
            "created_at": created_at,
            "owner": self._owner,
        }
        with self._engine.begin() as connection:
            connection.execute(sa.insert(runs), row)

    def append(self, run_id: str, numbered: Sequence[tuple[int, Event]]) -> None:
        """Add events, each with its number in the run (rising; there may be gaps)."""
        rows = [
            {"run_id": run_id, "seq": seq, "event": json.dumps(event, allow_nan=False)}
            for seq, event in numbered
        ]
        if rows:
            with self._engine.begin() as connection:
                connection.execute(sa.insert(events), rows)

    def set_state(self, run_id: str, state: State, reason: str = "", **columns: Any) -> None:
        """Change a run's state, and with it any of ``started_at``, ``finished_at`` and ``summary``."""
        if columns.get("summary") is not None:
            columns["summary"] = json.dumps(columns["summary"], allow_nan=False)
        change = sa.update(runs).where(runs.c.id == run_id)
        with self._engine.begin() as connection:
            connection.execute(change.values(state=state, reason=reason[:MAX_REASON], **columns))

    def run(self, run_id: str) -> StoredRun | None:
        """The run with this id, or None: there is none, or its row can't be believed."""
        if not is_run_id(run_id):
            return None
        found = self._read_runs(_believable_size().where(runs.c.id == run_id))
        return found[0] if found else None

    def runs(self, limit: int = 50) -> list[StoredRun]:
        """The newest runs, the newest first; at most 500."""
        newest = _believable_size().order_by(runs.c.created_at.desc(), runs.c.id)
        return self._read_runs(newest.limit(max(0, min(limit, MAX_RUNS))))

    def events(self, run_id: str) -> list[tuple[int, Event]]:
        """A run's events with their numbers, in order."""
        wanted = (
            sa.select(events.c.seq, events.c.event)
            .where(events.c.run_id == run_id, sa.func.length(events.c.event) <= MAX_EVENT_BYTES)
            .order_by(events.c.seq)
            .limit(MAX_EVENTS)
        )
        numbered: list[tuple[int, Event]] = []
        unreadable = 0
        with self._engine.connect() as connection:
            for seq, text in connection.execute(wanted):
                try:
                    numbered.append((int(seq), read_event(text)))
                except (ValueError, TypeError):
                    unreadable += 1
        if unreadable:
            log.warning("%d events of run %s can't be read and are left out.", unreadable, run_id)
        return numbered

    def last_number(self, run_id: str) -> int:
        """The number of a run's latest event; 0 if it has none."""
        latest = sa.select(sa.func.max(events.c.seq)).where(events.c.run_id == run_id)
        with self._engine.connect() as connection:
            return int(connection.execute(latest).scalar() or 0)

    def interrupt_orphans(self) -> list[str]:
        """Mark the runs whose process is gone as interrupted, and say which they were."""
        one_machine = self._engine.dialect.name == "sqlite"
        unfinished = runs.c.state.not_in(TERMINAL)
        with self._engine.connect() as connection:
            owners = connection.execute(sa.select(runs.c.owner).where(unfinished).distinct()).scalars()
            gone = [name for name in owners if not owner.is_alive(str(name), one_machine=one_machine)]
        orphans = sa.and_(unfinished, runs.c.owner.in_(gone))
        with self._engine.begin() as connection:
            ids = [str(id) for id in connection.execute(sa.select(runs.c.id).where(orphans)).scalars()]
        for run_id in ids:
            reason = "The server stopped during this run; train again to have it whole."
            self.set_state(run_id, "interrupted", reason, finished_at=time.time())
        return ids

    def _read_runs(self, wanted: sa.Select[Any]) -> list[StoredRun]:
        with self._engine.connect() as connection:
            rows = connection.execute(wanted).mappings().all()
        found = []
        for row in rows:
            try:
                found.append(StoredRun.model_validate(dict(row)))
            except ValidationError as error:
                first = error.errors(include_url=False, include_input=False)[0]
                log.warning("A stored run is left out: %s: %s", first["loc"], first["msg"])
        return found


def _believable_size() -> sa.Select[Any]:
    """The columns of a run, for rows short enough to be real."""
    columns = [runs.c[name] for name in StoredRun.model_fields]
    return sa.select(*columns).where(
        sa.func.length(runs.c.spec) <= MAX_SPEC_BYTES,
        sa.func.length(runs.c.reason) <= MAX_REASON,
        sa.func.coalesce(sa.func.length(runs.c.summary), 0) <= MAX_EVENT_BYTES,
    )


def _checked_id(value: Any) -> str:
    if not is_run_id(value):
        raise ValueError("a run's id is 32 hex digits")
    return str(value)
