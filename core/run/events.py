"""The stream of events a run gives: plain dictionaries that are JSON as they stand.

In order: ``state`` running, ``started``, then ``step``, ``batch`` and ``epoch`` as they happen,
``finished``, and a last ``state`` that says how it ended. An ``epoch`` that ends the run early says why, in
``stop``.
"""

from __future__ import annotations

from typing import Any, Literal

Event = dict[str, Any]
State = Literal["queued", "running", "paused", "stopped", "failed", "finished", "interrupted"]
TERMINAL: frozenset[State] = frozenset({"stopped", "failed", "finished", "interrupted"})

MEASURED_TIMES = ("seconds", "images_per_second")  # all that may differ between two runs of one spec


def state(name: State, reason: str = "") -> Event:
    """A change of state; ``reason`` is one sentence, or empty."""
    return {"event": "state", "state": name, "reason": reason}


def lean(event: Event) -> Event:
    """The event without its pictures in numbers: what is kept of an epoch that has gone by."""
    return {key: value for key, value in event.items() if key not in _PICTURES}


_PICTURES = ("weights", "filters")
