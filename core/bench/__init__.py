"""``python -m core bench``: what training through Augury costs, and how fast it augments, beside others."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any


def bench(as_json: bool, only: str | None = None, rounds: int | None = None) -> int:
    """Measure and print; returns the exit status.

    Args:
        only: "training" or "augment"; both if left out.
        rounds: how often each way is measured; each part's own number if left out.
    """
    measured: dict[str, Any] = {}
    for name, part in _parts().items():
        if only in (None, name):
            measured[name] = part.measure(rounds or part.ROUNDS)
            if not as_json:
                print(part.table(measured[name]), end="\n\n", flush=True)
    if as_json:
        print(json.dumps(measured, indent=2))
    return 0


def _parts() -> dict[str, ModuleType]:
    from core.bench import augment, training

    return {"training": training, "augment": augment}
