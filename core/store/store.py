"""`Store`: what was run, how it went, and what a person wrote about it.

Everything that is read back is checked again; a row that can't be believed is left out with a note in
the log, so that no page fails because of it.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Json, ValidationError, model_validator

from core.home import home
from core.run.digest import digest
from core.run.errors import SpecError
from core.run.events import MAX_EVENT_BYTES, TERMINAL, Event, State, read_event
from core.run.figures import Summary, Text
from core.run.kinds import RUNS
from core.run.spec import MAX_SPEC_BYTES, RunSpec, is_upload, parse
from core.store.find import (
    MOST_SHOWN,
    Offered,
    Query,
    condition,
    fill_in,
    offered,
    order,
    runs_before,
    spec_columns,
    summary_columns,
)
from core.store.images import validation_images
from core.store.tables import events, of_no_study, open_database, runs, settings
from core.store.transaction import writing

log = logging.getLogger(__name__)

MAX_EVENTS = 200_000  # a run as `core.jobs` stores it has about 50,000 after a day
MAX_RUNS = 500
MAX_REASON = 2000  # characters
MAX_INPUTS_BYTES = 64 * 1024
MAX_NOTE = 4000  # characters
MAX_TAGS = 20
KEPT_SPEC = 4096  # characters of a spec that stays parsed: 4,096 of them take some 40 MB
UNDO_SECONDS = 3600.0  # what was deleted can be brought back for so long

_RUN_ID = re.compile(r"[0-9a-f]{32}")

Moment = Annotated[float, Field(ge=0, le=253e9)]  # seconds since 1970, before the year 9999
Tag = Annotated[str, Field(min_length=1, max_length=40)]


class StoredRun(BaseModel):
    """One row of ``runs``, believed. Times are seconds since 1970; None: that hasn't happened.

    Args:
        name: what a person calls it now; ``spec.name`` is the same.
        digest: `core.run.digest.digest`; None: an older release wrote none.
        group: the study that it is part of, if any.
        deleted_at: it is gone for every list, and can be brought back for an hour.
        resumes: how often it may still go on by itself once it is interrupted.
        control: a digest of its control link's key; None: it has no such link.
        rank: where a teacher has put it in the queue; None: it takes its turn.
        until: after how many epochs it waits for its study; None: it goes to its end.
        imported_at: when it came from an archive; None: it was computed here.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    id: Annotated[str, BeforeValidator(lambda value: _checked_id(value))]
    name: Annotated[str, Field(max_length=80)]
    spec: Annotated[RunSpec, BeforeValidator(lambda value: _parsed(str(value)))]
    state: State
    reason: Text
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    summary: Json[Summary] | None
    kind: Annotated[str, Field(max_length=64)] = "train"
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    inputs: Json[dict[str, Any]] = Field(default_factory=dict)
    parents: Json[list[str]] = Field(default_factory=list)
    group: Annotated[str, Field(max_length=64)] | None = None
    visitor: Annotated[str, Field(max_length=64)] = ""
    note: Annotated[str, Field(max_length=MAX_NOTE)] = ""
    tags: Json[Annotated[tuple[Tag, ...], Field(max_length=MAX_TAGS)]] = ()
    starred: bool = False
    deleted_at: float | None = None
    resumes: int = 0
    control: str | None = None
    rank: int | None = None
    imported_at: float | None = None
    until: int | None = None

    @model_validator(mode="after")
    def name_the_spec(self) -> StoredRun:
        if self.spec.name != self.name:
            object.__setattr__(self, "spec", self.spec.model_copy(update={"name": self.name}))
        return self

    @property
    def ended(self) -> bool:
        return self.state in TERMINAL

    @property
    def told(self) -> dict[str, Any]:
        """What its job is told: how far it goes is nothing of what the job is."""
        return self.inputs if self.until is None else {**self.inputs, "until": self.until}

    def digest_with(self, edits: Sequence[Event]) -> str:
        """The digest of the job that it is once these edits, as events, were made."""
        made = [{"step": each["step"], "set": each["set"]} for each in edits]
        return digest(self.kind, self.spec, self.inputs, made, self.parents)


def _parsed(text: str) -> RunSpec:
    """Lists read the same specs again and again; long ones are not kept."""
    return _parsed_before(text) if len(text) <= KEPT_SPEC else parse(text)


