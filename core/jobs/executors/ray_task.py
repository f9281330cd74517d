"""A machine's side of a Ray cluster: a job as a task, and what is asked of it.

The task computes with the worker's own function (`core.jobs.worker`), in a folder that is its own, and copies
what it leaves to the store that all machines share. It yields lists of messages: ``{"began": node}`` first,
``{"event": {…}}``, and ``{"kept": true}`` each time that it has copied something.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import queue
import tempfile
import threading
import time
import traceback
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import core
from core.home import home
from core.jobs.executors.shared import bring_upload
from core.jobs.memory import end_above, run_bytes
from core.jobs.worker import checked_events, load_engine
from core.pipes import SAID_WHY
from core.run.commands import Control
from core.run.errors import SpecError
from core.run.events import TERMINAL, Event, state
from core.run.spec import RunSpec, parse
from core.runtime import prepare_torch
from core.store.folders import Keeping, SharedFolders
from core.text.paths import without_paths

Message = dict[str, Any]

TAKE_SECONDS = 5.0  # how long the mailbox is asked at a time
AGAIN_SECONDS = 1.0  # until a mailbox that was lost is asked again
PARTING_SECONDS = 1.0  # that the last message of a task has, before its process is ended


class Told(NamedTuple):
    """What a task is told.

    Args:
        attempt: no other task of this job, or of another, has the same.
        spec: its JSON.
        artefacts: the address of the store; None: what the job leaves is kept nowhere.
        threads: torch's.
        cuda: whether a device was given to it.
        release: `release` of whoever asks.
    """

    run: str
    attempt: str
    kind: str
    spec: str
    inputs: dict[str, Any]
    artefacts: str | None
    threads: int
    cuda: bool
    release: str


def release() -> str:
    """What a machine's numbers follow from, as far as it is installed."""
    versions = (f"{name} {importlib.metadata.version(name)}" for name in ("torch", "kornia"))
    return ", ".join([f"Augury {core.__version__}", *(each.split("+")[0] for each in versions)])


class Mailbox:
    """Commands for jobs, on their way from the server to whichever machine computes each. A Ray actor."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, asyncio.Queue[Message]] = defaultdict(asyncio.Queue)

    async def put(self, attempt: str, command: Message) -> None:
        self._waiting[attempt].put_nowait(command)

    async def take(self, attempt: str) -> list[Message]:
        """The commands that wait, in their order; after `TAKE_SECONDS` none."""
        waiting = self._waiting[attempt]
        found = []
        with suppress(TimeoutError):
            found.append(await asyncio.wait_for(waiting.get(), TAKE_SECONDS))
        while not waiting.empty():
            found.append(waiting.get_nowait())
        return found

    async def forget(self, attempt: str) -> None:
        self._waiting.pop(attempt, None)


def compute(told: Told, mailbox: Any) -> Iterator[list[Message]]:
    """Be the task of one job: a Ray task with as many processors as ``told.threads``."""
    import ray

    yield [{"began": ray.get_runtime_context().get_node_id()}]
    outbox: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
    control, ended = Control(), threading.Event()
    computing = threading.Thread(target=_compute, args=(told, control, outbox), name="compute", daemon=True)
    listening = threading.Thread(target=_listen, args=(told, control, mailbox, ended), daemon=True)
    computing.start()
    listening.start()
    try:
        more = True
        while more:
            messages = [outbox.get()]
            while not outbox.empty():
                messages.append(outbox.get())
            more = None not in messages
            yield [each for each in messages if each is not None]
    finally:
        ended.set()
        control.stop.set()


def _listen(told: Told, control: Control, mailbox: Any, ended: threading.Event) -> None:
    """Pass on what is asked of the job."""
    import ray

    while not ended.is_set():
        try:
            commands = ray.get(mailbox.take.remote(told.attempt))
        except ray.exceptions.RayError:  # its machine was lost; it starts again on another one
            ended.wait(AGAIN_SECONDS)
            continue
        for command in commands:
            with suppress(SpecError):  # too many wait: the server hears of none of them being obeyed
                control.post(command)


def _compute(told: Told, control: Control, outbox: queue.SimpleQueue[Message | None]) -> None:
    try:
        for event in _events(told, control, outbox):
            outbox.put({"event": event})
    except SpecError as error:
        outbox.put({"event": state("failed", str(error))})
    except Exception as error:
        traceback.print_exc()
        reason = f"The job failed on its machine: {type(error).__name__}: {without_paths(str(error))}"
        outbox.put({"event": state("failed", " ".join(reason.split()))})
    outbox.put(None)


def _events(told: Told, control: Control, outbox: queue.SimpleQueue[Message | None]) -> Iterator[Event]:
    """
    Raises:
        SpecError: this machine has another release, or does not see the store.
    """
    if release() != told.release:
        raise SpecError(
            "",
            f"This machine of the cluster has {release()}, and the server {told.release}; "
            "install the same on all.",
        )
    _prepare(told)
    _END[0] = outbox
    run = _engine()
    prepare_torch()  # this task may have other threads than the first
    spec = parse(told.spec)
    how: dict[str, Any] = {"kind": told.kind, "inputs": told.inputs}
    control.tell = lambda event: outbox.put({"event": event})
    if told.artefacts is None:
        yield from checked_events(run, spec, control, **how)
        return
    folders = SharedFolders(told.artefacts, told.attempt)
    tasks = home() / "tasks"
    tasks.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{told.run}-", dir=tasks, ignore_cleanup_errors=True) as scratch:
        yield from _in_folder(told, spec, folders, Path(scratch), control, outbox, run, how)


def _in_folder(
    told: Told,
    spec: RunSpec,
    folders: SharedFolders,
    folder: Path,
    control: Control,
    outbox: queue.SimpleQueue[Message | None],
    run: Any,
    how: dict[str, Any],
) -> Iterator[Event]:
    if not folders.fetch(told.run, folder):
        raise SpecError(
            "AUGURY_ARTEFACTS",
            "this machine of the cluster does not see what the server has put there; "
            "set it to a folder or an object store that all machines share.",
        )
    bring_upload(folders, spec)
    keeping = Keeping(folders, told.run, folder, lambda: outbox.put({"kept": True}))
    try:
        for event in checked_events(run, spec, control, out=folder, **how):
            if event["event"] == "state" and event["state"] in TERMINAL:
                keeping.finish()  # whoever hears of the end finds what it left
            yield event
    finally:
        keeping.end()


def _prepare(told: Told) -> None:
    """Set this process up as a worker's is, before torch loads."""
    os.environ["AUGURY_THREADS"] = str(told.threads)
    os.environ["OMP_NUM_THREADS"] = str(told.threads)
    os.environ.pop("AUGURY_EXECUTOR", None)
    if told.artefacts is not None:
        os.environ["AUGURY_ARTEFACTS"] = told.artefacts
    if not told.cuda:  # Ray hides no device from a task that was given none
        os.environ["CUDA_VISIBLE_DEVICES"] = ""


_END: list[queue.SimpleQueue[Message | None] | None] = [None]  # where the task at hand says its last words


@cache
def _engine() -> Any:
    """What computes a job, loaded once in a process of Ray's, which has one task after the other."""
    run, _ = load_engine()
    end_above(run_bytes(), _end)
    return run


def _end(what: str) -> None:
    """Say why, and end this process: it holds the memory that others need."""
    reason = f"The run {what}; try a smaller batch, smaller images or a narrower network."
    if (outbox := _END[0]) is not None:
        outbox.put({"event": state("failed", reason)})
        outbox.put(None)
        time.sleep(PARTING_SECONDS)
    os._exit(SAID_WHY)
