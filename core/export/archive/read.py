"""An archive, read: everything in it is checked before anything of it is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.catalogues import completed
from core.export.archive.events import check_edits, fold, read_lines, strip_png
from core.export.archive.form import (
    EDITS,
    EVENTS,
    PAGE,
    SPEC,
    WEIGHTS,
    RunEntry,
    place,
    refused,
    strip_place,
)
from core.export.archive.unpack import Unpacked, opened
from core.export.archive.weights import WeightsHead, check_network
from core.run.edits import Edit
from core.run.errors import SpecError
from core.run.events import TERMINAL, State
from core.run.history import History, summary
from core.run.spec import RunSpec, is_upload, parse


@dataclass(frozen=True, slots=True, eq=False)
class ArchivedRun:
    """A run that an archive holds. All that it says of itself was checked.

    Args:
        entry: what the manifest says of it.
        spec: as it began, as it was written.
        events: JSON texts, as the store keeps them.
        edits: that were made while it ran.
        figures: for a list of runs, computed from the events; None: no epoch has ended.
        state, reason: how it ended.
        weights: their SHA-256; None: there are none.
        copy_weights: hands them on, piece by piece; `SpecError` if they are other ones by now.
    """

    entry: RunEntry
    spec: RunSpec
    events: list[str]
    edits: list[Edit]
    figures: dict[str, Any] | None
    state: State
    reason: str
    weights: str | None
    copy_weights: Callable[[Callable[[bytes], object]], None]


@contextmanager
def read_archive(path: Path) -> Iterator[list[ArchivedRun]]:
    """The runs of an archive, in its order; their weights can be copied while it is open.

    Raises:
        SpecError: it is no archive, a damaged one, or one that is refused; the sentence says why.
    """
    with opened(path) as archive:
        entries = archive.manifest.runs
        if len({entry.id for entry in entries}) < len(entries):
            raise refused("it holds a run twice")
        runs = [_run(archive, i, entry) for i, entry in enumerate(entries, 1)]
        wanted = {PAGE, *(name for i, run in enumerate(runs, 1) for name in _files(i, run, archive))}
        if extra := set(archive.manifest.files) - wanted:
            raise refused(f"it holds {min(extra)}, which belongs to no run of it")
        archive.each_chunk(PAGE, len)  # it is for a person; here it need only be what was written
        yield runs


def _files(i: int, run: ArchivedRun, archive: Unpacked) -> Iterator[str]:
    yield from (place(i, name) for name in (SPEC, EDITS, EVENTS))
    if run.weights is not None:
        yield place(i, WEIGHTS)
    if archive.has(strip_place(i)):
        yield strip_place(i)


def _run(archive: Unpacked, i: int, entry: RunEntry) -> ArchivedRun:
    spec = _spec(archive, place(i, SPEC), entry)
    for text in (entry.name, entry.note, entry.reason, *entry.tags):
        _check_text(text)
    events = read_lines(_read(archive, place(i, EVENTS)), place(i, EVENTS))
    history = fold(events, place(i, EVENTS))
    state, reason = _end(entry, history)
    edits = check_edits(_read(archive, place(i, EDITS)), history, completed(spec), place(i, EDITS))
    _check_strip(archive, i, history)
    weights = place(i, WEIGHTS) if archive.has(place(i, WEIGHTS)) else None
    if weights:
        head = WeightsHead()
        archive.each_chunk(weights, head.take)
        tensors = head.tensors()
        if history.started:
            classes, told = len(history.started["classes"]), history.started["parameters"]
            check_network(tensors, completed(spec), classes, told=told)

    def copy_weights(take: Callable[[bytes], object]) -> None:
        assert weights is not None
        archive.each_chunk(weights, take)

    return ArchivedRun(
        entry=entry,
        spec=spec,
        events=events,
        edits=edits,
        figures=summary(history),
        state=state,
        reason=reason,
        weights=archive.digest(weights) if weights else None,
        copy_weights=copy_weights,
    )


def _read(archive: Unpacked, name: str) -> bytes:
    if not archive.has(name):
        raise refused(f"it has no {name}")
    return archive.read(name)


def _spec(archive: Unpacked, name: str, entry: RunEntry) -> RunSpec:
    try:
        spec = parse(_read(archive, name))
        completed(spec)
    except SpecError as error:
        if error.where == "ARCHIVE":
            raise
        raise SpecError("ARCHIVE", f"{name} can't be used here: {error}") from None
    if spec.data.path is not None and not is_upload(spec.data.path):
        # It would be read from this machine, and shown to whoever may see the run.
        raise refused(f"{name} names a folder of the machine that it comes from")
    if (spec.name, spec.seed) != (entry.name, entry.seed):
        raise refused(f"{name} has another name or seed than its manifest says")
    return spec


def _end(entry: RunEntry, history: History) -> tuple[State, str]:
    """How the run ended: as its events say, or, if its server could not say so any more, as the manifest
    does."""
    if entry.state not in TERMINAL:
        raise refused(f"its run {entry.id[:8]} has not ended")
    if not history.ended:
        if entry.state == "finished":
            raise refused(f"its run {entry.id[:8]} is said to have finished, and its events do not say so")
        return entry.state, entry.reason
    if (history.state, history.reason) != (entry.state, entry.reason):
        raise refused(f"its run {entry.id[:8]} ended otherwise than its manifest says")
    return history.state, history.reason


def _check_strip(archive: Unpacked, i: int, history: History) -> None:
    """The picture is the one that the run's own page shows."""
    strip = (history.started or {}).get("strip")
    name = strip_place(i)
    if strip is None:
        if archive.has(name):
            raise refused(f"{name} is no picture that its run shows")
    elif _read(archive, name) != strip_png(strip):
        raise refused(f"{name} is not the picture that its run shows")


def _check_text(text: str) -> None:
    """Text that a database keeps: PostgreSQL takes no NUL, and nothing takes half a letter."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise refused("a text in it is not Unicode") from None
    if "\0" in text:
        raise refused("a text in it has a character that is none")
