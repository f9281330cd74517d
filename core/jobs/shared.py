"""The one manager of jobs of this process, made as the environment says."""

from __future__ import annotations

import os
import sys
import threading

from core.jobs.executors import chosen_executor, make_executor
from core.jobs.limits import read_limits
from core.jobs.manager import Jobs
from core.jobs.rights import teachers_key
from core.jobs.room import Room
from core.run.errors import SpecError
from core.store.store import Store

_shared: Jobs | None = None
_shared_lock = threading.Lock()


def shared_jobs() -> Jobs:
    """The one manager of this process, made when it is first asked for. It is no cached value of Streamlit's,
    which any visitor's browser can have cleared.

    Raises:
        SpecError: see `make_jobs`.
    """
    global _shared
    with _shared_lock:
        if _shared is None or _shared.closed:
            _shared = make_jobs()
        return _shared


def forget_shared_jobs() -> None:
    """Close the shared manager, if there is one; the next call of `shared_jobs` makes another."""
    global _shared
    with _shared_lock:
        closing, _shared = _shared, None
    if closing is not None:
        closing.close()


def make_jobs() -> Jobs:
    """The jobs of this installation, as the environment says: ``AUGURY_HOME``, ``AUGURY_DATABASE_URL``,
    ``AUGURY_ARTEFACTS``, ``AUGURY_EXECUTOR``, ``AUGURY_SLOTS``, ``AUGURY_LIMITS`` and ``AUGURY_TEACHER_KEY``.

    Raises:
        SpecError: one of them is of no use.
    """
    teachers_key()  # refused now, not when a teacher stands before the class
    room = Room(lambda: sys.maxsize) if chosen_executor().elsewhere else Room()
    store, executor = Store(os.environ.get("AUGURY_DATABASE_URL")), make_executor()
    return Jobs(store, executor, chosen_slots(), read_limits(), room)


def chosen_slots() -> int:
    """``AUGURY_SLOTS``: how many jobs are computed at a time on this machine.

    Raises:
        SpecError: it is no number from 1 to 64.
    """
    slots = os.environ.get("AUGURY_SLOTS") or "1"
    if not slots.isdecimal() or not 1 <= int(slots) <= 64:
        raise SpecError("AUGURY_SLOTS", f"{slots!r} is not a number from 1 to 64.")
    return int(slots)
