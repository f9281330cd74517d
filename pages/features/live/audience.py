"""How often each viewer of a run is shown something new: often alone, less often in a full class.

Viewers cost the machine that trains. Who watches alone is refreshed more than twice a second. All of a run's
viewers together are refreshed `REFRESHES` times a second at most, and each at most once a second: up to 6
viewers every second, 30 about every five. Nobody waits longer than `MOST_SECONDS`, however many visits
somebody opens and closes.
"""

from __future__ import annotations

import math
import random
import threading
import time
import uuid

import streamlit as st
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_run_context import ThreadState

ALONE_SECONDS = 0.4  # and what a refresh takes on top: a browser counts from the answer
MOST_SECONDS = 15.0
REFRESHES = 6  # a second, of all viewers of a run together
FORGOTTEN_SECONDS = 15.0  # or two turns: a closed tab says nothing; who has not asked for so long is gone

_lock = threading.Lock()
_seen: dict[str, dict[str, float]] = {}  # run → visit → when it last asked


def refresh_seconds(run_id: str) -> float:
    """Note that this visit watches ``run_id``; the seconds until it should ask again.

    Where it takes turns with others they vary by a quarter, by chance: a class that came together would ask
    together ever after.
    """
    turn = _turn(run_id)
    return turn if turn <= 1 else turn * random.uniform(0.75, 1.25)


def is_alone(run_id: str) -> bool:
    """Whether at most one visit watches ``run_id``."""
    with _lock:
        return len(_seen.get(run_id, ())) <= 1


def ask_again_in(seconds: float) -> None:
    """Give the fragment that runs another ``run_every``.

    Streamlit tells a browser of an interval only where the whole page is drawn, which costs as much as ten
    turns of a fragment. A browser heeds it whenever it comes.
    """
    context = get_script_run_ctx()
    assert context is not None
    message = ForwardMsg()
    message.auto_rerun.interval = seconds
    message.auto_rerun.fragment_id = ThreadState.get().fragment_id or ""
    context.enqueue(message)


def _turn(run_id: str) -> float:
    visit = st.session_state.setdefault("augury.visit", uuid.uuid4().hex)
    now = time.monotonic()
    with _lock:
        seen = _seen.setdefault(run_id, {})
        seen.pop(visit, None)
        seen[visit] = now  # at the end: who asked longest ago stands first
        forgotten = max(FORGOTTEN_SECONDS, 2 * min(len(seen) / REFRESHES, MOST_SECONDS))
        for watched in list(_seen):
            _forget(watched, now - forgotten)
        if len(seen) == 1:
            return ALONE_SECONDS
        return min(float(max(1, math.ceil(len(seen) / REFRESHES))), MOST_SECONDS)


def _forget(run_id: str, before: float) -> None:
    seen = _seen[run_id]
    while seen and (visit := next(iter(seen))) and seen[visit] < before:
        del seen[visit]
    if not seen:
        del _seen[run_id]
