"""Runs out of an archive into the store: the same runs, marked as imported, or nothing.

A run that is here already is left as it is. Where another run has its id it gets a fresh one; no run is ever
written over. What only this server can know is not taken from the archive: whose the run is, whether it is
starred, and its figures for lists, which are computed from its events.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from core.export.archive.events import as_line
from core.export.archive.form import refused
from core.export.archive.read import ArchivedRun, read_archive
from core.run.digest import FROM, PARENT, digest
from core.run.edits import Edit
from core.run.errors import SpecError
from core.run.events import MAX_EVENT_BYTES
from core.run.history import build_history
from core.run.spec import MAX_SPEC_BYTES, RunSpec
from core.store.imported import NewRun, drop_folder, new_folder, put, runs_of_moment, settle, write_weights
from core.store.retention import WEIGHTS
from core.store.store import Store, StoredRun, run_folder
from core.text.paths import without_paths

AHEAD_SECONDS = 24 * 3600.0  # that the clock of another machine may be before ours
MOST_TRIED = 100  # places in a run's edits at which a branch may have begun


class Imported(NamedTuple):
    """A run of an archive that is here now.

    Args:
        is_new: it was not here before.
        was: its id in the archive.
    """

    id: str
    name: str
    is_new: bool
    was: str


NOBODY = "0" * 32  # the id of no run


class _Job(NamedTuple):
    """What makes a run's digest, but for its edits, which are in their order."""

    kind: str
    spec: RunSpec
    inputs: Mapping[str, Any]
    edits: Sequence[Edit]
    parents: Sequence[str]


def import_archive(path: Path, store: Store, visitor: str = "") -> list[Imported]:
    """Put the runs of an archive into the store, in its order.

    Args:
        visitor: who imports it, and may steer what is imported; ``""``: nobody, as from the command line.

    Raises:
        SpecError: it is refused, or there is no room for it; then nothing has changed.
    """
    try:
        with read_archive(path) as archived, ExitStack() as folders:
            _check_times(archived)
            here = {run.entry.id: found.id for run in archived if (found := _same(store, run))}
            new = [run for run in archived if run.entry.id not in here]
            ids = dict(here)
            for run in new:
                ids[run.entry.id] = new_folder(store, run.entry.id)
                folders.callback(drop_folder, ids[run.entry.id])
            groups = {run.entry.group: uuid.uuid4().hex for run in new if run.entry.group is not None}
            rows = []
            for run in new:
                if run.weights is not None:
                    write_weights(ids[run.entry.id], run.copy_weights)
                linked = _linked(run, archived, ids, store)
                group = groups.get(run.entry.group) if run.entry.group is not None else None
                row = _row(run, linked, ids[run.entry.id], visitor, group)
                rows.append(NewRun(row, run.events))
            put(store, rows)
            folders.pop_all()  # they stay
            for run in new:
                settle(ids[run.entry.id])
    except OSError as error:
        raise SpecError("ARCHIVE", f"it can't be stored: {error.strerror}; is the disk full?") from None
    except SQLAlchemyError as error:
        cause = without_paths(str(getattr(error, "orig", error)))
        raise SpecError("ARCHIVE", f"it can't be stored: {cause}; is the disk full?") from None
    return [
        Imported(ids[run.entry.id], run.spec.name, run.entry.id not in here, run.entry.id) for run in archived
    ]


def import_here(path: Path, visitor: str = "") -> list[Imported]:
    """`import_archive`, into the store that the environment names."""
    store = Store(os.environ.get("AUGURY_DATABASE_URL"))
    try:
        return import_archive(path, store, visitor)
    finally:
        store.close()


def _check_times(archived: Sequence[ArchivedRun]) -> None:
    latest = time.time() + AHEAD_SECONDS
    for run in archived:
        times = (run.entry.created_at, run.entry.started_at, run.entry.finished_at)
        if any(each is not None and each > latest for each in times):
            raise refused(f"its run {run.entry.id[:8]} is of a day to come; is this machine's clock right?")


