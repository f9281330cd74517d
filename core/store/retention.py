"""What is removed from disk, and when: deleted runs after an hour, old files when there are too many.

Never touched: what runs, waits, is starred, or is what a run in the queue starts from.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from core.home import home
from core.run.checkpoints import KEPT, LAST, START
from core.run.errors import SpecError
from core.run.events import TERMINAL
from core.store.artefacts import Artefacts
from core.store.folders import shared_folders
from core.store.store import UNDO_SECONDS, Store, is_run_id, run_folder
from core.store.tables import artefacts, commands, events, runs

log = logging.getLogger(__name__)

RUNS_BYTES = 8 << 30  # what runs may leave on disk together, unless AUGURY_RUNS_BYTES says otherwise
MAX_PASSING = 2000  # quick looks whose rows are kept: some 100 MB, if all were full of pictures
MAX_PURGED = 1000  # at a time
STALE_SECONDS = 3600.0  # a file that was begun and not touched for so long is nobody's
CHECKPOINTS = (LAST, START, f"{KEPT}/*.safetensors")
WEIGHTS = "weights.safetensors"
IMPORTING = "importing.part"  # in the folder of a run that is being imported (core.store.imported)


class Removable(NamedTuple):
    """Something that makes room, of a run."""

    bytes: int
    remove: Callable[[], None]


def runs_bytes() -> int:
    """How much runs may leave on disk.

    Raises:
        SpecError: ``AUGURY_RUNS_BYTES`` is no number of bytes.
    """
    chosen = os.environ.get("AUGURY_RUNS_BYTES", "")
    if not chosen:
        return RUNS_BYTES
    if not chosen.isdecimal():
        raise SpecError("AUGURY_RUNS_BYTES", f"{chosen!r} is not a number of bytes, like 8589934592.")
    return int(chosen)


def sweep(store: Store, kept: Artefacts, now: float | None = None, passing: Collection[str] = ()) -> None:
    """Remove what nobody can miss, then the oldest files until the rest fits.

    Args:
        passing: kinds of jobs of which only the latest are kept.
    """
    now = time.time() if now is None else now
    purge_deleted(store, kept, now)
    purge_passing(store, kept, passing)
    _remove_unfinished(store, kept, now)
    make_room(store, kept, runs_bytes())


def purge_deleted(store: Store, kept: Artefacts, now: float) -> None:
    """Remove the runs that were deleted more than an hour ago: rows, folder, artefacts."""
    old = sa.select(runs.c.id).where(runs.c.deleted_at < now - UNDO_SECONDS, runs.c.state.in_(TERMINAL))
    _purge(store, kept, old)


def purge_passing(store: Store, kept: Artefacts, kinds: Collection[str], most: int = MAX_PASSING) -> None:
    """Remove the jobs of these kinds, but the latest ``most`` and those that a person has starred."""
    old = sa.select(runs.c.id).where(
        runs.c.kind.in_(kinds), runs.c.state.in_(TERMINAL), sa.not_(runs.c.starred)
    )
    _purge(store, kept, old.order_by(runs.c.created_at.desc(), runs.c.id).limit(MAX_PURGED).offset(most))


def _purge(store: Store, kept: Artefacts, old: sa.Select[Any]) -> None:
    """Remove runs: rows, folder, artefacts."""
    with store.engine.connect() as connection:
        ids = [str(run_id) for run_id in connection.execute(old).scalars()]
    for run_id in ids:
        forget_artefacts(store, kept, run_id)
        with store.engine.begin() as connection:
            for table in (events, commands):
                connection.execute(sa.delete(table).where(table.c.run_id == run_id))
            connection.execute(sa.delete(runs).where(runs.c.id == run_id))
        if is_run_id(run_id):
            shutil.rmtree(run_folder(run_id), ignore_errors=True)
            if (shared := shared_folders()) is not None:
                shared.forget(run_id)


def forget_artefacts(store: Store, kept: Artefacts, run_id: str) -> None:
    """Remove a run's artefacts, but not content that another run has, too."""
    with store.engine.begin() as connection:
        mine = sa.select(artefacts.c.digest).where(artefacts.c.run_id == run_id)
        digests = set(connection.execute(mine).scalars())
        connection.execute(sa.delete(artefacts).where(artefacts.c.run_id == run_id))
        others = sa.select(artefacts.c.digest).where(artefacts.c.digest.in_(digests))
        digests -= set(connection.execute(others).scalars())
    for digest in digests:
        with suppress(ValueError):
            kept.remove(str(digest))


