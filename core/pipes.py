"""A worker process's side of its pipes: one JSON object a line, and nothing else gets in between."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

import psutil

MAX_LINE = 16 * 1024 * 1024  # bytes; a `batch` event with its images is the longest, about 100 kB
SAID_WHY = 75  # the exit status of a worker whose last words are a sentence for a person
PR_SET_PDEATHSIG = 1  # prctl(2)


def claim(descriptor: int, mode: str) -> BinaryIO:
    """Standard input or output for us alone: what a library reads or prints goes elsewhere."""
    ours = os.dup(descriptor)
    if descriptor == 0:
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
    else:
        sys.stdout.flush()
        os.dup2(2, descriptor)
    return os.fdopen(ours, mode)  # type: ignore[return-value]


def read(pipe: BinaryIO) -> Iterator[dict[str, Any]]:
    """What the parent says, until it ends; if it was killed in the middle of a line, that is its end."""
    for line in iter(lambda: pipe.readline(MAX_LINE), b""):
        try:
            yield json.loads(line)
        except ValueError:
            return


def write(pipe: BinaryIO, message: dict[str, Any]) -> None:
    pipe.write(json.dumps(message, allow_nan=False).encode() + b"\n")
    pipe.flush()


def lower_priority(niceness: int) -> None:
    """Let others go first, by ``niceness`` up to 19; on Windows there is one step."""
    if hasattr(os, "nice"):
        os.nice(niceness)
    else:
        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)  # type: ignore[attr-defined]


def end_with_parent() -> None:
    """Have Linux kill this process when the thread that started it ends. That of `core.jobs.process` ends
    with its process; and while torch loads, on a busy machine, the end of standard input is noticed late."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
