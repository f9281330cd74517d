"""Passing jobs on to a Ray cluster: `python -m core relay`, a worker that does not compute itself.

The cluster is the one at ``RAY_ADDRESS``, or the one that this machine is part of. A task lost with its
machine is begun again on another one and goes on from the last checkpoint that it had copied, to the same
numbers: this process, which knows the store, does that, not Ray, which would repeat the task's first words.
"""

from __future__ import annotations

import logging
import queue
import uuid
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from core.jobs.executors.ray_cluster import Cluster, RayTask, placement
from core.jobs.executors.ray_task import Told, release
from core.run.checkpoints import newest
from core.run.commands import Control
from core.run.events import TERMINAL, Event, from_the_start, state
from core.run.spec import RunSpec, is_upload
from core.runtime import thread_count
from core.store.folders import SharedFolders, shared_folders

log = logging.getLogger(__name__)

RETRIES = 3  # machines that may be lost during one job, before it waits for a person
LISTEN_SECONDS = 0.05  # how soon a stop is heard; of a command it hears at once


def load() -> tuple[Any, Callable[[], Control]]:
    """Connect while nobody waits, if there is a cluster already; see `core.jobs.worker.serve`."""
    try:
        _cluster()
    except ConnectionError as error:  # the first run will say so
        log.warning("%s", error)
    return run, Control


def run(
    spec: RunSpec, control: Control, *, kind: str, inputs: Mapping[str, Any], out: Path | None
) -> Iterator[Event]:
    """Have the cluster compute a job, on other machines one after the other as they are lost.

    Args:
        out: the run's own folder on this machine: its name is the run's id.

    Raises:
        SpecError: the store is of no use.
    """
    assert out is not None
    folders = shared_folders()
    assert folders is not None
    begun: Event | None = None
    final: Event = state("interrupted", "")
    for attempt in range(RETRIES + 1):
        if attempt and begun is not None and newest(out) is None:
            yield from_the_start(begun)
        try:
            task = _started(spec, kind, inputs, out, folders)
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
    spec: RunSpec, kind: str, inputs: Mapping[str, Any], out: Path, folders: SharedFolders
) -> RayTask:
    """A job, on its way to some machine.

    Raises:
        ConnectionError: there is no cluster, or no machine of it can take the job.
    """
    cluster = _cluster()
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


_HELD: list[Cluster] = []


def _cluster() -> Cluster:
    """This process's cluster, as long as it is there.

    Raises:
        ConnectionError: there is none.
    """
    if _HELD and not _HELD[0].is_there():
        _HELD.clear()
    if not _HELD:
        _HELD.append(Cluster())
    return _HELD[0]
