"""Training in worker processes of this machine."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from core.jobs.executors.base import Job, OnEvent
from core.jobs.executors.follow import follow, message_of
from core.jobs.process import WORKER_COMMAND, WorkerProcess
from core.run.commands import Control
from core.run.events import Event, state

IDLE_BYTES = 2**30  # that a worker which waits may hold; after the default network's runs it is 0.45
STOP_SECONDS = 10.0  # how long a worker may take to stop before it is killed


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
        worker.send(message_of(job))
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
        return follow(worker, run_id, control, on_event, self._stop_seconds)
