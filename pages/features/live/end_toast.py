"""A word in the corner when a run ends under somebody's eyes."""

from __future__ import annotations

import streamlit as st

from core.jobs.views import RunView
from core.text.describe import title
from core.text.escape import plain
from core.text.shares import in_full

_LIVE = "augury.watched_live"  # the run that this visit last saw alive


def end_toast(view: RunView) -> None:
    """Say how the run ended, once, to who saw it run. Call it wherever the run is drawn: a fragment's words
    go when the page that has ended is drawn in its place."""
    if not view.ended:
        st.session_state[_LIVE] = view.id
    elif st.session_state.get(_LIVE) == view.id:
        del st.session_state[_LIVE]
        words, icon = _how(view)
        st.toast(plain(words), icon=icon, duration="long")


def _how(view: RunView) -> tuple[str, str]:
    """A sentence and an icon."""
    name, result = title(view.spec), view.history.result
    verb = {"failed": "has failed", "interrupted": "was interrupted", "stopped": "was stopped"}
    said = f"{name} {verb.get(view.state, 'has finished')}"
    if view.state in ("failed", "interrupted") or not result:
        return f"{said}.", ":material/error:" if view.state == "failed" else ":material/info:"
    accuracy = in_full(result["validation_accuracy"], view.history.validation_images)
    return f"{said}: validation accuracy {accuracy}.", ":material/check_circle:"
