"""Quick paths over λ that pages ask for: one at a time, each in a process of its own, shared by all.

A path is no run: it is not stored, and it does not take the runs' place. Its process gives way to theirs as
theirs give way to pages, and ends with the path.
"""

from __future__ import annotations

import atexit
import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from core.jobs.executors import WorkerExecutor
from core.run.commands import Control
from core.run.errors import SpecError
from core.run.events import TERMINAL, Event, State, state
from core.run.spec import RunSpec

log = logging.getLogger(__name__)

PATH_COMMAND = (sys.executable, "-m", "core", "worker", "--path")
NICENESS = 19  # the highest there is: runs have 10
MAX_WAITING = 30  # a class
MAX_REMEMBERED = 200  # paths that have ended
CLOSING_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class PathView:
    """A path at one moment.

    Args:
        state: as a run's.
        reason: why it failed, in a sentence; else empty.
        position: how many paths are before it, while it waits.
        points: ``point`` events, the fields of `core.study.strength_path.PathPoint`.
        done: the share of the work that is done, in [0, 1].
        strength: λ of what is trained now; None in the warm start, and before.
        seconds_left: None where it can't be known yet.
    """

    state: State
    reason: str
    position: int
    points: tuple[Event, ...]
    done: float
    strength: float | None
    seconds_left: float | None

    @property
    def ended(self) -> bool:
        return self.state in TERMINAL


@dataclass(slots=True, eq=False)
class _Path:
    spec: RunSpec
    which: int
    control: Control = field(default_factory=Control)
    last: Event = field(default_factory=lambda: state("queued"))  # the latest change of state
    points: list[Event] = field(default_factory=list)
    done: float = 0.0
    strength: float | None = None
    began: tuple[float, float] | None = None  # when the first progress came, and how much was done then
    moved: float = 0.0

    def take_in(self, event: Event) -> None:
        if event["event"] == "state":
            self.last = event
        elif event["event"] == "point":
            self.points.append(event)
        else:
            self.done, self.strength, self.moved = event["done"], event["strength"], time.monotonic()
            self.began = self.began or (self.moved, self.done)

    def seconds_left(self) -> float | None:
        if self.began is None or self.done <= self.began[1]:
            return None
        pace = (self.moved - self.began[0]) / (self.done - self.began[1])
        return max(0.0, pace * (1 - self.done) - (time.monotonic() - self.moved))


class Paths:
    """Paths wait their turn and are trained one after the other; equal ones are trained once.

    Any thread may call any method.

    Args:
        command: what starts a worker; a regulariser's number is added to it.
    """

    def __init__(self, command: Sequence[str] = PATH_COMMAND) -> None:
        self._command = command
        self._lock = threading.Condition()  # guards what follows; told when a path waits or we close
        self._paths: dict[tuple[str, int], _Path] = {}  # the one asked for last is last
        self._waiting: deque[_Path] = deque()
        self._running: _Path | None = None
        self._executor: WorkerExecutor | None = None  # of the path that runs
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="paths", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def ask(self, spec: RunSpec, which: int) -> None:
        """Have the path of regulariser ``which`` of ``spec`` trained, unless it is known or on its way. One
        that was stopped or failed starts anew.

        Args:
            spec: as `core.study.strength_path.quick` gives it, so that equal paths are equal.

        Raises:
            SpecError: too many are waiting, or Augury is closing.
        """
        key = (spec.to_json(), which)
        with self._lock:
            if self._closing:
                raise SpecError("", "Augury is closing; start it again to try values of λ.")
            known = self._paths.get(key)
            if known is not None and known.last["state"] not in ("stopped", "failed"):
                return
            if len(self._waiting) >= MAX_WAITING:
                raise SpecError("", f"{MAX_WAITING} paths are waiting already; try again in a few minutes.")
            self._paths.pop(key, None)
            self._paths[key] = path = _Path(spec, which)
            self._waiting.append(path)
            self._forget()
            self._lock.notify()

    def view(self, spec: RunSpec, which: int) -> PathView | None:
        """The path as it is now; None if nobody asked for it."""
        with self._lock:
            path = self._paths.get((spec.to_json(), which))
            if path is None:
                return None
            before = self._waiting.index(path) + (self._running is not None) if path in self._waiting else 0
            return PathView(
                state=path.last["state"],
                reason=path.last["reason"],
                position=before,
                points=tuple(path.points),
                done=path.done,
                strength=path.strength,
                seconds_left=path.seconds_left(),
            )

    def stop(self, spec: RunSpec, which: int) -> None:
        """End a path: one that waits never starts, one that is trained stops within a batch and keeps its
        points."""
        with self._lock:
            path = self._paths.get((spec.to_json(), which))
            if path is None:
                return
            path.control.stop.set()
            if path in self._waiting:
                self._waiting.remove(path)
                path.last = state("stopped")

    def close(self) -> None:
        """Stop what is trained, and start nothing more."""
        with self._lock:
            self._closing = True
            for path in self._waiting:
                path.last = state("stopped")
            self._waiting.clear()
            executor = self._executor
            self._lock.notify()
        if executor is not None:
            executor.close()
        self._thread.join(CLOSING_SECONDS)
        atexit.unregister(self.close)

    def _work(self) -> None:
        while work := self._next():
            path, executor = work
            try:
                executor.execute("path", path.spec, path.control, None, partial(self._take_in, path))
            except Exception as error:
                log.exception("A path could not be trained.")
                reason = f"Augury could not train this path: {type(error).__name__}: {error}"
                self._take_in(path, state("failed", reason))
            executor.close()

    def _next(self) -> tuple[_Path, WorkerExecutor] | None:
        """The path that has waited longest, now running, and what trains it; None once we are closing."""
        with self._lock:
            self._running = self._executor = None
            self._lock.wait_for(lambda: self._waiting or self._closing)
            if self._closing:
                return None
            path = self._waiting.popleft()
            path.last = state("running")
            self._running, self._executor = path, WorkerExecutor((*self._command, str(path.which)))
            return path, self._executor

    def _take_in(self, path: _Path, event: Event) -> None:
        with self._lock:
            path.take_in(event)

    def _forget(self) -> None:
        """Drop the paths that were asked for longest ago and have ended."""
        ended = [key for key, path in self._paths.items() if path.last["state"] in TERMINAL]
        for key in ended[: max(0, len(self._paths) - MAX_REMEMBERED)]:
            del self._paths[key]
