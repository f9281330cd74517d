"""A worker process's side of its pipes: one JSON object a line, and nothing else gets in between."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, BinaryIO

import psutil


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


def write(pipe: BinaryIO, message: dict[str, Any]) -> None:
    pipe.write(json.dumps(message, allow_nan=False).encode() + b"\n")
    pipe.flush()


def lower_priority(niceness: int) -> None:
    """Let others go first, by ``niceness`` up to 19; on Windows there is one step."""
    if hasattr(os, "nice"):
        os.nice(niceness)
    else:
        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)  # type: ignore[attr-defined]
