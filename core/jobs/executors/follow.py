"""Following a job that another process computes: its events one way, what is asked of it the other."""

from __future__ import annotations

import queue
import time
from typing import Any, Protocol

from core.jobs.executors.base import Job, OnEvent
from core.run.commands import Control
from core.run.events import TERMINAL, Event, state

LISTEN_SECONDS = 0.05  # how soon a worker hears of a stop; of a command it hears at once

Message = dict[str, Any]


class Worker(Protocol):
    """Whatever computes a job.

    Attributes:
        messages: ``{"run": id, "event": {…}}``, others, which say nothing, and None at its end.
    """

    messages: queue.SimpleQueue[Message | None]

    def send(self, message: Message) -> None:
        """Say something: ``{"run": id, "command": {…}}``."""

    def kill(self) -> None:
        """End it at once."""

    def was_killed(self) -> bool:
        """Once ``messages`` has ended: whether the job can go on elsewhere."""

    def why_it_ended(self) -> str:
        """One sentence, once ``messages`` has ended."""


def follow(worker: Worker, run_id: str, control: Control, on_event: OnEvent, stop_seconds: float) -> Event:
    """Pass a job's events on and what is asked of it back; its final state.

    Args:
        stop_seconds: how long a job that was asked to stop may go on.
    """
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
            deadline = time.monotonic() + stop_seconds
            worker.send({"run": run_id, "command": {"command": "stop"}})
        if deadline is not None and time.monotonic() > deadline:
            worker.kill()
            return state("stopped", f"It did not stop by itself within {stop_seconds:g} s and was ended.")


def message_of(job: Job) -> Message:
    """What a worker process is told of a job."""
    return {
        "run": job.id,
        "kind": job.kind,
        "spec": job.spec.model_dump(mode="json"),
        "inputs": dict(job.inputs),
        "out": None if job.out is None else str(job.out.resolve()),
    }
