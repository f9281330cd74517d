"""Where a run is computed: in a worker process, or in the thread that asks.

Both have one interface, `Executor`. `execute` blocks until the run has ended and passes its events on;
whatever goes wrong with a run or a worker ends the run as ``failed``, with the reason.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from core.jobs.process import WORKER_COMMAND, WorkerProcess
from core.jobs.worker import checked_events, load_engine
from core.run.commands import Control
from core.run.errors import SpecError
from core.run.events import TERMINAL, Event, state
from core.run.spec import RunSpec

if TYPE_CHECKING:
    from core.jobs.worker import Load

log = logging.getLogger(__name__)
OnEvent = Callable[[Event], None]

LISTEN_SECONDS = 0.05  # how soon a worker hears of a stop; of a command it hears at once
IDLE_BYTES = 2**30  # that a worker which waits may hold; after the default network's runs it is 0.45
STOP_SECONDS = 10.0  # how long a worker may take to stop before it is killed


@dataclass(frozen=True, slots=True)
class Job:
    """What is computed.

    Args:
        kind: a name of `core.jobs.kinds.KINDS`.
        inputs: what the kind asks for beside the spec: JSON values.
        out: a folder for what it leaves on disk.
    """

    id: str
    spec: RunSpec
    kind: str = "train"
    inputs: Mapping[str, Any] = field(default_factory=dict)
    out: Path | None = None


class Executor(Protocol):
    """Computes one run at a time in each thread that calls `execute`."""

    def execute(self, job: Job, control: Control, on_event: OnEvent) -> None:
        """Compute a job; its last event is a final state."""

    def resident_bytes(self, job_id: str) -> int:
        """The memory of the process that computes a job; 0 if none does that has no other work."""

    def warm(self) -> None:
        """Prepare for the next run, so that it starts at once."""

    def close(self) -> None:
        """Let go of everything. Runs that go on have been asked to stop; what can be killed is."""


class ThreadExecutor:
    """Trains in the calling thread: slower beside busy pages, and nothing to start or to kill."""

    def __init__(self, load: Load = load_engine) -> None:
        @cache
        def load_and_say() -> Any:
            log.warning("AUGURY_EXECUTOR=thread: PyTorch is loaded into the server itself now.")
            return load()

        self._load = load_and_say

    def execute(self, job: Job, control: Control, on_event: OnEvent) -> None:
        run, _ = self._load()
        told: dict[str, Any] = {"kind": job.kind, "inputs": job.inputs, "out": job.out}
        control.tell = on_event
        for event in checked_events(run, job.spec, control, **told):
            on_event(event)

    def resident_bytes(self, job_id: str) -> int:
        return 0

    def warm(self) -> None:
        """Nothing: torch is loaded into this process when it first trains, and not before."""

    def close(self) -> None:
        """Nothing to let go of; a run that goes on ends when its control says so."""


class WorkerExecutor:
    """Keeps worker processes, one for each run at a time, and one warm for the next.

    Args:
        command: what starts a worker.
        stop_seconds: how long a run that was asked to stop may go on.
    """

    def __init__(self, command: Sequence[str] = WORKER_COMMAND, stop_seconds: float = STOP_SECONDS) -> None:
        self._command = command
        self._stop_seconds = stop_seconds
        self._lock = threading.Lock()
        self._idle: list[WorkerProcess] = []
        self._busy: list[WorkerProcess] = []
        self._computing: dict[str, WorkerProcess] = {}  # by the job's id
        self._closed = False

    def execute(self, job: Job, control: Control, on_event: OnEvent) -> None:
        try:
            worker = self._take()
        except OSError as error:
            on_event(state("failed", f"The worker process could not be started: {error}."))
            return
        control.wake = partial(worker.messages.put, {})
        worker.has_helpers = job.spec.train.processes > 1
        worker.send(
            {
                "run": job.id,
                "kind": job.kind,
                "spec": job.spec.model_dump(mode="json"),
                "inputs": dict(job.inputs),
                "out": None if job.out is None else str(job.out.resolve()),
            }
        )
        self._computing[job.id] = worker
        try:
            final = self._follow(worker, job.id, control, on_event)
        except BaseException:
            worker.kill()
            raise
        finally:
            self._computing.pop(job.id, None)
            self._give_back(worker)
        on_event(final)

    def resident_bytes(self, job_id: str) -> int:
        worker = self._computing.get(job_id)
        return worker.resident_bytes() if worker else 0

    def warm(self) -> None:
        """Start a worker if none waits; it imports torch while nobody waits for it."""
        with self._lock:
            self._idle = [worker for worker in self._idle if worker.is_alive()]
            if not self._idle and not self._closed:
                with suppress(OSError):  # the next run will say so
                    self._idle.append(WorkerProcess(self._command))

    def close(self) -> None:
        with self._lock:
            self._closed = True
            workers = self._idle + self._busy
            self._idle = []
        for worker in workers:
            worker.hang_up()  # all at once, so that they end side by side
        for worker in workers:
            worker.close()

    def _take(self) -> WorkerProcess:
        """A worker that waits, or else a new one."""
        with self._lock:
            if self._closed:
                raise OSError("Augury is closing")
            while self._idle:
                worker = self._idle.pop()
                if worker.is_alive():
                    break
            else:
                worker = WorkerProcess(self._command)
            self._busy.append(worker)
            return worker

    def _give_back(self, worker: WorkerProcess) -> None:
        """Keep a worker for the next run; one that is gone, or holds on to much memory, is replaced now and
        not when it is missed."""
        with self._lock:
            self._busy.remove(worker)
            alive = worker.is_alive() and not self._closed
            if alive and worker.resident_bytes() <= IDLE_BYTES:
                self._idle.append(worker)
                return
        if alive:
            worker.kill()  # its job is done, and its files are written
        self.warm()

    def _follow(self, worker: WorkerProcess, run_id: str, control: Control, on_event: OnEvent) -> Event:
        """Pass a job's events on and what is asked of it back; its final state."""
        deadline: float | None = None
        while True:
            try:
                message = worker.messages.get(timeout=LISTEN_SECONDS)
            except queue.Empty:
                message = {}
            if message is None:
                why = worker.why_it_ended()
                return state("interrupted" if worker.was_killed() else "failed", why)
            if message.get("run") == run_id:
                event = message["event"]
                if event["event"] == "state" and event["state"] in TERMINAL:
                    return event
                on_event(event)
            for command in control.drain():
                worker.send({"run": run_id, "command": command})
            if deadline is None and control.stop.is_set():
                deadline = time.monotonic() + self._stop_seconds
                worker.send({"run": run_id, "command": {"command": "stop"}})
            if deadline is not None and time.monotonic() > deadline:
                worker.kill()
                return state(
                    "stopped", f"It did not stop by itself within {self._stop_seconds:g} s and was ended."
                )


def make_executor() -> Executor:
    """What ``AUGURY_EXECUTOR`` names: ``worker`` (the default) or ``thread``.

    Raises:
        SpecError: it names something else.
    """
    chosen = os.environ.get("AUGURY_EXECUTOR") or "worker"
    if chosen == "worker":
        return WorkerExecutor()
    if chosen == "thread":
        return ThreadExecutor()
    raise SpecError("AUGURY_EXECUTOR", f"{chosen!r} is not worker or thread.")
