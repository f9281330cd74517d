"""Whether there is memory for a run now; if not, it waits, and those behind it may pass for a while."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil

from core.jobs.needs import WORKER_BYTES, gib, needed_bytes
from core.jobs.rights import Asker
from core.run.errors import SpecError
from core.run.spec import parse

PASSED_SECONDS = 60.0  # then none passes until what runs here has made room


def available_bytes() -> int:
    """The memory of this machine that can be had now."""
    return int(psutil.virtual_memory().available)


class Room:
    """Looks at this machine's memory; used under the queue's lock for claiming.

    Args:
        free_bytes: how much is free now.
    """

    def __init__(self, free_bytes: Callable[[], int] = available_bytes) -> None:
        self._free_bytes = free_bytes
        self._since: dict[str, float] = {}  # run → when it was first told to wait, on the monotonic clock

    def why_not(self, run_id: str, spec: str, visitor: str, alone: bool) -> str:
        """Why a run can't start now, in one sentence; empty if it can.

        Args:
            spec: its JSON.
            alone: nothing else of ours trains on this machine. Who sits at it then need not wait: no run will
                ever make room.
        """
        if alone and (not visitor or Asker(visitor).is_teacher):
            return ""
        try:
            needed = needed_bytes(parse(spec))
        except SpecError:  # it will say so itself
            return ""
        if needed - WORKER_BYTES <= self._free_bytes():  # a warm worker holds its share already
            self._since.pop(run_id, None)
            return ""
        self._since.setdefault(run_id, time.monotonic())
        return f"It waits for memory: it needs about {gib(needed)}, and starts when there is room."

    def may_be_passed(self, run_id: str, alone: bool) -> bool:
        """Whether one behind a run that waits for memory may start. Not for ever, or small runs could keep a
        large one out."""
        return alone or time.monotonic() - self._since.get(run_id, 0.0) < PASSED_SECONDS
