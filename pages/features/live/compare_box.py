"""From a run's page: lay it over one of the last runs on the same images, in two clicks."""

from __future__ import annotations

import streamlit as st

from core.jobs.views import RunView
from core.run.figures import result_of
from core.text.compare import on_same_data
from core.text.describe import title
from core.text.escape import plain
from core.text.seeds import told_apart
from core.text.shares import percent
from pages.features.frame.setup import jobs
from pages.features.frame.when import when

LOOKED_THROUGH, SHOWN = 100, 10  # runs


def compare_box(view: RunView) -> None:
    """A link a run, the newest first; those that have no epoch are left out."""
    if not view.history.epochs:
        return
    others = [
        run
        for run in jobs().recent(LOOKED_THROUGH)
        if run.id != view.id and run.summary and on_same_data(run.spec, view.spec)
    ][:SHOWN]
    with st.popover("Compare with …", icon=":material/stacked_line_chart:"):
        if not others:
            st.caption("There is no other run on these images yet.")
            return
        st.caption("The last runs on the same images, the newest first")
        seeds = told_apart([title(run.spec) for run in others], [run.spec for run in others])
        for run, seed in zip(others, seeds, strict=True):
            apart = when(run.created_at) if seed is None else seed
            name = f"{title(run.spec)}, {apart}" if apart else title(run.spec)
            assert run.summary is not None
            accuracy = percent(result_of(run.summary)["validation_accuracy"])
            st.page_link(
                "pages/3_Runs.py",
                label=plain(f"{name}: {accuracy}"),
                query_params={"runs": f"{run.id},{view.id}"},
            )
