"""What every executor computes, and how it is asked to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from core.run.commands import Control
from core.run.events import Event
from core.run.spec import RunSpec

OnEvent = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Job:
    """What is computed.

    Args:
        kind: a name of `core.jobs.kinds.KINDS`.
        inputs: what the kind asks for beside the spec: JSON values.
        out: a folder for what it leaves on disk.
    """

    id: str
    spec: RunSpec
    kind: str = "train"
    inputs: Mapping[str, Any] = field(default_factory=dict)
    out: Path | None = None


class Executor(Protocol):
    """Computes one run at a time in each thread that calls `execute`."""

    def execute(self, job: Job, control: Control, on_event: OnEvent) -> None:
        """Compute a job; its last event is a final state."""

    def resident_bytes(self, job_id: str) -> int:
        """The memory of the process that computes a job; 0 if none does that has no other work."""

    def warm(self) -> None:
        """Prepare for the next run, so that it starts at once."""

    def close(self) -> None:
        """Let go of everything. Runs that go on have been asked to stop; what can be killed is."""
