"""What a person may ask of a run while it loads, trains and measures.

Any thread posts commands, and the run drains them before each batch, in their order. It drains them too
while the network is evaluated or measured: a ``pause`` takes effect there, the others before the next batch.
``stop`` does not wait for its turn: it takes effect at once, also while data load.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal, NotRequired, get_args

from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from core.run.errors import SpecError, no_such
from core.run.events import Event
from core.run.stopping import By, read_by

Name = Literal["pause", "resume", "step", "epoch", "edit", "checkpoint", "stop"]
MAX_WAITING = 1000  # commands that a run has not taken yet
MAX_VALUES = 64  # changed by one edit
MAX_NAME = 80  # characters
POLL_SECONDS = 0.02


class Command(TypedDict):
    """``step``: train on one batch, then pause. ``epoch``: to the end of the epoch, then pause."""

    command: Name
    set: NotRequired[dict[str, Any]]  # of an edit: values by path, see `core.run.edits`
    name: NotRequired[str]  # of a checkpoint: what a person calls it
    by: NotRequired[By]  # of a stop: who wants it


class StoppedError(Exception):
    """The run was asked to stop."""


class Control:
    """The commands that wait for one run.

    Attributes:
        stop: set once the run is to end; to set it is to post ``stop``.
        stopped_by: who was the first to ask for that, if they said so.
        tell: takes events that can't wait for the run's next one: those of a pause while it is evaluated.
            None: it pauses before the next batch.
        wake: called when a command was posted, by whoever passes them on; None: nobody does.
    """

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.stopped_by: By = ""
        self.tell: Callable[[Event], None] | None = None
        self.wake: Callable[[], None] | None = None
        self._waiting: queue.SimpleQueue[Command] = queue.SimpleQueue()

    @property
    def stopping(self) -> bool:
        return self.stop.is_set()

    def post(self, command: Mapping[str, Any]) -> None:
        """Ask for something; any thread may.

        Raises:
            SpecError: it is no command, or too many wait.
        """
        read = read_command(command)
        if read["command"] == "stop":
            self.end(read.get("by", ""))
        elif self._waiting.qsize() >= MAX_WAITING:
            raise SpecError("", "The run has not answered the commands before; wait until it does.")
        else:
            self._waiting.put(read)
        if self.wake is not None:
            self.wake()

    def end(self, by: By = "") -> None:
        """End the run; who asks for it first is who has stopped it."""
        if not self.stop.is_set():
            self.stopped_by = by
        self.stop.set()

    def drain(self) -> list[Command]:
        """Take the commands that wait, in their order; ``stop`` is none of them."""
        taken: list[Command] = []
        while True:
            try:
                taken.append(self._waiting.get_nowait())
            except queue.Empty:
                return taken

    def wait(self, seconds: float) -> list[Command]:
        """`drain`, after a wait for the first command or a stop, ``seconds`` at most."""
        deadline = time.monotonic() + seconds
        while not self.stop.wait(POLL_SECONDS):
            taken = self.drain()
            if taken or time.monotonic() >= deadline:
                return taken
        return []

    def check(self) -> None:
        """Raise `StoppedError` if the run was asked to stop."""
        if self.stop.is_set():
            raise StoppedError


def read_command(value: Mapping[str, Any]) -> Command:
    """A command from plain values.

    Raises:
        SpecError: it is none.
    """
    known: dict[Any, Name] = {each: each for each in get_args(Name)}
    name = known.get(str(value.get("command")))
    if name is None:
        raise SpecError("command", f"there is {no_such('command', str(value.get('command')), known)}")
    if name == "checkpoint" and value.get("name"):
        return {"command": name, "name": _checked_name(value["name"])}
    if name == "stop" and (by := read_by(value.get("by"))):
        return {"command": "stop", "by": by}
    if name != "edit":
        return {"command": name}
    change = value.get("set")
    if not isinstance(change, Mapping) or not 1 <= len(change) <= MAX_VALUES:
        raise SpecError("set", f"an edit sets 1 to {MAX_VALUES} values by their paths.")
    return {"command": "edit", "set": {str(path): value for path, value in change.items()}}


def _checked_name(name: Any) -> str:
    if not isinstance(name, str) or len(name) > MAX_NAME or not name.isprintable():
        raise SpecError("name", f"a checkpoint's name is text of at most {MAX_NAME} characters.")
    return name
