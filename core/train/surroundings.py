"""What the last bits of a run depend on beside its spec: versions, threads, the kind of device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import kornia
import torch

from core import __version__
from core.run.events import Surroundings

DEVICES = {"cpu": "a CPU", "cuda": "a CUDA device"}


def surroundings(device: torch.device, processes: int = 1) -> Surroundings:
    """``{"device": its type, "threads", "versions": {"augury", "torch", "kornia"}}``, as they are now, and
    how many ``processes`` train together if there are several."""
    versions = {"augury": __version__, "torch": str(torch.__version__), "kornia": kornia.__version__}
    now: Surroundings = {"device": device.type, "threads": torch.get_num_threads(), "versions": versions}
    if processes > 1:
        now["processes"] = processes
    return now


def changes(before: Mapping[str, Any], now: Mapping[str, Any], epoch: int) -> list[str]:
    """What to say of a run that began in other `surroundings` than it is resumed in after ``epoch``: a
    sentence, or nothing."""
    found = []
    processes = [each.get("processes", 1) for each in (before, now)]
    if processes[0] != processes[1]:
        found.append(
            f"with {processes[1]} process{'es' if processes[1] != 1 else ''} instead of {processes[0]}"
        )
    if before["threads"] != now["threads"]:
        threads = now["threads"]
        each = " each" if processes[1] > 1 else ""
        found.append(
            f"with {threads} thread{'s' if threads != 1 else ''}{each} instead of {before['threads']}"
        )
    for name, version in now["versions"].items():
        if before["versions"][name] != version:
            found.append(f"with {name} {version} instead of {before['versions'][name]}")
    if before["device"] != now["device"]:
        found.append(f"on {DEVICES[now['device']]} instead of {DEVICES[before['device']]}")
    if not found:
        return []
    return [
        f"Resumed {', '.join(found)}: from epoch {epoch + 1} on the numbers are not those of an "
        "uninterrupted run, bit for bit."
    ]
