"""Training on the machines of a Ray cluster: each job is a task, placed where its processors or device are.

One process of this machine, the relay (`core.jobs.executors.ray_relay`), passes all jobs on: whoever is part
of a Ray cluster ends when the cluster does, and the server must not. One for all, for a cluster keeps warm
processes for each that asks it, and takes them from one to give them to another.
"""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Sequence
from functools import partial

from core.jobs.executors.base import Job, OnEvent
from core.jobs.executors.follow import Message, follow, message_of
from core.jobs.executors.process import WorkerExecutor
from core.jobs.kinds import KINDS
from core.jobs.process import WorkerProcess
from core.run.commands import Control
from core.run.events import state

RELAY_COMMAND = (sys.executable, "-m", "core", "relay")
STOP_SECONDS = 30.0  # how long a task may take to stop and to copy what it leaves


class RayExecutor:
    """Has a Ray cluster compute what any machine can; the rest is computed by workers of this one.

    Args:
        command: what starts a relay.
    """

    def __init__(self, command: Sequence[str] = RELAY_COMMAND) -> None:
        self._command = command
        self._here = WorkerExecutor()
        self._lock = threading.Lock()
        self._relay: Relay | None = None
        self._closed = False

    def execute(self, job: Job, control: Control, on_event: OnEvent) -> None:
        travels = job.kind in KINDS and KINDS[job.kind].travels
        if not travels or job.out is None:
            self._here.execute(job, control, on_event)
            return
        try:
            relayed = self._running_relay().begin(job)
        except OSError as error:
            on_event(state("failed", f"The connection to the Ray cluster could not be started: {error}."))
            return
        control.wake = partial(relayed.messages.put, {})
        try:
            final = follow(relayed, job.id, control, on_event, STOP_SECONDS)
        except BaseException:
            relayed.kill()
            raise
        finally:
            relayed.leave()
        on_event(final)

    def resident_bytes(self, job_id: str) -> int:
        """Of what another machine computes nothing is known."""
        return self._here.resident_bytes(job_id)

    def warm(self) -> None:
        """Connect to the cluster while nobody waits for it."""
        try:
            self._running_relay()
        except OSError:
            return  # the next run will say so

    def close(self) -> None:
        with self._lock:
            self._closed = True
            relay, self._relay = self._relay, None
        if relay is not None:
            relay.close()
        self._here.close()

    def _running_relay(self) -> Relay:
        """
        Raises:
            OSError: it can't be started, or we are closing.
        """
        with self._lock:
            if self._closed:
                raise OSError("Augury is closing")
            if self._relay is None or not self._relay.is_alive():
                self._relay = Relay(self._command)
            return self._relay


class Relay:
    """The relay's process, and the jobs that it passes on.

    Raises:
        OSError: the command can't be started.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._process = WorkerProcess(command)
        self._lock = threading.Lock()
        self._jobs: dict[str, Relayed] = {}
        self._ended = False
        threading.Thread(target=self._sort, name="relay", daemon=True).start()

    def is_alive(self) -> bool:
        return self._process.is_alive()

    def begin(self, job: Job) -> Relayed:
        relayed = Relayed(self, job.id)
        with self._lock:
            self._jobs[job.id] = relayed
            if self._ended:
                relayed.messages.put(None)
        self.send(message_of(job))
        return relayed

    def send(self, message: Message) -> None:
        with self._lock:
            self._process.send(message)

    def forget(self, run_id: str) -> None:
        with self._lock:
            self._jobs.pop(run_id, None)

    def why_it_ended(self) -> str:
        return f"The connection to the Ray cluster was lost. {self._process.why_it_ended()}"

    def close(self) -> None:
        self._process.close()

    def _sort(self) -> None:
        while (message := self._process.messages.get()) is not None:
            with self._lock:
                job = self._jobs.get(str(message.get("run")))
            if job is not None:
                job.messages.put(message)
        with self._lock:
            self._ended = True
            for job in self._jobs.values():
                job.messages.put(None)


class Relayed:
    """One job that a relay passes on: a `core.jobs.executors.follow.Worker`."""

    def __init__(self, relay: Relay, run_id: str) -> None:
        self._relay, self._run_id = relay, run_id
        self.messages: queue.SimpleQueue[Message | None] = queue.SimpleQueue()

    def send(self, message: Message) -> None:
        self._relay.send(message)

    def kill(self) -> None:
        self._relay.send({"run": self._run_id, "kill": True})

    def was_killed(self) -> bool:
        """The job itself says how it ends: if the relay does, its cluster is gone."""
        return True

    def why_it_ended(self) -> str:
        return self._relay.why_it_ended()

    def leave(self) -> None:
        self._relay.forget(self._run_id)
