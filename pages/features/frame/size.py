"""Presenter size: letters that a class can read from a projector, on pages and charts.

``?size=presenter`` in the address turns it on, and so does a switch in Share. It then stays for the visit,
from page to page. Charts follow the page's letters (`pages.components.live_chart`).
"""

from __future__ import annotations

import streamlit as st

NAME, PRESENTER = "size", "presenter"
_KEPT = "augury.presenter"  # whether this visit is at presenter size


def presenter_size() -> bool:
    """Whether this page is at presenter size; the address says so from then on."""
    if NAME in st.query_params:
        st.session_state[_KEPT] = st.query_params[NAME] == PRESENTER
    elif st.session_state.get(_KEPT):
        st.query_params[NAME] = PRESENTER
    return bool(st.session_state.get(_KEPT))


def size_switch() -> None:
    """Turn it on and off."""
    key = "share.size"
    st.session_state[key] = bool(st.session_state.get(_KEPT))
    st.toggle(
        "Presenter size", key=key, on_change=_switch, args=(key,),
        help="Larger letters, for a projector. Only on this screen: links do not carry it.",
    )  # fmt: skip


def _switch(key: str) -> None:
    st.session_state[_KEPT] = on = bool(st.session_state[key])
    if on:
        st.query_params[NAME] = PRESENTER
    else:
        st.query_params.pop(NAME, None)