@lru_cache(maxsize=4096)
def _parsed_before(text: str) -> RunSpec:
    return parse(text)


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
        self.engine = open_database(url or f"sqlite:///{home() / 'augury.db'}")

    def close(self) -> None:
        self.engine.dispose()

    def create(
        self,
        run_id: str,
        spec: RunSpec,
        created_at: float,
        *,
        kind: str = "train",
        digest: str | None = None,
        inputs: Mapping[str, Any] | None = None,
        parents: Sequence[str] = (),
        group: str | None = None,
        visitor: str = "",
        control: str | None = None,
        until: int | None = None,
        resumes: int = 0,
    ) -> None:
        """A new run, queued: whoever has a free place takes it."""
        row = {
            "id": _checked_id(run_id),
            "name": spec.name,
            "spec": spec.to_json(),
            "state": "queued",
            "created_at": created_at,
            "owner": "",
            "kind": kind,
            "digest": digest,
            "inputs": json.dumps(dict(inputs or {}), allow_nan=False),
            "parents": json.dumps(list(parents)),
            "group_id": group,
            "visitor": visitor[:64],
            "control": control,
            "until": until,
            "resumes": resumes,
            **spec_columns(spec),
        }
        with self.engine.begin() as connection:
            connection.execute(sa.insert(runs), row)

    def append(self, run_id: str, numbered: Sequence[tuple[int, Event]]) -> None:
        """Add events, each with its number in the run (rising; there may be gaps)."""
        rows = [
            {"run_id": run_id, "seq": seq, "event": json.dumps(event, allow_nan=False)}
            for seq, event in numbered
        ]
        if rows:
            with self.engine.begin() as connection:
                connection.execute(sa.insert(events), rows)

    def set_state(self, run_id: str, state: State, reason: str = "", **columns: Any) -> None:
        """Change a run's state, and with it any of ``started_at``, ``finished_at`` and ``summary``."""
        if columns.get("summary") is not None:
            columns |= summary_columns(columns["summary"])
            columns["summary"] = json.dumps(columns["summary"], allow_nan=False)
        self._change(run_id, state=state, reason=reason[:MAX_REASON], **columns)

    def run(self, run_id: str) -> StoredRun | None:
        """The run with this id, or None: there is none, or its row can't be believed."""
        if not is_run_id(run_id):
            return None
        found = self._read_runs(_believable_size().where(runs.c.id == run_id))
        return found[0] if found else None

    def whole_id(self, begins: str) -> str:
        """The id that begins so, of a run that is not deleted; empty if none does, or several do."""
        if re.fullmatch("[0-9a-f]{6,32}", begins) is None:
            return ""
        wanted = sa.select(runs.c.id).where(runs.c.id.startswith(begins), runs.c.deleted_at.is_(None))
        with self.engine.connect() as connection:
            found = connection.execute(wanted.limit(2)).scalars().all()
        return str(found[0]) if len(found) == 1 else ""

    def runs(
        self,
        limit: int = 50,
        *,
        group: str | None = None,
        kinds: Collection[str] | None = None,
        digest: str | None = None,
        parent: str | None = None,
        cells: bool = True,
    ) -> list[StoredRun]:
        """The newest runs, the newest first, without the deleted ones; at most 500.

        Args:
            group, digest: only those with this one.
            kinds: only jobs of these.
            parent: only those that branch from this run, or whose networks were made of its.
            cells: those that studies began, too.
        """
        newest = _believable_size().where(runs.c.deleted_at.is_(None))
        for column, wanted in ((runs.c.group_id, group), (runs.c.digest, digest)):
            if wanted is not None:
                newest = newest.where(column == wanted)
        if kinds is not None:
            newest = newest.where(runs.c.kind.in_(kinds))
        if parent is not None:
            newest = newest.where(runs.c.kind.in_(RUNS), runs.c.inputs.contains(f'"{_checked_id(parent)}"'))
        if not cells:
            newest = newest.where(of_no_study(runs.c.group_id))
        newest = newest.order_by(runs.c.created_at.desc(), runs.c.id)
        return self._read_runs(newest.limit(max(0, min(limit, MAX_RUNS))))

    def find(self, query: Query, limit: int = 100, offset: int = 0) -> tuple[list[StoredRun], int]:
        """A page of the runs that `Query` is about, at most 200 of them, and how many there are in all."""
        fill_in(self.engine)
        where = condition(query)
        page = _believable_size().where(where).order_by(*order(query.sort))
        found = self._read_runs(page.limit(max(0, min(limit, MOST_SHOWN))).offset(max(0, offset)))
        with self.engine.connect() as connection:
            total = connection.execute(sa.select(sa.func.count()).select_from(runs).where(where)).scalar_one()
        return found, int(total)

    def offered(self) -> Offered:
        """What runs can be filtered by."""
        fill_in(self.engine)
        return offered(self.engine)

    def before(self, found: Sequence[StoredRun]) -> dict[str, StoredRun]:
        """Of each of these runs, by its id, the one that the same visit has started before it."""
        pairs = runs_before(self.engine, [run.id for run in found])
        known = {run.id: run for run in found}
        others = sorted(set(pairs.values()) - known.keys())
        if others:
            known |= {run.id: run for run in self._read_runs(_believable_size().where(runs.c.id.in_(others)))}
        return {run_id: known[before] for run_id, before in pairs.items() if before in known}

    def unfinished(self) -> list[StoredRun]:
        """What runs, then what waits, each in the order it came; at most 500."""
        wanted = _believable_size().where(runs.c.state.not_in(TERMINAL))
        queued_last = sa.case((runs.c.state == "queued", 1), else_=0)
        return self._read_runs(wanted.order_by(queued_last, runs.c.created_at, runs.c.id).limit(MAX_RUNS))

    def find_finished(self, digest: str) -> StoredRun | None:
        """The newest finished run with this digest that was computed here and is not deleted."""
        wanted = _believable_size().where(
            runs.c.digest == digest,
            runs.c.state == "finished",
            runs.c.deleted_at.is_(None),
            runs.c.imported_at.is_(None),  # its figures are what an archive says
        )
        found = self._read_runs(wanted.order_by(runs.c.created_at.desc()).limit(1))
        return found[0] if found else None

    def events(self, run_id: str, after: int = 0) -> list[tuple[int, Event]]:
        """A run's events with their numbers, in order.

        Args:
            after: only those with higher numbers.
        """
        wanted = (
            sa.select(events.c.seq, events.c.event)
            .where(
                events.c.run_id == run_id,
                events.c.seq > after,
                sa.func.length(events.c.event) <= MAX_EVENT_BYTES,
            )
            .order_by(events.c.seq)
            .limit(MAX_EVENTS)
        )
        numbered: list[tuple[int, Event]] = []
        unreadable = 0
        with self.engine.connect() as connection:
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
        with self.engine.connect() as connection:
            return int(connection.execute(latest).scalar() or 0)

    def uploads_in_use(self) -> frozenset[str]:
        """The uploads (``upload:…``) that queued and running runs need."""
        paths = (run.spec.data.path for run in self.unfinished())
        return frozenset(path for path in paths if path is not None and is_upload(path))

    def setting(self, name: str) -> str | None:
        """What all servers of this database agree on under ``name``; None: nothing."""
        wanted = sa.select(settings.c.value).where(settings.c.name == name)
        with self.engine.connect() as connection:
            found = connection.execute(wanted).scalar()
        return None if found is None else str(found)

    def set_setting(self, name: str, value: str | None) -> None:
        """Set what all agree on; None: nothing any more."""
        with writing(self.engine) as connection:
            connection.execute(sa.delete(settings).where(settings.c.name == name))
            if value is not None:
                connection.execute(sa.insert(settings), {"name": name, "value": value})

    # What a person does with a run

    def rename(self, run_id: str, name: str) -> None:
        """Give a run another name.

        Raises:
            SpecError: the name is too long.
        """
        self._change(run_id, name=parse({"name": name.strip()}).name, words=None)

    def annotate(self, run_id: str, note: str | None = None, tags: Sequence[str] | None = None) -> None:
        """Set a run's note, its tags, or both; None leaves them as they are.

        Raises:
            SpecError: the note or a tag is too long, or there are too many.
        """
        columns: dict[str, Any] = {}
        if note is not None:
            if len(note) > MAX_NOTE:
                raise SpecError("note", f"it has {len(note):,} characters; at most {MAX_NOTE:,} are kept.")
            columns["note"] = note
        if tags is not None:
            columns["tags"] = json.dumps(_checked_tags(tags), ensure_ascii=False)
        if columns:
            self._change(run_id, **columns, words=None)

    def star(self, run_id: str, starred: bool = True) -> None:
        """Keep what a run left on disk, whatever the quota says; or no longer."""
        self._change(run_id, starred=starred)

    def set_resumes(self, run_id: str, times: int) -> None:
        """How often a run may go on by itself once it is interrupted."""
        self._change(run_id, resumes=times)

    def set_control(self, run_id: str, digest: str) -> None:
        """Give a run another control link; the one before ends."""
        self._change(run_id, control=digest)

    def delete(self, run_id: str) -> None:
        """Take an ended run out of all lists; `restore` brings it back within an hour.

        Raises:
            SpecError: it has not ended.
        """
        ended = sa.and_(runs.c.id == run_id, runs.c.state.in_(TERMINAL))
        with self.engine.begin() as connection:  # in one: it may be about to go on
            change = sa.update(runs).where(ended).values(deleted_at=time.time())
            deleted = connection.execute(change).rowcount
        if not deleted and self.run(run_id) is not None:
            raise SpecError("", "This run has not ended; stop it first, then delete it.")

    def restore(self, run_id: str) -> bool:
        """Bring a deleted run back; False: it is gone."""
        return self._change(run_id, deleted_at=None) > 0

    def _change(self, run_id: str, **columns: Any) -> int:
        """Set columns of one run; how many rows that were."""
        with self.engine.begin() as connection:
            changed = connection.execute(sa.update(runs).where(runs.c.id == run_id).values(**columns))
            return int(changed.rowcount)

    def _read_runs(self, wanted: sa.Select[Any]) -> list[StoredRun]:
        with self.engine.connect() as connection:
            rows = connection.execute(wanted).mappings().all()
        found = []
        for row in rows:
            try:
                found.append(StoredRun.model_validate(dict(row)))
            except ValidationError as error:
                first = error.errors(include_url=False, include_input=False)[0]
                log.warning("A stored run is left out: %s: %s", first["loc"], first["msg"])
        return self._with_images(found)

    def _with_images(self, found: list[StoredRun]) -> list[StoredRun]:
        """The same, and every summary says of how many images its shares are, if that is known."""
        silent = [run.id for run in found if run.summary and not run.summary.get("validation_images")]
        if not silent:
            return found
        with self.engine.connect() as connection:
            images = validation_images(connection, silent)
        return [
            run.model_copy(update={"summary": {**run.summary, "validation_images": images[run.id]}})
            if run.summary and run.id in images
            else run
            for run in found
        ]


