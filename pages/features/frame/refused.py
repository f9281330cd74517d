"""Why what a visitor asked for last was not done: remembered by the click, said once by the page."""

from __future__ import annotations

import streamlit as st

from core.run.errors import SpecError
from core.text.escape import plain
from core.text.refusals import in_words

_REFUSED = "augury.refused"


def refuse(error: SpecError, at: str = "") -> None:
    """Have `refusal` say why something was not done.

    Args:
        at: where on the page; empty: at its head.
    """
    st.session_state[_REFUSED + at] = in_words(error)


def refusal(at: str = "") -> None:
    """Say why the last start, or what was asked of a run last, was refused, once."""
    if said := st.session_state.pop(_REFUSED + at, None):
        st.error(plain(said), icon=":material/error:")
