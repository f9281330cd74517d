"""``events.jsonl``: the events of a run that the command line keeps, one JSON object a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from core.files import write_text
from core.jobs.worker import finite
from core.run.events import TERMINAL, Event
from core.train.checkpoint import Told, told_by
from core.train.keeping import FULL


class EventFile:
    """Keeps a run's events in ``folder``. The first event decides what becomes of the file that is there:
    a new run begins it anew, a resumed one cuts it back to its checkpoint, and where a run had ended and
    nothing is resumed it stays as it is.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "events.jsonl"
        self._begun = False
        self._first: list[str] | None = None  # what the file is to begin with, until it does
        self._unwritten = b""  # lines that follow, for which there was no room

    def add(self, event: Event, *, resumed: bool) -> None:
        if not self._begun:
            if resumed and event.get("state") in TERMINAL:
                told = _read(self._path)
                if told and told[-1].get("state") not in TERMINAL:  # killed before it could say how it ended
                    _put(self._path, [*map(_line, told), _line(event)])
                return
            self._begun = True
            self._first = told_before(self._path, told_by(self._folder)) if resumed else []
        self._unwritten += _line(event).encode()
        try:
            self._write()
        except OSError as error:
            if error.errno not in FULL:
                raise

    def _write(self) -> None:
        """Write the lines that wait, or, if there is no room, none of them."""
        if self._first is not None:
            _put(self._path, self._first)
            self._first = None
        with self._path.open("ab", buffering=0) as file:
            whole, left = file.tell(), self._unwritten
            try:
                while left:
                    left = left[file.write(left) :]
            except OSError:
                file.truncate(whole)
                raise
        self._unwritten = b""


def told_before(path: Path, told: Told) -> list[str]:
    """The lines of the file ``path`` that a run had told by its checkpoint, each step, edit and epoch once.

    Args:
        told: ``epoch`` events that the file lacks are added.
    """
    epochs, last = told.epochs, told.step
    kept, step, epoch, edits = [], 0, 0, 0
    for event in _read(path):
        if epoch == len(epochs) and step >= last and edits >= told.edits:
            break
        kind = event.get("event")
        if kind == "epoch" and epoch < len(epochs) and event.get("epoch") == epochs[epoch]["epoch"]:
            epoch += 1
            step = max(step, event.get("step", 0))
        elif kind == "step" and step < event.get("step", 0) <= last:
            step = event["step"]
        elif kind == "edit" and edits < told.edits:
            edits += 1
        elif kind != "started" and event.get("state") != "running":
            continue  # what is told again, or the end of a run that is resumed
        kept.append(_line(event))
    return kept + [_line(event) for event in epochs[epoch:]]


def _put(path: Path, lines: list[str]) -> None:
    write_text(path, "".join(lines))


def _read(path: Path) -> list[dict[str, Any]]:
    """The events of the file, as far as it is whole: a killed run may have left half a line."""
    events: list[dict[str, Any]] = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else ():
        try:
            event = json.loads(line)
        except ValueError:
            break
        counted = ("epoch", "step")
        if not isinstance(event, dict) or any(not isinstance(event.get(k, 0), int | float) for k in counted):
            break
        events.append(event)
    return events


def _line(event: Event) -> str:
    return json.dumps(finite(event)) + "\n"
