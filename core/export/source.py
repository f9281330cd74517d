"""A run that is to be taken away: read from the store by its id, or from a folder that
``python -m core run --out`` wrote."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.catalogues import completed
from core.figures.lineage import MOST_GENERATIONS
from core.run.checkpoints import START
from core.run.edits import Edit
from core.run.errors import SpecError
from core.run.events import MAX_EVENT_BYTES, Event, read_event
from core.run.history import History, build_history
from core.run.inputs import checked_inputs
from core.run.made import MADE, Made, is_made
from core.run.spec import MAX_SPEC_BYTES, RunSpec, parse
from core.store.folders import here
from core.store.retention import WEIGHTS
from core.store.store import Store, StoredRun, is_run_id

SPEC, EVENTS = "spec.json", "events.jsonl"
_LETTERS = re.compile(r"[^a-z0-9]+")
MOST_LETTERS = 40


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One run.

    Args:
        id: its id; of a folder that has none, the folder's name.
        spec: completed, as the run began.
        events: in their order, each once.
        folder: where its weights lie, if it has left any.
        stored: its row; None: it comes from a folder.
        before: of a branch, the history of the run that it comes from, of that one's, and so on; those that
            are no longer there, or that a folder does not know, are left out.
    """

    id: str
    spec: RunSpec
    events: tuple[Event, ...]
    history: History
    folder: Path
    stored: StoredRun | None = None
    before: tuple[History, ...] = ()

    @property
    def edits(self) -> list[Edit]:
        """The changes that were made while it ran."""
        return [{"step": each["step"], "set": dict(each["set"])} for each in self.history.edits]

    @property
    def weights(self) -> Path | None:
        """The network that it has left."""
        path = self.folder / WEIGHTS
        return path if path.is_file() else None

    @property
    def start(self) -> Path | None:
        """Of a branch: the checkpoint that it began at."""
        path = self.folder / START
        return path if path.is_file() else None

    @property
    def made(self) -> Made | None:
        """How its network was made of others', if it was.

        Raises:
            SpecError: what says so can't be read.
        """
        if self.stored is not None:
            told = {name: each for name, each in self.stored.inputs.items() if name != "until"}
            return checked_inputs(Made, told) if is_made(told) else None
        if not (path := self.folder / MADE).is_file():
            return None
        try:
            with path.open("rb") as file:
                return checked_inputs(Made, json.loads(file.read(MAX_SPEC_BYTES)))
        except (OSError, ValueError, RecursionError) as error:
            raise SpecError("RUN", f"{path} can't be read ({error}).") from None

    @property
    def stem(self) -> str:
        """What its files are called: ``augury-`` and eight letters of its id."""
        return f"augury-{self.id[:8]}" if is_run_id(self.id) else f"augury-{_plain_name(self.id)}"

    def with_weights(self) -> Path:
        """
        Raises:
            SpecError: it has left no weights.
        """
        if (path := self.weights) is None:
            raise SpecError("", f"The run {self.id[:8]} has left no weights here; train it again.")
        return path


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be taken away.

    Args:
        runs: one, or for kinds that can tell of several up to eight.
        text: what a person has written for it, by name: ``question``, ``conclusion``.
        link: the page's address; empty: not known.
    """

    runs: tuple[Source, ...]
    text: Mapping[str, str] = field(default_factory=dict)
    link: str = ""

    @property
    def run(self) -> Source:
        """The first."""
        return self.runs[0]


def open_sources(runs: Sequence[str]) -> tuple[Source, ...]:
    """Each run by its id, by six or more letters that begin only this one's, or by its folder. Ids are those
    of the database that the environment names.

    Raises:
        SpecError: there is no such run, or it can't be read.
    """
    found, store = [], None
    try:
        for run in runs:
            if not is_run_id(run) and (folder := _folder(run)) is not None:
                found.append(_from_folder(folder))
            else:
                store = store or Store(os.environ.get("AUGURY_DATABASE_URL"))
                found.append(_from_store(run, store))
    finally:
        if store is not None:
            store.close()
    return tuple(found)


def _folder(run: str) -> Path | None:
    """The folder that is meant; None: it is none, as a name too long for one."""
    try:
        return Path(run) if Path(run).is_dir() else None
    except (OSError, ValueError):
        return None


def _from_store(run: str, store: Store) -> Source:
    found = store.run(run if is_run_id(run) else store.whole_id(run))
    if found is None or found.deleted_at is not None:
        raise SpecError("RUN", f"{run!r} is neither a folder nor the id of a run; `core runs` lists them.")
    events = tuple(event for _, event in store.events(found.id))
    history = build_history(enumerate(events, 1)).history()
    before = tuple(_before(found, store))
    return Source(found.id, completed(found.spec), events, history, here(found.id), found, before)


def _before(run: StoredRun, store: Store) -> Iterator[History]:
    for _ in range(MOST_GENERATIONS):
        parent = run.inputs.get("parent")
        found = store.run(parent) if isinstance(parent, str) and is_run_id(parent) else None
        if found is None or found.deleted_at is not None:
            return
        yield build_history(store.events(found.id)).history()
        run = found


def _from_folder(folder: Path) -> Source:
    try:
        with (folder / SPEC).open(encoding="utf-8") as file:
            spec = parse(file.read(MAX_SPEC_BYTES + 1))
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError("RUN", f"{folder} holds no run: {SPEC} can't be read ({error}).") from None
    events = tuple(_events(folder / EVENTS))
    history = build_history(enumerate(events, 1)).history()
    return Source(folder.resolve().name, completed(spec), events, history, folder)


def _events(path: Path) -> Iterator[Event]:
    """The events of a file, without the lines that can't be read: it may have been edited."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        while line := file.readline(MAX_EVENT_BYTES):
            try:
                yield read_event(line.decode("utf-8", errors="replace"))
            except (ValueError, TypeError):
                continue


def _plain_name(name: str) -> str:
    return _LETTERS.sub("-", name.lower()).strip("-")[:MOST_LETTERS] or "run"
