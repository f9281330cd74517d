"""A process that ends itself before it takes the machine's memory.

What it holds is looked at often: a limit of the system's (RLIMIT_DATA) would also count what torch and CUDA
reserve and never touch.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import psutil

WATCH_SECONDS = 0.05


def end_above(most_bytes: int, end: Callable[[str], None]) -> None:
    """Call ``end``, which does not return, once this process holds more, with ``needed more than 2 GiB of
    memory and was ended``; from a thread of its own."""

    def watch() -> None:
        process = psutil.Process()
        while process.memory_info().rss <= most_bytes:
            time.sleep(WATCH_SECONDS)
        end(f"needed more than {most_bytes / 2**30:.2g} GiB of memory and was ended")

    threading.Thread(target=watch, name="memory", daemon=True).start()
