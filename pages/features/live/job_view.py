"""A job that is no training: what it is, how far it is, and the table that it fills."""

from __future__ import annotations

import streamlit as st

from core.catalogue import title_of
from core.jobs.kinds import KINDS
from core.jobs.views import RunView
from core.run.events import Event
from core.text.describe import in_words
from core.text.escape import plain
from pages.features.frame.asked import ask, may_change
from pages.features.frame.job_box import REFRESH_SECONDS, how_far
from pages.features.frame.setup import jobs


def job_view(view: RunView) -> None:
    """Draw the job, live if it is."""
    st.title(plain(title_of(KINDS, view.kind)), anchor=False)
    if entry := KINDS.get(view.kind):
        st.caption(entry.help)
    st.markdown(plain(in_words(view.spec)))
    if not view.ended:
        st.fragment(_live, run_every=REFRESH_SECONDS)(view.id)
        return
    if view.state == "failed":
        st.error(f"It failed. {plain(view.reason)}", icon=":material/error:")
    else:
        st.info(f"{view.state.capitalize()}. {plain(view.reason)}", icon=":material/info:")
    _table(view)


def _live(run_id: str) -> None:
    view = jobs().view(run_id)
    if view is None or view.ended or st.query_params.get("run") != run_id:
        st.rerun()  # the whole page: it draws a job that has ended
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(view.progress().share, plain(how_far(view)), width="stretch")
        if may_change(view):
            st.button("Stop", icon=":material/stop:", key="stop", on_click=ask, args=(jobs().stop, view.id))
    _table(view)


def _table(view: RunView) -> None:
    if view.history.rows:
        st.dataframe([_cells(row) for row in view.history.rows], hide_index=True)


def _cells(row: Event) -> dict[str, str | int | float]:
    """What of a row fits into cells: its words and numbers."""
    return {
        name.replace("_", " ").capitalize(): value
        for name, value in row.items()
        if name != "event" and isinstance(value, str | int | float)
    }
