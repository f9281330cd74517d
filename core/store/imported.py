"""Runs that come from elsewhere: a whole run is put into the store, or nothing of it.

First its files are written into a folder of its own, in which a mark lies; then its row and its events, in
one transaction; then the mark goes. By the mark `core.store.retention` knows the folder of an import that was
killed.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from core.files import beside, put_in_place
from core.store.retention import IMPORTING, WEIGHTS, has_row
from core.store.store import Store, StoredRun, run_folder
from core.store.tables import events, runs
from core.store.transaction import writing

MOST_LOOKED_AT = 20  # runs of one moment, for one that is the same
ROWS = 1_000  # events that are put in at once


class NewRun(NamedTuple):
    """A run that is to be put in.

    Args:
        row: by column of ``runs``, as `columns` gives them.
        events: as JSON, in their order.
    """

    row: Mapping[str, Any]
    events: Sequence[str]


def runs_of_moment(store: Store, created_at: float) -> list[StoredRun]:
    """The runs that were asked for at this very moment, and are not deleted."""
    wanted = sa.select(runs.c.id).where(runs.c.created_at == created_at, runs.c.deleted_at.is_(None))
    with store.engine.connect() as connection:
        ids = connection.execute(wanted.limit(MOST_LOOKED_AT)).scalars().all()
    return [run for each in ids if (run := store.run(str(each)))]


def new_folder(store: Store, wanted: str) -> str:
    """Make a run's folder, which is new; its id, which no run has: ``wanted`` if it is free.

    Raises:
        OSError: the folder can't be made.
    """
    run_id = wanted
    run_folder(run_id).parent.mkdir(parents=True, exist_ok=True)
    while has_row(store, run_id) or not _made(run_folder(run_id)):
        run_id = uuid.uuid4().hex
    (run_folder(run_id) / IMPORTING).touch()
    return run_id


def drop_folder(run_id: str) -> None:
    """Remove the folder that `new_folder` made for a run that came to nothing."""
    shutil.rmtree(run_folder(run_id), ignore_errors=True)


def write_weights(run_id: str, copy: Callable[[Callable[[bytes], object]], None]) -> None:
    """Write a run's weights whole, or not.

    Args:
        copy: hands them to the function that it is given, piece by piece.

    Raises:
        OSError: they can't be written. And whatever ``copy`` raises.
    """
    path = run_folder(run_id) / WEIGHTS
    part = beside(path)
    with part.open("wb") as file:
        copy(file.write)
    put_in_place(part, path)


def put(store: Store, new: Sequence[NewRun]) -> None:
    """Put runs in, all or none.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: an id was taken meanwhile, or the database can't be written to.
    """
    with writing(store.engine) as connection:
        for each in new:
            connection.execute(sa.insert(runs), dict(each.row))
            for start in range(0, len(each.events), ROWS):
                rows = [
                    {"run_id": each.row["id"], "seq": seq, "event": text}
                    for seq, text in enumerate(each.events[start : start + ROWS], start + 1)
                ]
                connection.execute(sa.insert(events), rows)


def settle(run_id: str) -> None:
    """Take the mark away: the run is in the store. A folder that holds nothing goes with it."""
    folder: Path = run_folder(run_id)
    (folder / IMPORTING).unlink(missing_ok=True)
    with suppress(OSError):  # it holds weights
        folder.rmdir()


def _made(folder: Path) -> bool:
    """False: it is there, of a run in another database or of another import of this moment."""
    try:
        folder.mkdir()
    except FileExistsError:
        return False
    return True
