"""What a part of a run's page says where it has nothing to show."""

from __future__ import annotations

import streamlit as st

from core.jobs.views import RunView

OLDER = "This run is of an older version of Augury, which did not keep this. Train it again to see it."


def wait(view: RunView) -> None:
    """Of a run that has no epoch, so far or for ever."""
    ended = "The run ended before its first epoch did."
    st.caption(ended if view.ended else "There is something to see after the first epoch.")
