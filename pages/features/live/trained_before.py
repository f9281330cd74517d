"""What was trained before is offered, and not computed again unless a person wants it."""

from __future__ import annotations

import streamlit as st

from core.jobs.views import RunView
from core.run.spec import RunSpec
from core.text.describe import title
from core.text.escape import plain
from core.text.shares import in_full
from pages.features.frame.setup import jobs
from pages.features.frame.when import when
from pages.features.live.starting import finished_before, start_anew, start_group, start_run

# In a visit: the spec that was asked for, and the run that is the same but perhaps for its name.
_OFFERED, _OPENED = "augury.offered", "augury.opened"


def start_or_offer(spec: RunSpec) -> None:
    """Start ``spec``, or remember to offer the run that it would repeat; for a button's ``on_click``."""
    if found := finished_before(spec):
        st.session_state[_OFFERED] = (spec, found)
    else:
        start_run(spec)


def start_seeds(spec: RunSpec, count: int) -> None:
    """Start ``count`` runs that differ in their seeds alone, from the spec's on, and are judged on the same
    images; the first is shown."""
    alike = spec.model_copy(update={"data": spec.data.model_copy(update={"split_seed": spec.split_seed})})
    seeds = ((spec.seed + i) % 2**31 for i in range(count))
    start_group([alike.model_copy(update={"seed": seed}) for seed in seeds])


def offer(spec: RunSpec) -> None:
    """Offer the run that ``spec`` would repeat, if that was just asked for and no choice has changed."""
    asked, run_id = st.session_state.get(_OFFERED, (None, ""))
    if asked is None:
        return
    view = jobs().view(run_id) if asked == spec else None
    if view is None:
        del st.session_state[_OFFERED]
        return
    st.info(f"Already trained {_how_it_went(view)}.", icon=":material/history:")
    with st.container(horizontal=True):
        st.button("Open it", type="primary", key="open_trained", on_click=_open, args=(spec, run_id))
        st.button("Train again", icon=":material/replay:", key="train_again", on_click=_again, args=(spec,))


def open_or_start(spec: RunSpec) -> None:
    """Go to the live page of ``spec``: of the run that it would repeat, or of a new one. Say here why not."""
    if found := finished_before(spec):
        st.session_state[_OPENED] = (spec, found)
        st.switch_page("pages/2_Train.py", query_params={"run": found})
    start_anew(spec)


def open_or_start_here(spec: RunSpec) -> None:
    """The same on the live page itself; for a button's ``on_click``."""
    if found := finished_before(spec):
        _open(spec, found)
    else:
        start_run(spec)


def trained_before_note(view: RunView) -> None:
    """On the page of a run that was opened in place of a new one: that nothing was computed."""
    spec, run_id = st.session_state.get(_OPENED, (None, ""))
    if run_id != view.id:
        st.session_state.pop(_OPENED, None)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.info(f"Trained before, {_how_it_went(view)}.", icon=":material/history:", width="stretch")
        st.button("Train again", icon=":material/replay:", key="train_again", on_click=_again, args=(spec,))


def _how_it_went(view: RunView) -> str:
    """E.g. ``on 26 November at 01:10 as “Baseline”: 97.3 % (973 of 1,000; 96–98)``, escaped."""
    said = f"{_on(view.finished_at or view.created_at)} as “{plain(title(view.spec))}”"
    result = view.history.result
    if result is None:
        return said
    return f"{said}: {in_full(result['validation_accuracy'], view.history.validation_images)}"


def _on(seconds: float) -> str:
    then = when(seconds)
    return f"on {then}" if " at " in then else f"at {then}"


def _open(spec: RunSpec, run_id: str) -> None:
    st.session_state.pop(_OFFERED, None)
    st.session_state[_OPENED] = (spec, run_id)
    st.query_params["run"] = run_id


def _again(spec: RunSpec) -> None:
    st.session_state.pop(_OFFERED, None)
    st.session_state.pop(_OPENED, None)
    start_run(spec)
