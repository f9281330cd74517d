"""How often each viewer of a run is shown something new: often alone, less often in a full class.

Viewers cost the machine that trains. So all of a run's viewers together are refreshed `REFRESHES` times
a second at most, and each at most once a second: up to 8 viewers every second, 30 every four.
"""

from __future__ import annotations

import math
import random
import threading
import time
import uuid

import streamlit as st

REFRESHES = 8  # a second, of all viewers of a run together
# An interval is kept so long, for a class that comes in would else re-run for each comer; and up to twice
# as long, by chance, for viewers who changed theirs together would ask together ever after.
SETTLED_SECONDS = 4.0
FORGOTTEN_SECONDS = 15.0  # a closed tab says nothing: who has not asked for so long is gone

_SETTLED = "augury.settled"
_lock = threading.Lock()
_seen: dict[str, dict[str, float]] = {}  # run → visit → when it last asked


def refresh_seconds(run_id: str) -> float:
    """Note that this visit watches ``run_id``; the whole seconds until it should ask again."""
    st.session_state[_SETTLED] = time.monotonic() + random.uniform(1, 2) * SETTLED_SECONDS
    return _wanted(run_id)


def outdated(run_id: str, interval: float) -> bool:
    """Note that this visit still watches; whether it has asked at ``interval`` long enough, and the class
    has grown or shrunk since."""
    wanted = _wanted(run_id)
    return wanted != interval and time.monotonic() > st.session_state[_SETTLED]


def _wanted(run_id: str) -> float:
    visit = st.session_state.setdefault("augury.visit", uuid.uuid4().hex)
    now = time.monotonic()
    with _lock:
        seen = _seen.setdefault(run_id, {})
        seen[visit] = now
        for other in [each for each, when in seen.items() if now - when > FORGOTTEN_SECONDS]:
            del seen[other]
        for run in [each for each, visits in _seen.items() if now - max(visits.values()) > FORGOTTEN_SECONDS]:
            del _seen[run]
        return float(max(1, math.ceil(len(seen) / REFRESHES)))