def _believable_size() -> sa.Select[Any]:
    """The columns of a run, for rows short enough to be real."""
    columns = [runs.c[name] for name in StoredRun.model_fields if name != "group"]
    return sa.select(*columns, runs.c.group_id.label("group")).where(
        sa.func.length(runs.c.spec) <= MAX_SPEC_BYTES,
        sa.func.length(runs.c.reason) <= MAX_REASON,
        sa.func.coalesce(sa.func.length(runs.c.summary), 0) <= MAX_EVENT_BYTES,
        sa.func.length(runs.c.inputs) <= MAX_INPUTS_BYTES,
        sa.func.length(runs.c.parents) <= MAX_INPUTS_BYTES,
        sa.func.length(runs.c.note) <= MAX_NOTE,
        sa.func.length(runs.c.tags) <= MAX_INPUTS_BYTES,
    )


def _checked_tags(tags: Sequence[str]) -> list[str]:
    """Tags without spaces around them, each once, in their order."""
    kept = list(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))
    if len(kept) > MAX_TAGS:
        raise SpecError("tags", f"there are {len(kept)}; at most {MAX_TAGS} are kept.")
    for tag in kept:
        if len(tag) > 40:
            raise SpecError("tags", f"{tag[:40]!r}… is too long; at most 40 characters are kept.")
    return kept


def _checked_id(value: Any) -> str:
    if not is_run_id(value):
        raise ValueError("a run's id is 32 hex digits")
    return str(value)
