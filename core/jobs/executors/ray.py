"""Training on the machines of a Ray cluster: each job is a task, placed where its processors or device are.

A process of this machine passes a job on (`core.jobs.executors.ray_relay`), for whoever is part of a Ray
cluster ends when the cluster does, and the server must not.
"""

from __future__ import annotations

import sys

from core.jobs.executors.base import Job, OnEvent
from core.jobs.executors.process import WorkerExecutor
from core.jobs.kinds import KINDS
from core.run.commands import Control

RELAY_COMMAND = (sys.executable, "-m", "core", "relay")
STOP_SECONDS = 30.0  # how long a task may take to stop and to copy what it leaves


class RayExecutor:
    """Has a Ray cluster compute what any machine can; the rest is computed by workers of this one."""

    def __init__(self) -> None:
        self._here = WorkerExecutor()
        self._there = WorkerExecutor(RELAY_COMMAND, STOP_SECONDS)

    def execute(self, job: Job, control: Control, on_event: OnEvent) -> None:
        travels = job.kind in KINDS and KINDS[job.kind].travels
        (self._there if travels else self._here).execute(job, control, on_event)

    def resident_bytes(self, job_id: str) -> int:
        """Of what another machine computes nothing is known."""
        return self._here.resident_bytes(job_id)

    def warm(self) -> None:
        """Start a process that connects to the cluster while nobody waits for it."""
        self._there.warm()

    def close(self) -> None:
        self._there.close()
        self._here.close()
