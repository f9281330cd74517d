"""What a run's network could be made smaller to. Today that is told, and not yet done."""

from __future__ import annotations

import streamlit as st

from core.figures.measures import measure_now, measured
from core.figures.sparsity import removable
from core.jobs.views import RunView
from core.measure.catalogue import MEASURES
from pages.features.editor import choice
from pages.features.live.not_yet import wait
from pages.features.live.run_charts import shown_history

STORED = "bytes"  # the measures of how large a file is
PRUNABLE = "prunable"


def compress_tab(view: RunView) -> None:
    """What comes, what this network would weigh, and what a person can do for it now."""
    st.markdown(
        "**Here you will make this network smaller**: prune it, take out what is zero, store it in fewer "
        "bits. That is not built yet. What you can do today is train it so that zeros arise, and see here "
        "what they would save."
    )
    history = shown_history(view)
    last = history.result
    if last is None:
        wait(view)
    else:
        names = [name for name in measured(history) if name == PRUNABLE or MEASURES[name].within == STORED]
        st.caption(f"What its {last['sparsity']['weights']:,} weights take now, and what they could:")
        with st.container(horizontal=True, key="compress_figures"):
            for name in names:
                entry = MEASURES[name]
                st.metric(entry.title, measure_now(history, name), help=entry.help, width="content")
        if empty := removable(last, view.spec.model.arch):
            st.caption(f"Its wholly zero {empty} could be taken out: every image gets the same from them.")
    if view.ended:
        st.button(
            "Choose a regulariser and train again",
            icon=":material/tune:",
            key="compress.again",
            on_click=_choose_regularisers,
            args=(view,),
            help="L1 makes single weights zero; the group lasso whole filters and neurons.",
        )


def _choose_regularisers(view: RunView) -> None:
    del st.query_params["run"]
    choice.start_from(view.spec)
    choice.open_part("regularisers")