def _same(store: Store, run: ArchivedRun) -> StoredRun | None:
    """The run if it is here, under whichever id: a run is told by its moment, its spec, its events and its
    weights. What a person calls it and has noted may be other by now."""
    for found in runs_of_moment(store, run.entry.created_at):
        same = found.kind == run.entry.kind and found.spec.choices() == run.spec.choices().model_copy(
            update={"name": found.name}
        )
        if not same or [as_line(event) for _, event in store.events(found.id)] != run.events:
            continue
        weights = run_folder(found.id) / WEIGHTS
        if run.weights and weights.is_file() and _digest_of(weights) != run.weights:
            continue
        return found
    return None


def _linked(
    run: ArchivedRun, archived: Sequence[ArchivedRun], ids: Mapping[str, str], store: Store
) -> dict[str, Any]:
    """The run's inputs. A branch stays a branch of a run that is not here; of one that is here, only if the
    digest of its parent says that it was this one."""
    inputs = _inputs(run)
    if FROM in inputs:  # those outside the archive may be others than those that are here
        return {**inputs, FROM: [ids.get(each, NOBODY) for each in inputs[FROM]]}
    parent = inputs.get(PARENT)
    if not parent:
        return inputs
    job: _Job | None = None
    if among := next((each for each in archived if each.entry.id == parent), None):
        job = _Job(among.entry.kind, among.spec, _inputs(among), among.edits, among.entry.parents)
    elif stored := store.run(parent):
        history = build_history(store.events(parent)).history()
        edits: list[Edit] = [{"step": each["step"], "set": each["set"]} for each in history.edits]
        job = _Job(stored.kind, stored.spec, stored.inputs, edits, stored.parents)
    if job is None:
        return inputs
    if _began_at(job, inputs.get("step", 0), run.entry.parents):
        return {**inputs, PARENT: ids.get(parent, parent)}
    return {name: value for name, value in inputs.items() if name != PARENT}


def _began_at(job: _Job, step: int, parents: Sequence[str]) -> bool:
    """Whether a branch with these digests of parents began at a job after ``step`` steps; of the edits of
    that very step any number may have been made by then."""
    least = sum(edit["step"] < step for edit in job.edits)
    most = sum(edit["step"] <= step for edit in job.edits)
    return any(
        digest(job.kind, job.spec, job.inputs, job.edits[:made], job.parents) in parents
        for made in range(least, min(most, least + MOST_TRIED) + 1)
    )


def _row(
    run: ArchivedRun, inputs: Mapping[str, Any], run_id: str, visitor: str, group: str | None
) -> dict[str, Any]:
    """The columns of ``runs``.

    Raises:
        SpecError: a page could not read them.
    """
    entry = run.entry
    row = {
        "id": run_id,
        "name": run.spec.name,
        "spec": run.spec.to_json(),
        "state": run.state,
        "reason": run.reason,
        "created_at": entry.created_at,
        "started_at": entry.started_at,
        "finished_at": entry.finished_at,
        "summary": None if run.figures is None else json.dumps(run.figures, allow_nan=False),
        "kind": entry.kind,
        "digest": digest(entry.kind, run.spec, inputs, run.edits, entry.parents),
        "inputs": json.dumps(dict(inputs)),
        "parents": json.dumps(list(entry.parents)),
        "visitor": visitor[:64],
        "note": entry.note,
        "tags": json.dumps(list(entry.tags), ensure_ascii=False),
        "imported_at": time.time(),
    }
    for column, most in (("spec", MAX_SPEC_BYTES), ("summary", MAX_EVENT_BYTES)):
        if len(str(row[column] or "")) > most:
            raise refused(f"the {column} of its run {entry.id[:8]} is longer than {most:,} letters")
    try:
        StoredRun.model_validate({**row, "group": group})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise refused(
            f"its run {entry.id[:8]} can't be believed ({first['loc'][0]}: {first['msg']})"
        ) from None
    return {**row, "group_id": group, "owner": ""}


def _inputs(run: ArchivedRun) -> dict[str, Any]:
    return run.entry.inputs.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
