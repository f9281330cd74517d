"""A worker without torch whose paths do what the spec's name says."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

from core.jobs.worker import serve
from core.run.control import Control
from core.run.errors import SpecError
from core.run.spec import RunSpec


def point(strength: float) -> dict[str, Any]:
    return {
        "event": "point",
        "strength": strength,
        "accuracy": 0.9,
        "exact": 0.5,
        "near": 0.6,
        "seconds": 1.0,
    }


def run(spec: RunSpec, control: Any, **_: Any) -> Iterator[dict[str, Any]]:
    yield {"event": "progress", "done": 0.25, "strength": None}
    if spec.name == "refused":
        raise SpecError("regularisers[0]", "it is refused.")
    if spec.name == "raises":
        raise RuntimeError("too\nbad")
    yield point(1e-4)
    yield {"event": "progress", "done": 0.5, "strength": 1e-3}
    if spec.name == "exits":
        os._exit(3)
    if spec.name.startswith("until stopped"):
        control.stop.wait(60)
        yield {"event": "state", "state": "stopped", "reason": ""}
        return
    yield point(float("nan") if spec.name == "not finite" else float(sys.argv[1]))
    yield {"event": "state", "state": "finished", "reason": f"{os.getpid()} {os.nice(0)}"}


if __name__ == "__main__":
    sys.exit(serve(lambda: (run, Control), niceness=15))
