"""Studies and their cells in the database; what they mean is not known here."""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from core.store.store import UNDO_SECONDS, Store, is_run_id
from core.store.tables import STUDY_GROUP, cells, runs, studies

MOST_LISTED = 200


def group_of(study_id: str) -> str:
    """The group of a study's runs."""
    return f"{STUDY_GROUP}{study_id}"


def is_of_a_study(group: str | None) -> bool:
    """Whether the run of this group was begun for a study's table."""
    return (group or "").startswith(STUDY_GROUP)


class StoredStudy(NamedTuple):
    """A row of ``studies``. Times are seconds since 1970.

    Args:
        study: JSON, which whoever reads it checks.
        state: ``running``, ``paused`` or ``finished``.
        reason: why it is paused, or what it waits for; empty if there is nothing to say.
    """

    id: str
    name: str
    study: str
    state: str
    reason: str
    visitor: str
    created_at: float
    finished_at: float | None
    control: str | None = None


class StoredCell(NamedTuple):
    """A row of ``cells``; ``figures`` is JSON."""

    key: str
    run_id: str
    state: str
    reason: str
    figures: str | None
    begun_at: float
    reused: bool


class RunRow(NamedTuple):
    """What a study needs to know of a cell's run; ``until`` and ``resumes`` as `StoredRun` has them."""

    state: str
    reason: str
    until: int | None
    resumes: int
    is_deleted: bool


class StudyStore:
    """May be used from any thread, and by several servers at once: what two of them do is done once."""

    def __init__(self, store: Store) -> None:
        self._engine = store.engine

    def create(self, study: str, name: str, visitor: str) -> str:
        """A new study, running; its id."""
        study_id = uuid.uuid4().hex
        row = {
            "id": study_id,
            "name": name[:80],
            "study": study,
            "state": "running",
            "visitor": visitor[:64],
            "created_at": time.time(),
        }
        with self._engine.begin() as connection:
            connection.execute(sa.insert(studies), row)
        return study_id

    def study(self, study_id: str) -> StoredStudy | None:
        """The study, or None: there is none, or it is deleted."""
        if not is_run_id(study_id):
            return None
        found = self._read(_rows().where(studies.c.id == study_id, studies.c.deleted_at.is_(None)))
        return found[0] if found else None

    def recent(self, limit: int = 50) -> list[StoredStudy]:
        """The newest, the newest first."""
        wanted = _rows().where(studies.c.deleted_at.is_(None)).order_by(studies.c.created_at.desc())
        return self._read(wanted.limit(min(limit, MOST_LISTED)))

    def live(self) -> list[StoredStudy]:
        """Those that run, the oldest first."""
        wanted = _rows().where(studies.c.deleted_at.is_(None), studies.c.state == "running")
        return self._read(wanted.order_by(studies.c.created_at).limit(MOST_LISTED))

    def set_state(self, study_id: str, state: str, reason: str = "") -> None:
        finished = time.time() if state == "finished" else None
        self._change(study_id, state=state, reason=reason[:2000], finished_at=finished)

    def set_study(self, study_id: str, study: str) -> None:
        """Ask for more: another grid, and it runs again."""
        self._change(study_id, study=study, state="running", reason="", finished_at=None)

    def rename(self, study_id: str, name: str) -> None:
        self._change(study_id, name=name[:80])

    def delete(self, study_id: str) -> None:
        """It is gone for every list; its runs stay."""
        self._change(study_id, deleted_at=time.time())

    def restore(self, study_id: str) -> bool:
        """Bring a deleted one back, for an hour; False: it is gone."""
        wanted = sa.and_(studies.c.id == study_id, studies.c.deleted_at > time.time() - UNDO_SECONDS)
        with self._engine.begin() as connection:
            return bool(connection.execute(sa.update(studies).where(wanted).values(deleted_at=None)).rowcount)

    def cells(self, study_id: str) -> dict[str, StoredCell]:
        """Its cells by key, those that were begun first first."""
        columns = (
            cells.c.key,
            cells.c.run_id,
            cells.c.state,
            cells.c.reason,
            cells.c.figures,
            cells.c.begun_at,
            cells.c.reused,
        )
        wanted = (
            sa.select(*columns).where(cells.c.study_id == study_id).order_by(cells.c.begun_at, cells.c.key)
        )
        with self._engine.connect() as connection:
            return {str(row.key): StoredCell(*row) for row in connection.execute(wanted)}

    def begin(self, study_id: str, key: str, run_id: str, reused: bool) -> bool:
        """A cell is begun by this run; False: another server has begun it."""
        row = {"study_id": study_id, "key": key, "run_id": run_id, "state": "runs", "begun_at": time.time()}
        try:
            with self._engine.begin() as connection:
                connection.execute(sa.insert(cells), {**row, "reused": reused})
        except IntegrityError:
            return False
        return True

    def set_cell(
        self,
        study_id: str,
        key: str,
        state: str,
        *,
        was: str,
        reason: str = "",
        figures: str | None = None,
    ) -> bool:
        """A cell's new state; False: it was not ``was`` any more."""
        wanted = sa.and_(cells.c.study_id == study_id, cells.c.key == key, cells.c.state == was)
        values = {"state": state, "reason": reason[:2000], "figures": figures}
        with self._engine.begin() as connection:
            return bool(connection.execute(sa.update(cells).where(wanted).values(**values)).rowcount)

    def forget(self, study_id: str, keys: Collection[str]) -> None:
        """Cells that are to be begun anew."""
        wanted = sa.and_(cells.c.study_id == study_id, cells.c.key.in_(keys))
        with self._engine.begin() as connection:
            connection.execute(sa.delete(cells).where(wanted))

    def runs(self, run_ids: Sequence[str]) -> dict[str, RunRow]:
        """How these runs are; one that is not there is left out."""
        if not run_ids:
            return {}
        columns = (
            runs.c.id, runs.c.state, runs.c.reason, runs.c.until, runs.c.resumes, runs.c.deleted_at
        )  # fmt: skip
        with self._engine.connect() as connection:
            found = connection.execute(sa.select(*columns).where(runs.c.id.in_(run_ids))).all()
        return {
            str(row.id): RunRow(
                str(row.state), str(row.reason), row.until, int(row.resumes or 0), row.deleted_at is not None
            )
            for row in found
        }

    def of_run(self, run_id: str) -> str | None:
        """The study that began this run for a cell of its own, if any."""
        wanted = sa.select(cells.c.study_id).where(cells.c.run_id == run_id, cells.c.reused.is_(False))
        with self._engine.connect() as connection:
            found = connection.execute(wanted.limit(1)).scalar()
        return None if found is None else str(found)

    def _change(self, study_id: str, **values: Any) -> None:
        with self._engine.begin() as connection:
            connection.execute(sa.update(studies).where(studies.c.id == study_id).values(**values))

    def _read(self, wanted: sa.Select[Any]) -> list[StoredStudy]:
        with self._engine.connect() as connection:
            return [StoredStudy(*row) for row in connection.execute(wanted)]


def _rows() -> sa.Select[Any]:
    return sa.select(
        studies.c.id,
        studies.c.name,
        studies.c.study,
        studies.c.state,
        studies.c.reason,
        studies.c.visitor,
        studies.c.created_at,
        studies.c.finished_at,
    )
