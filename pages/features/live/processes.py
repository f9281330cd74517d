"""What it brings that several processes train a run, beside the same run trained by one."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.catalogues import completed
from core.jobs.views import RunView
from core.run.errors import SpecError
from core.text.processes import apart, by_one_process, table, trained
from pages.features.frame.setup import jobs
from pages.features.frame.teacher import part_shown
from pages.features.live.starting import start_run

_MEANING = (
    "Images a second while it trains: the median of its epochs. Speed-up: how many times as many as one "
    "process has with all of its threads. Efficiency: the speed-up over the number of processes. Bytes: what "
    "each process hands to the others in a step, counted as it hands it over."
)


def processes_part(view: RunView) -> None:
    """A table of the run and of the one with one process; nothing for a run of one."""
    ours = trained(view.history)
    if view.spec.train.processes == 1 or ours is None:
        return
    alone = _alone(view)
    theirs = trained(alone.history) if alone else None
    st.markdown("**Processes**", help=_MEANING)
    st.dataframe(pd.DataFrame(table(ours, theirs)), hide_index=True, width="content", key="processes")
    if alone is None:
        _offer(view)
        return
    if found := apart(view.history, alone.history):
        share, epochs = found
        over = "the first epoch" if epochs == 1 else f"{epochs:d} epochs"
        st.caption(
            f"Over {over} the losses of the two runs differ by at most {share:.1e} of their value. Sums in "
            "another order differ in their last digit, and that grows as training goes on: with another "
            "number of threads in one process, too."
        )
    st.page_link("pages/2_Train.py", label="Open the run with one process", query_params={"run": alone.id})


def _alone(view: RunView) -> RunView | None:
    """The newest finished run that is the same, but by one process; never one of another machine."""
    if view.history.edits:
        return None
    try:
        spec = completed(by_one_process(view.spec))
    except SpecError:  # a part of it is no longer there
        return None
    found = jobs().already(spec, inputs=view.inputs, parents=view.parents)
    other = jobs().view(found.id) if found else None
    here, there = (each.history.started if each else None for each in (view, other))
    same = here and there and here.get("device_name") == there.get("device_name")
    return other if same and view.imported_at is None else None


def _offer(view: RunView) -> None:
    if view.history.edits:
        st.caption("It was changed while it trained, so there is no run with one process that is the same.")
    elif view.imported_at is not None:
        st.caption("It was trained elsewhere; a run of this machine says nothing about its speed.")
    elif view.inputs.get("parent"):
        st.caption("To compare, branch from the same step with one process.")
    elif view.ended and part_shown("next"):
        st.caption("Speed-up is measured, not assumed: the same run with one process is not there yet.")
        st.button(
            "Train it with one process",
            icon=":material/play_arrow:",
            key=f"processes.alone.{view.id}",
            on_click=start_run,
            args=(by_one_process(view.spec),),
        )
