"""What is known of the processes that compute this one's run with it."""

from __future__ import annotations

from contextlib import suppress

import psutil

HELPERS: set[int] = set()
"""Their ids: what they hold of memory, this process holds."""


def held_bytes(own: psutil.Process) -> int:
    """The memory that this process, ``own``, and its helpers hold."""
    total = int(own.memory_info().rss)
    for pid in tuple(HELPERS):
        with suppress(psutil.Error):  # it has just ended
            total += int(psutil.Process(pid).memory_info().rss)
    return total
