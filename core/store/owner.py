"""Which process runs a run, so that the next one can tell whether it is still there."""

from __future__ import annotations

import os
import platform
import zlib

import psutil

CLOCK_SECONDS = 2.0  # a process's creation time is derived from the boot time, which a clock may adjust


def this_process() -> str:
    """``pid/creation time/machine``: a pid alone is reused."""
    return f"{os.getpid()}/{psutil.Process().create_time():.2f}/{machine()}"


def machine() -> str:
    return platform.node()[:128]


def machine_number() -> int:
    """A number of this machine's own, for a lock that all its processes share."""
    return zlib.crc32(machine().encode())


def is_here(owner: str) -> bool:
    """Whether the process that wrote ``owner`` is one of this machine."""
    return owner.split("/", 2)[2:] == [machine()]


def is_alive(owner: str, *, one_machine: bool) -> bool:
    """Whether the process that wrote ``owner`` still runs.

    Args:
        one_machine: the database can only be used from one machine (SQLite), so that another machine's
            name is that of a container which was replaced. Otherwise another machine's word stands.
    """
    try:
        pid, created, where = owner.split("/", 2)
        if where != machine():
            return not one_machine
        return abs(psutil.Process(int(pid)).create_time() - float(created)) < CLOCK_SECONDS
    except (ValueError, OverflowError, psutil.NoSuchProcess):
        return False
    except psutil.AccessDenied:
        return True
