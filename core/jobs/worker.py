"""The worker process: jobs and commands in on standard input, events out on standard output.

One JSON object a line. In: ``{"run": id, "kind": name, "spec": {…}, "inputs": {…}, "out": folder or null}``
starts a job, and ``{"run": id, "command": {…}}`` asks something of it. Out: ``{"ready": true, "pid": …}``
once, then ``{"run": id, "event": {…}}``. When standard input ends, whoever started the worker is gone, and
it ends too.

This module imports neither torch nor the engine until it must: a worker listens before it is warm.
"""

from __future__ import annotations

import math
import os
import queue
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from core.catalogue import imported, look_up
from core.jobs.memory import end_above, run_bytes
from core.pipes import SAID_WHY, claim, end_with_parent, lower_priority, read, write
from core.run.errors import SpecError
from core.run.events import TERMINAL
from core.run.spec import RunSpec, parse
from core.runtime import prepare_torch
from core.text.paths import without_paths

if TYPE_CHECKING:
    from core.run.commands import Control
    from core.run.events import Event

    Run = Callable[..., Iterator[Event]]  # as `run_job`
    Load = Callable[[], tuple[Run, Callable[[], Control]]]

NICENESS = 10  # pages stay quick while a run takes all that is left
PARTING_SECONDS = 1.0  # how long a run may take to end once the parent is gone


def load_engine() -> tuple[Run, Callable[[], Control]]:
    """Import what training needs, set torch up, and make one step of the default run.

    The step is for all that is loaded when it is first used: on two busy cores, the first run of a warm
    worker made its first step after 4.0 s without it, and after 0.4 s with it.
    """
    from core.run.commands import Control

    prepare_torch()
    control = Control()
    for event in checked_events(run_job, RunSpec(), control):
        if event["event"] == "step":
            control.stop.set()
    return run_job, Control


def run_job(
    spec: RunSpec,
    control: Control,
    *,
    kind: str,
    inputs: Mapping[str, Any],
    out: Path | None,
) -> Iterator[Event]:
    """The events of a job of any kind.

    Raises:
        SpecError: there is no such kind.
    """
    from core.jobs.kinds import KINDS

    run = imported(look_up(KINDS, kind, "kind", "kind of job").run)
    events: Iterator[Event] = run(spec, inputs, control, out)
    return events


def serve(load: Load = load_engine, niceness: int = NICENESS) -> int:
    """Be a worker until standard input ends; the process's exit status.

    Args:
        load: imports the engine and returns what runs a job (as `run_job`), and ``Control``.
        niceness: how far it lets others go first, up to 19; on Windows there is one step.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches us too, but the parent decides
    end_with_parent()
    lower_priority(niceness)
    inbox = _Inbox(claim(0, "rb"))
    outbox = _Outbox(claim(1, "wb"))
    run, control_class = load()
    outbox.say({"ready": True, "pid": os.getpid()})
    end_above(run_bytes(), outbox.end)
    while (message := inbox.jobs.get()) is not None:
        control = control_class()
        inbox.attend(message["run"], control)
        out = Path(message["out"]) if message.get("out") else None
        told: dict[str, Any] = {
            "kind": message.get("kind", "train"),
            "inputs": message.get("inputs") or {},
            "out": out,
        }
        tell = partial(_tell, outbox, message["run"])
        control.tell = tell
        for event in checked_events(run, parse(message["spec"]), control, **told):
            tell(event)
    return 0


class _Outbox:
    """What is said, line by line."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()

    def say(self, message: dict[str, Any]) -> None:
        with self._lock:
            write(self._pipe, message)

    def end(self, what: str) -> None:
        """End this process with last words, which its parent reads: were the run said to have failed first,
        the next might be given to a process that is about to end."""
        with self._lock:
            reason = f"The run {what}; try a smaller batch, smaller images or a narrower network.\n"
            os.write(2, reason.encode())
            os._exit(SAID_WHY)


def _tell(outbox: _Outbox, run_id: str, event: Event) -> None:
    outbox.say({"run": run_id, "event": event})


def checked_events(
    run: Run,
    spec: RunSpec,
    control: Control,
    *,
    kind: str = "train",
    inputs: Mapping[str, Any] | None = None,
    out: Path | None = None,
) -> Iterator[Event]:
    """A job's events, made safe to send: no exception leaves, numbers that JSON does not know are None,
    and the last event is always a final state."""
    what = "Training" if kind == "train" else "This job"
    ended = False
    reason = f"{what} ended without saying why."
    try:
        for event in run(spec, control, kind=kind, inputs=inputs or {}, out=out):
            ended = event["event"] == "state" and event["state"] in TERMINAL
            yield finite(event)
    except SpecError as error:
        reason = str(error)
    except Exception as error:
        traceback.print_exc()
        reason = f"{what} failed: {type(error).__name__}: {without_paths(str(error))}"
    if not ended:
        yield {"event": "state", "state": "failed", "reason": " ".join(reason.split())}


class _Inbox:
    """Reads what the parent says, in a thread of its own, so that a command is heard during training."""

    def __init__(self, lines: BinaryIO) -> None:
        self.jobs: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._lines = lines
        self._lock = threading.Lock()
        self._early: dict[str, list[dict[str, Any]]] = {}  # commands for jobs that have not begun
        self._current: tuple[str, Control] | None = None
        threading.Thread(target=self._read, name="inbox", daemon=True).start()

    def attend(self, run_id: str, control: Control) -> None:
        """``run_id`` starts now; it may have been stopped already."""
        with self._lock:
            self._current = (run_id, control)
            for command in self._early.pop(run_id, []):
                _post(control, command)

    def _read(self) -> None:
        for message in read(self._lines):
            if "command" in message:
                self._pass_on(message["run"], message["command"])
            else:
                self.jobs.put(message)
        self.jobs.put(None)
        with self._lock:
            if self._current is not None:
                self._current[1].stop.set()
        time.sleep(PARTING_SECONDS)
        os._exit(0)  # whatever is still computing

    def _pass_on(self, run_id: str, command: dict[str, Any]) -> None:
        with self._lock:
            if self._current is not None and self._current[0] == run_id:
                _post(self._current[1], command)
            else:
                self._early.setdefault(run_id, []).append(command)


def _post(control: Control, command: dict[str, Any]) -> None:
    with suppress(SpecError):  # too many wait: the parent hears of none of them being obeyed
        control.post(command)


def finite(value: Any) -> Any:
    """``value`` with None for every number that is not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value
