"""What is training on this server now, and what ended last."""

from __future__ import annotations

import streamlit as st

from core.describe import in_words
from core.jobs import RunView
from pages.widgets.setup import jobs

REFRESH_SECONDS = 2.0
SHOWN = 5


def running_now() -> None:
    """A line a live run, kept up to date; the last ended one when there is none."""
    live = bool(jobs().live())
    st.fragment(_lines, run_every=REFRESH_SECONDS if live else None)()


def _lines() -> None:
    live = jobs().live()
    if live:
        st.markdown("**Running now**")
    for view in live[:SHOWN]:
        _line(view)
    if len(live) > SHOWN:
        st.caption(f"and {len(live) - SHOWN} more that wait")
    if not live:
        for stored in jobs().recent(1):
            if last := jobs().view(stored.id):
                st.markdown("**Last run**")
                _line(last)


def _line(view: RunView) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        progress = view.progress()
        said = [view.spec.name or "Unnamed", view.state]
        if view.history.epochs:
            last = view.history.epochs[-1]
            said += [f"{last['validation_accuracy']:.1%} right", f"{last['sparsity']['exact']:.0%} zeros"]
        st.progress(progress.share, " · ".join(said), width="stretch")
        st.page_link(
            "pages/2_Train.py",
            label="Watch",
            icon=":material/monitoring:",
            query_params={"run": view.id},
            help=in_words(view.spec),
        )
