"""Passing jobs on to a Ray cluster: the process `python -m core relay`.

The cluster is the one at ``RAY_ADDRESS``, or the one that this machine is part of. A task lost with its
machine is begun again on another one and goes on from the last checkpoint that it had copied, to the same
numbers: this process, which knows the store, does that, not Ray, which would repeat the task's first words.
"""

from __future__ import annotations

import logging
import os
import queue
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from core.jobs.executors.ray_cluster import Cluster, RayTask, placement
from core.jobs.executors.ray_task import Message, Told, release
from core.jobs.worker import checked_events
from core.pipes import claim, end_with_parent, read, write
from core.run.checkpoints import newest
from core.run.commands import Control
from core.run.errors import SpecError
from core.run.events import TERMINAL, Event, from_the_start, state
from core.run.spec import RunSpec, is_upload, parse
from core.runtime import thread_count
from core.store.folders import SharedFolders, shared_folders

log = logging.getLogger(__name__)

RETRIES = 3  # machines that may be lost during one job, before it waits for a person
PARTING_SECONDS = 1.5  # that tasks have to stop once the server is gone; it waits for 2
LISTEN_SECONDS = 0.05  # how soon a stop is heard; of a command it hears at once


def serve() -> int:
    """Be a relay until standard input ends; the process's exit status. It is told what a worker is
    (`core.jobs.worker`), of any number of jobs at a time, and ``{"run": id, "kill": true}``.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches us too, but the parent decides
    end_with_parent()
    inbox, outbox = claim(0, "rb"), claim(1, "wb")
    relay = Relay(outbox)
    threading.Thread(target=relay.connect, name="connect", daemon=True).start()
    for message in read(inbox):
        relay.take(message)
    relay.end()
    os._exit(0)  # Ray ends the tasks of who is gone


class Relay:
    """The jobs that are passed on, each by a thread of its own."""

    def __init__(self, outbox: BinaryIO) -> None:
        self._outbox = outbox
        self._saying = threading.Lock()
        self._connecting = threading.Lock()
        self._lock = threading.Lock()  # guards what follows
        self._cluster: Cluster | None = None
        self._jobs: dict[str, RelayedJob] = {}

    def take(self, message: Message) -> None:
        """Take in a line from the server."""
        run_id = message["run"]
        with self._lock:
            job = self._jobs.get(run_id)
            if "spec" in message:
                job = self._jobs[run_id] = RelayedJob(message, self.cluster)
                threading.Thread(target=self._pass_on, args=(run_id, job), daemon=True).start()
                return
        if job is not None and "command" in message:
            with suppress(SpecError):  # too many wait: the server hears of none of them being obeyed
                job.control.post(message["command"])
        elif job is not None and "kill" in message:
            job.kill()

    def connect(self) -> None:
        """Connect while nobody waits for it."""
        with suppress(ConnectionError):  # the first run will say so
            self.cluster()

    def cluster(self) -> Cluster:
        """
        Raises:
            ConnectionError: there is none.
        """
        with self._connecting:
            if self._cluster is None or not self._cluster.is_there():
                self._cluster = None
                self._cluster = Cluster()
            return self._cluster

    def end(self) -> None:
        """Stop all jobs, and let them copy what they leave, for a moment."""
        with self._lock:
            jobs = list(self._jobs.values())
        for job in jobs:
            job.control.stop.set()
        deadline = time.monotonic() + PARTING_SECONDS
        for job in jobs:
            job.ended.wait(max(0.0, deadline - time.monotonic()))

    def _pass_on(self, run_id: str, job: RelayedJob) -> None:
        for event in checked_events(job.run, job.spec, job.control, **job.told):
            self._say({"run": run_id, "event": event})
        with self._lock:
            if self._jobs.get(run_id) is job:
                del self._jobs[run_id]
        job.ended.set()

    def _say(self, message: Message) -> None:
        with self._saying:
            write(self._outbox, message)


class RelayedJob:
    """A job that is passed on.

    Args:
        message: what `core.jobs.executors.follow.message_of` makes of it; its folder's name is the run's id.
        cluster: connects; see `Relay.cluster`.
    """

    def __init__(self, message: Message, cluster: Callable[[], Cluster]) -> None:
        self.control, self.ended = Control(), threading.Event()
        self.spec = parse(message["spec"])
        self.told = {name: message[name] for name in ("kind", "inputs")} | {"out": Path(message["out"])}
        self._cluster = cluster
        self._task: RayTask | None = None

    def kill(self) -> None:
        if self._task is not None:
            self._task.kill()

    def run(
        self, spec: RunSpec, control: Control, *, kind: str, inputs: Mapping[str, Any], out: Path
    ) -> Iterator[Event]:
        """Have the cluster compute a job, on other machines one after the other as they are lost.

        Raises:
            SpecError: the store is of no use.
        """
        folders = shared_folders()
        assert folders is not None
        begun: Event | None = None
        final: Event = state("interrupted", "")
        for attempt in range(RETRIES + 1):
            if attempt and begun is not None and newest(out) is None:
                yield from_the_start(begun)
            try:
                self._task = task = self._started(spec, kind, inputs, out, folders)
            except ConnectionError as error:
                yield state("interrupted", str(error))
                return
            for event in _followed(task, control):
                if event["event"] == "state" and event["state"] in TERMINAL:
                    final = event
                    break
                begun = event if event["event"] == "started" else begun
                yield event
            if not task.machine_lost or control.stopping:
                break
            log.warning("The machine that computed run %s was lost.", out.name)
            folders.fetch(out.name, out)
        yield final

    def _started(
        self, spec: RunSpec, kind: str, inputs: Mapping[str, Any], out: Path, folders: SharedFolders
    ) -> RayTask:
        """A job, on its way to some machine.

        Raises:
            ConnectionError: there is no cluster, or no machine of it can take the job.
        """
        cluster = self._cluster()
        folders.keep(out.name, out)
        if spec.data.path is not None and is_upload(spec.data.path):
            folders.keep_upload(spec.data.path)
        threads, attempt = thread_count(), uuid.uuid4().hex
        resources = placement(spec, threads, cluster.machines())
        told = Told(
            run=out.name,
            attempt=attempt,
            kind=kind,
            spec=spec.to_json(),
            inputs=dict(inputs),
            artefacts=folders.address,
            threads=threads,
            cuda=bool(resources["num_gpus"]),
            release=release(),
        )
        return RayTask(cluster, told, resources, partial(folders.fetch, out.name, out))


def _followed(task: RayTask, control: Control) -> Iterator[Event]:
    """A task's events; the last is a final state. What is asked of it meanwhile is passed on."""
    control.wake = partial(task.messages.put, {})
    stopping = False
    while True:
        try:
            message = task.messages.get(timeout=LISTEN_SECONDS)
        except queue.Empty:
            message = {}
        if message is None:
            yield task.last_state()
            return
        if "event" in message:
            yield message["event"]
        for command in control.drain():
            task.send(dict(command))
        if not stopping and control.stopping:
            stopping = True
            task.send({"command": "stop"})
