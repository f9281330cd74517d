"""A Ray cluster as one process of it sees it, and jobs that are tasks there."""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ray
from ray import exceptions

from core.jobs.executors.ray_task import Mailbox, Message, Told, compute
from core.run.errors import SpecError
from core.run.events import Event, state
from core.run.spec import RunSpec
from core.text.paths import without_paths

log = logging.getLogger(__name__)

NAMESPACE = "augury"
MAILBOX = "commands-1"  # one for the cluster; its number is that of what it can be asked
MOST_TASKS = 1000  # that may ask the mailbox at a time
NO_CLUSTER = (
    "No Ray cluster is found: start one with `ray start --head`, have this machine join one with "
    "`ray start --address=…`, or set RAY_ADDRESS (docs/scaling.md)."
)
LOST = (exceptions.NodeDiedError, exceptions.ObjectLostError)


class Cluster:
    """The cluster at ``RAY_ADDRESS``, or the one that this machine is part of.

    Raises:
        ConnectionError: there is none.
    """

    def __init__(self) -> None:
        quiet: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
        try:
            ray.shutdown()  # from one that is gone
            ray.init(os.environ.get("RAY_ADDRESS") or "auto", namespace=NAMESPACE, **quiet)
            # It stays when this process ends, for others use it too; it starts again if its machine is lost.
            stays = {"lifetime": "detached", "get_if_exists": True, "max_restarts": -1}
            actor: Any = ray.remote(Mailbox)
            actor = actor.options(name=MAILBOX, num_cpus=0, max_concurrency=MOST_TASKS, **stays)
            self.mailbox: Any = actor.remote()
        except Exception as error:  # Ray raises almost anything where there is no cluster, or half of one
            log.warning("Ray: %s", error)
            raise ConnectionError(NO_CLUSTER) from None
        # A process that had a device ends with its task; one that had none waits warm for the next.
        self._tasks: dict[bool, Any] = {
            cuda: ray.remote(max_calls=int(cuda))(compute) for cuda in (False, True)
        }

    def begin(self, told: Told, resources: Mapping[str, float]) -> Any:
        """Have a job computed, once a machine has these resources; the stream of its messages."""
        how = {"num_returns": "streaming", "max_retries": 0, **resources}
        return self._tasks[told.cuda].options(name=f"run {told.run[:8]}", **how).remote(told, self.mailbox)

    def is_there(self) -> bool:
        try:
            return bool(self.machines())
        except Exception:  # as above
            return False

    def machines(self) -> list[Mapping[str, float]]:
        """What each machine that is there has: ``CPU``, ``GPU`` and so on."""
        return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def placement(spec: RunSpec, threads: int, machines: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """What a job takes of its machine: as many processors as torch has threads, and a device if it wants
    one and there is one.

    Args:
        machines: what each has in all, taken or not.

    Raises:
        ConnectionError: no machine has as much.
    """
    some = any(each.get("GPU", 0) >= 1 for each in machines)
    device = spec.train.device == "cuda" or (spec.train.device == "auto" and some)
    if any(each.get("CPU", 0) >= threads and each.get("GPU", 0) >= device for each in machines):
        return {"num_cpus": threads, "num_gpus": int(device)}
    most = int(max((each.get("CPU", 0) for each in machines), default=0))
    wanted = f"{threads} processor{'' if threads == 1 else 's'}{' and a CUDA device' if device else ''}"
    raise ConnectionError(
        f"No machine of the cluster has {wanted} for this run; the largest has {most}. "
        "AUGURY_THREADS sets how many a run takes."
    )


class RayTask:
    """A job as a task of a cluster.

    Args:
        resources: see `placement`.
        fetch: called each time that the task has copied something to the store.

    Attributes:
        messages: ``{"event": {…}}`` as they come, and None at the end.
    """

    def __init__(
        self, cluster: Cluster, told: Told, resources: Mapping[str, float], fetch: Callable[[], object]
    ) -> None:
        self._cluster, self._told, self._fetch = cluster, told, fetch
        self._began = threading.Event()
        self._error: Exception | None = None
        self.messages: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._stream = cluster.begin(told, resources)
        threading.Thread(target=self._read, name=f"task-{told.run[:8]}", daemon=True).start()

    @property
    def machine_lost(self) -> bool:
        """Whether the machine that computed it is gone, and not the job's process alone."""
        return isinstance(self._error, LOST)

    def send(self, command: Message) -> None:
        """Ask something of the job. One that waits for a machine and is to stop is taken back."""
        if command["command"] == "stop" and not self._began.is_set():
            ray.cancel(self._stream)
        else:
            self._cluster.mailbox.put.remote(self._told.attempt, command)

    def kill(self) -> None:
        """End its process at once."""
        ray.cancel(self._stream, force=True)

    def last_state(self) -> Event:
        """How the job has ended that did not say so itself, once ``messages`` has ended."""
        error = self._error
        if isinstance(error, exceptions.TaskCancelledError):
            return state("stopped", "It was stopped before training began.")
        if isinstance(error, LOST):
            return state("interrupted", "The machine that computed this run was lost.")
        if isinstance(error, exceptions.OutOfMemoryError):
            said = "Its machine had no memory left, and ended it; try a smaller batch or network."
            return state("interrupted", said)
        if isinstance(error, exceptions.WorkerCrashedError):
            said = "Its process was killed (often: out of memory; try a smaller batch or network)."
            return state("interrupted", said)
        if error is None:
            return state("failed", "The task ended without saying why.")
        lines = str(error).strip().splitlines() or [type(error).__name__]
        said = f"The cluster could not compute this run: {without_paths(lines[-1])[:500]}"
        return state("failed" if isinstance(error, exceptions.RayTaskError) else "interrupted", said)

    def _read(self) -> None:
        try:
            for reference in self._stream:
                for message in ray.get(reference):
                    self._take(message)
        except Exception as error:
            self._error = error
        self.messages.put(None)
        self._cluster.mailbox.forget.remote(self._told.attempt)

    def _take(self, message: Message) -> None:
        if "began" in message:
            self._began.set()
        elif "kept" in message:
            try:
                self._fetch()
            except (OSError, SpecError) as error:
                log.warning("What run %s has left could not be read yet: %s", self._told.run, error)
        else:
            self.messages.put(message)
