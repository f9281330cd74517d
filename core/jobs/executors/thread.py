"""Training in the thread that asks."""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING, Any

from core.jobs.executors.base import Job, OnEvent
from core.jobs.worker import checked_events, load_engine
from core.run.commands import Control

if TYPE_CHECKING:
    from core.jobs.worker import Load

log = logging.getLogger(__name__)


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
