"""Where runs can be computed, by the name that ``AUGURY_EXECUTOR`` gives."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec

from core.catalogue import Entry, imported, look_up
from core.jobs.executors.base import Executor
from core.jobs.executors.shared import SharedExecutor
from core.run.errors import SpecError
from core.store.folders import shared_folders


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorEntry(Entry):
    """An executor.

    Args:
        makes: the path of its class, which is made without arguments.
        needs: a module of ``requirements-server.txt`` that it imports; empty: none.
        elsewhere: whether other machines compute, so that this one's memory says nothing about a run.
    """

    makes: str
    needs: str = ""
    elsewhere: bool = False
    source: str = ""


DEFAULT = "worker"

EXECUTORS: dict[str, ExecutorEntry] = {
    entry.name: entry
    for entry in (
        ExecutorEntry(
            name=DEFAULT,
            title="Worker processes",
            help="Each run has a process of this machine, and one waits warm for the next.",
            makes="core.jobs.executors.process:WorkerExecutor",
        ),
        ExecutorEntry(
            name="thread",
            title="Threads of the server",
            help="The server loads PyTorch when it first trains: slower beside busy pages, nothing to start.",
            makes="core.jobs.executors.thread:ThreadExecutor",
        ),
        ExecutorEntry(
            name="ray",
            title="A Ray cluster",
            help="Each run is a task of a Ray cluster, on any of its machines (docs/scaling.md).",
            source="Moritz et al. 2018, Ray: a distributed framework for emerging AI applications, OSDI",
            makes="core.jobs.executors.ray:RayExecutor",
            needs="ray",
            elsewhere=True,
        ),
    )
}


def chosen_executor() -> ExecutorEntry:
    """What ``AUGURY_EXECUTOR`` names; ``worker`` if it names nothing.

    Raises:
        SpecError: there is no such executor, or it needs a package that isn't installed.
    """
    name = os.environ.get("AUGURY_EXECUTOR") or DEFAULT
    entry = look_up(EXECUTORS, name, "AUGURY_EXECUTOR", "executor")
    if entry.needs and find_spec(entry.needs) is None:
        raise SpecError(
            "AUGURY_EXECUTOR",
            f"{name!r} needs the package {entry.needs}: python -m pip install -r requirements-server.txt.",
        )
    return entry


def make_executor() -> Executor:
    """What `chosen_executor` names.

    Raises:
        SpecError: as `chosen_executor`, or ``AUGURY_ARTEFACTS`` is of no use.
    """
    entry = chosen_executor()
    made: Executor = imported(entry.makes)()
    folders = shared_folders()
    return made if folders is None or entry.elsewhere else SharedExecutor(made, folders)
