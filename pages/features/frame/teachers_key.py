"""``?teacher=KEY`` makes a visit the teacher's. The key leaves the address at once: a projector shows it."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

import streamlit as st

from core.jobs.rights import is_teachers_key, teachers_key
from pages.features.frame.visitor import keep_teachers_key, place

NAME = "teacher"  # in an address
WAIT_SECONDS = 1.0  # for the answer to a wrong key
TRIES = 5  # wrong ones of a place …
TRIES_SECONDS = 60.0  # … within so long
MOST_PLACES = 1_000  # that are remembered

NO_KEY = "This server has no teacher's key. Start it with one: AUGURY_TEACHER_KEY."
WRONG = "This is not the teacher's key."
TOO_MANY = "Too many wrong keys came from your address. Wait a minute, then try again."


class Tries:
    """Counts wrong keys by place; any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at: OrderedDict[str, list[float]] = OrderedDict()

    def take(self, place: str) -> bool:
        """Whether one more key of this place may be looked at; it counts as a wrong one until `forget`."""
        now = time.monotonic()
        with self._lock:
            recent = [at for at in self._at.pop(place, []) if at > now - TRIES_SECONDS]
            allowed = len(recent) < TRIES
            self._at[place] = [*recent, now] if allowed else recent
            while len(self._at) > MOST_PLACES:
                self._at.popitem(last=False)
        return allowed

    def forget(self, place: str) -> None:
        """The key was right."""
        with self._lock:
            self._at.pop(place, None)


_tries = Tries()


def take_teachers_key() -> None:
    """If the address has a key: make this visit the teacher's, or say why not."""
    if (key := st.query_params.pop(NAME, None)) is None:
        return
    if not teachers_key():
        st.error(NO_KEY, icon=":material/key_off:")
    elif not _tries.take(here := place()):
        st.error(TOO_MANY, icon=":material/key_off:")
    elif is_teachers_key(key):
        _tries.forget(here)
        keep_teachers_key(key)
    else:
        time.sleep(WAIT_SECONDS)
        st.error(WRONG, icon=":material/key_off:")
