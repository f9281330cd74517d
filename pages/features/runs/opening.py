"""Go to the run that was pressed in a picture: a component's callback can't leave the page itself."""

from __future__ import annotations

import streamlit as st

_OPEN = "runs.open"


def open_run(run_id: str) -> None:
    """Remember to open a run; for a component's callback."""
    st.session_state[_OPEN] = run_id


def open_what_was_pressed() -> None:
    """Go there; before anything is drawn."""
    if opened := st.session_state.pop(_OPEN, None):
        st.switch_page("pages/2_Train.py", query_params={"run": opened})