def make_room(store: Store, kept: Artefacts, most: int) -> None:
    """Remove of the oldest ended runs first their checkpoints, then weights, then artefacts, until all that
    runs have left is at most ``most`` bytes."""
    size = sum(_bytes_of(path) for path in (home() / "runs").rglob("*.*")) + _artefact_bytes(store)
    if size <= most:
        return
    ids = _oldest_ended(store)
    for step in (
        *(_files(run_id, CHECKPOINTS) for run_id in ids),
        *(_files(run_id, (WEIGHTS,)) for run_id in ids),
        *(_artefacts_of(store, kept, run_id) for run_id in ids),
    ):
        if size <= most:
            return
        if step.bytes:
            step.remove()
            size -= step.bytes


def bytes_of_place(store: Store, place: str) -> int:
    """What the runs of one place, as `core.jobs.turns` has it, have left on disk; the deleted ones not."""
    theirs = sa.select(runs.c.id).where(
        runs.c.visitor.startswith(f"{place}/", autoescape=True), runs.c.deleted_at.is_(None)
    )
    left = sa.select(sa.func.coalesce(sa.func.sum(artefacts.c.bytes), 0)).where(
        artefacts.c.run_id.in_(theirs)
    )
    with store.engine.connect() as connection:
        ids = [str(run_id) for run_id in connection.execute(theirs).scalars()]
        size = int(connection.execute(left).scalar_one())
    folders = (run_folder(run_id) for run_id in ids if is_run_id(run_id))
    return size + sum(_bytes_of(path) for folder in folders for path in folder.rglob("*.*"))


def _oldest_ended(store: Store) -> list[str]:
    """The runs whose files may go, the oldest first."""
    needed: set[str] = set()
    for run in store.unfinished():
        needed |= set(run.parents) | {value for value in run.inputs.values() if isinstance(value, str)}
    wanted = sa.select(runs.c.id, runs.c.digest).where(runs.c.state.in_(TERMINAL), sa.not_(runs.c.starred))
    with store.engine.connect() as connection:
        rows = connection.execute(wanted.order_by(runs.c.created_at)).all()
    return [str(row.id) for row in rows if is_run_id(row.id) and not {row.id, row.digest} & needed]


def _files(run_id: str, patterns: Collection[str]) -> Removable:
    paths = [path for pattern in patterns for path in run_folder(run_id).glob(pattern)]

    def remove() -> None:
        for path in paths:
            path.unlink(missing_ok=True)
        if (shared := shared_folders()) is not None:
            shared.keep(run_id, run_folder(run_id))

    return Removable(sum(_bytes_of(path) for path in paths), remove)


def _artefacts_of(store: Store, kept: Artefacts, run_id: str) -> Removable:
    mine = sa.select(sa.func.coalesce(sa.func.sum(artefacts.c.bytes), 0)).where(artefacts.c.run_id == run_id)
    with store.engine.connect() as connection:
        size = int(connection.execute(mine).scalar_one())
    return Removable(size, lambda: forget_artefacts(store, kept, run_id))


def _artefact_bytes(store: Store) -> int:
    """What all artefacts take; content that several runs have counts once."""
    once = sa.select(artefacts.c.digest, sa.func.max(artefacts.c.bytes).label("bytes"))
    each = once.group_by(artefacts.c.digest).subquery()
    with store.engine.connect() as connection:
        return int(connection.execute(sa.select(sa.func.coalesce(sa.func.sum(each.c.bytes), 0))).scalar_one())


def _remove_unfinished(store: Store, kept: Artefacts, now: float) -> None:
    """Remove what a process that was killed had begun to write."""
    kept.remove_unfinished(now - STALE_SECONDS)
    for part in list((home() / "runs").rglob("*.part")):  # a folder may go meanwhile
        with suppress(FileNotFoundError):
            if part.stat().st_mtime < now - STALE_SECONDS:
                if part.name == IMPORTING and not has_row(store, part.parent.name):
                    shutil.rmtree(part.parent, ignore_errors=True)
                part.unlink()


def has_row(store: Store, run_id: str) -> bool:
    """Whether a run has this id, also one that was deleted or can't be believed."""
    with store.engine.connect() as connection:
        return connection.execute(sa.select(runs.c.id).where(runs.c.id == run_id)).first() is not None


def _bytes_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
