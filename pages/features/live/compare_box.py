"""From a run's page: lay it over one of the last runs on the same images, in two clicks."""

from __future__ import annotations

import streamlit as st

from core.jobs.views import RunView
from core.run.figures import result_of
from core.store.store import StoredRun
from core.study.repeats import but_seeds, drawn
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
    with st.popover("Compare with …", icon=":material/stacked_line_chart:"):
        others = _others(view)
        if not others:
            st.caption("There is no other run on these images yet.")
            return
        st.caption("The last runs on the same images; of several that differ in their seeds alone, one.")
        seeds = told_apart([title(run.spec) for run in others], [run.spec for run in others])
        for run, seed in zip(others, seeds, strict=True):
            apart = when(run.created_at) if seed is None else seed
            name = f"{title(run.spec)}, {apart}" if apart else title(run.spec)
            accuracy = percent(result_of(run.summary or {})["validation_accuracy"])
            st.page_link(
                "pages/3_Runs.py",
                label=plain(f"{name}: {accuracy}"),
                query_params={"runs": f"{run.id},{view.id}"},
            )


def _others(view: RunView) -> list[StoredRun]:
    """One a setting: that with the seeds of this run, if there is such a one, or else the newest."""
    found: dict[str, StoredRun] = {}
    for run in jobs().recent(LOOKED_THROUGH):
        if run.id == view.id or not run.summary or not on_same_data(run.spec, view.spec):
            continue
        setting = but_seeds(run.spec).to_json()
        if setting not in found or drawn(found[setting].spec) != drawn(view.spec) == drawn(run.spec):
            found[setting] = run
    return list(found.values())[:SHOWN]
