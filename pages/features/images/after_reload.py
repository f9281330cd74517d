"""A tab's own pictures, so that a reload does not lose them: in memory, for a few minutes, within a bound.

A reload is a new visit to Streamlit. The browser keeps a random name for its tab, which is in no address and
on no disk, and says it when the page is opened again.
"""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple

import streamlit as st

SECONDS = 300  # that a tab's pictures are kept once it is gone; as long as Streamlit keeps its visit
MOST_BYTES = 32 << 20  # of all tabs' pictures together
_TAB = "augury.tab"

_NAME_OF_TAB = """
export default function ({ data, setStateValue }) {
  let name = sessionStorage.getItem("augury.tab");
  if (!name) {
    const bytes = Array.from(crypto.getRandomValues(new Uint8Array(16)));
    name = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
    sessionStorage.setItem("augury.tab", name);
  }
  if (name !== data.known) setStateValue("name", name);
}
"""

_tab = st.components.v2.component("augury_tab", html="<span hidden></span>", js=_NAME_OF_TAB)


class Pictures(NamedTuple):
    """What became of each file that was given, and the pixels of those that are shown, by their digests."""

    given: Mapping[str, tuple[str | None, str]]
    sent: Mapping[str, tuple[str, int]]


class Tabs:
    """Pictures by the name of a tab, those that were seen longest ago forgotten. Thread-safe."""

    def __init__(self, most_bytes: int = MOST_BYTES, seconds: float = SECONDS) -> None:
        self._most_bytes, self._seconds = most_bytes, seconds
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[Pictures, int, float]] = OrderedDict()

    def keep(self, name: str, pictures: Pictures) -> None:
        size = sum(len(pixels) for pixels, _ in pictures.sent.values())
        with self._lock:
            self._kept.pop(name, None)
            if pictures.given:
                self._kept[name] = pictures, size, time.monotonic()
            self._forget()

    def get(self, name: str) -> Pictures | None:
        with self._lock:
            self._forget()
            found = self._kept.get(name)
            return found[0] if found else None

    def _forget(self) -> None:
        while self._kept:
            _, _, at = next(iter(self._kept.values()))
            bytes_held = sum(size for _, size, _ in self._kept.values())
            if bytes_held <= self._most_bytes and time.monotonic() - at <= self._seconds:
                return
            self._kept.popitem(last=False)


TABS = Tabs()


def name_of_tab() -> str | None:
    """Of the browser's tab, 32 hex digits; None until it has said it."""
    told: Any = st.session_state.get(_TAB) or {}
    name = told.get("name")
    name = name if isinstance(name, str) and re.fullmatch(r"[0-9a-f]{32}", name) else None
    with st.container(key="own_tab"):
        _tab(key=_TAB, data={"known": name or ""}, on_name_change=lambda: None)
    return name
