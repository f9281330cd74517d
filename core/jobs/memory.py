"""A process that ends itself before it takes the machine's memory.

What it holds is looked at often: a limit of the system's (RLIMIT_DATA) would also count what torch and CUDA
reserve and never touch.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

import psutil

from core.processes import held_bytes

WATCH_SECONDS = 0.05


def run_bytes() -> int:
    """Of memory, for all that a run needs on this machine's processors: half of it, shared by the runs that
    go at a time; or ``AUGURY_RUN_BYTES``."""
    slots = max(1, int(os.environ.get("AUGURY_SLOTS") or 1))
    return int(os.environ.get("AUGURY_RUN_BYTES") or psutil.virtual_memory().total // (2 * slots))


def end_above(most_bytes: int, end: Callable[[str], None]) -> None:
    """Call ``end``, which does not return, once this process and its helpers hold more, with ``needed more
    than 2 GiB of memory and was ended``; from a thread of its own."""

    def watch() -> None:
        own = psutil.Process()
        while held_bytes(own) <= most_bytes:
            time.sleep(WATCH_SECONDS)
        end(f"needed more than {most_bytes / 2**30:.2g} GiB of memory and was ended")

    threading.Thread(target=watch, name="memory", daemon=True).start()
