"""The worker process: specs and controls in on standard input, events out on standard output.

One JSON object a line. In: ``{"run": id, "spec": {…}, "out": folder or null, "watch": true}`` and
``{"stop": id}``, and ``{"run": id, "command": {…}}`` with one of `core.run.commands`. Out: ``{"ready": true,
"pid": …}`` once, then ``{"run": id, "event": {…}}``. When standard input ends, whoever started the worker is
gone, and it ends too.

This module imports neither torch nor the engine until it must: a worker listens before it is warm.
"""

from __future__ import annotations

import json
import math
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import psutil

from core.run.errors import SpecError
from core.run.spec import RunSpec, parse
from core.runtime import prepare_torch

if TYPE_CHECKING:
    from core.run.commands import Control
    from core.run.events import Event

    Run = Callable[..., Iterator[Event]]  # see core.train.run
    Load = Callable[[], tuple[Run, Callable[[], Control]]]

NICENESS = 10  # pages stay quick while a run takes all that is left
PARTING_SECONDS = 1.0  # how long a run may take to end once the parent is gone


def load_engine() -> tuple[Run, Callable[[], Control]]:
    """Import what training needs, set torch up, and make one step of the default run.

    The step is for all that is loaded when it is first used: on two busy cores, the first run of a warm
    worker made its first step after 4.0 s without it, and after 0.4 s with it.
    """
    from core.run.commands import Control
    from core.train.loop import run

    prepare_torch()
    control = Control()
    for event in train(run, RunSpec(), control, out=None, watch=True):
        if event["event"] == "step":
            control.stop.set()
    return run, Control


def serve(load: Load = load_engine, niceness: int = NICENESS) -> int:
    """Be a worker until standard input ends; the process's exit status.

    Args:
        load: imports the engine and returns its ``run`` and ``Control``.
        niceness: how far it lets others go first, up to 19; on Windows there is one step.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches us too, but the parent decides
    _lower_priority(niceness)
    inbox = _Inbox(_claim(0, "rb"))
    outbox = _claim(1, "wb")
    run, control_class = load()
    _write(outbox, {"ready": True, "pid": os.getpid()})
    while (message := inbox.runs.get()) is not None:
        control = control_class()
        inbox.attend(message["run"], control)
        out = Path(message["out"]) if message["out"] else None
        for event in train(run, parse(message["spec"]), control, out=out, watch=message["watch"]):
            _write(outbox, {"run": message["run"], "event": event})
    return 0


def train(run: Run, spec: RunSpec, control: Control, *, out: Path | None, watch: bool) -> Iterator[Event]:
    """The engine's events, made safe to send: no exception leaves, numbers that JSON does not know are
    None, and the last event is always a final state."""
    ended = False
    reason = "Training ended without saying why."
    try:
        for event in run(spec, control, out=out, watch=watch):
            ended = event["event"] == "state" and event["state"] in ("stopped", "failed", "finished")
            yield finite(event)
    except SpecError as error:
        reason = str(error)
    except Exception as error:
        traceback.print_exc()
        reason = f"Training failed: {type(error).__name__}: {error}"
    if not ended:
        yield {"event": "state", "state": "failed", "reason": " ".join(reason.split())}


class _Inbox:
    """Reads what the parent says, in a thread of its own, so that a stop is heard during training."""

    def __init__(self, lines: BinaryIO) -> None:
        self.runs: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._lines = lines
        self._lock = threading.Lock()
        self._stopped: set[str] = set()
        self._current: tuple[str, Control] | None = None
        threading.Thread(target=self._read, name="inbox", daemon=True).start()

    def attend(self, run_id: str, control: Control) -> None:
        """``run_id`` starts now; it may have been stopped already."""
        with self._lock:
            self._current = (run_id, control)
            if run_id in self._stopped:
                control.stop.set()

    def _read(self) -> None:
        for line in self._lines:
            message = json.loads(line)
            if "stop" in message:
                self._stop(message["stop"])
            elif "command" in message:
                self._pass_on(message["run"], message["command"])
            else:
                self.runs.put(message)
        self.runs.put(None)
        self._stop(None)
        time.sleep(PARTING_SECONDS)
        os._exit(0)  # whatever is still computing

    def _pass_on(self, run_id: str, command: dict[str, Any]) -> None:
        """Pass a command on to the run that it is for, unless that has ended."""
        with self._lock:
            if self._current is not None and self._current[0] == run_id:
                self._current[1].post(command)

    def _stop(self, run_id: str | None) -> None:
        """Stop a run, now or when it comes; None: the one that runs, whichever it is."""
        with self._lock:
            if run_id is not None:
                self._stopped.add(run_id)
            if self._current is not None and run_id in (None, self._current[0]):
                self._current[1].stop.set()


def _claim(descriptor: int, mode: str) -> BinaryIO:
    """Standard input or output for us alone: what a library reads or prints goes elsewhere."""
    ours = os.dup(descriptor)
    if descriptor == 0:
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
    else:
        sys.stdout.flush()
        os.dup2(2, descriptor)
    return os.fdopen(ours, mode)  # type: ignore[return-value]


def _write(pipe: BinaryIO, message: dict[str, Any]) -> None:
    pipe.write(json.dumps(message, allow_nan=False).encode() + b"\n")
    pipe.flush()


def _lower_priority(niceness: int) -> None:
    if hasattr(os, "nice"):
        os.nice(niceness)
    else:
        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)  # type: ignore[attr-defined]


def finite(value: Any) -> Any:
    """``value`` with None for every number that is not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value
