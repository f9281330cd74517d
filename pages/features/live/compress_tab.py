"""A run's network, made smaller: what each way costs and loses, in one picture."""

from __future__ import annotations

import json
from collections.abc import Sequence

import streamlit as st

from core.figures.compress import AXES, Cost, chart
from core.figures.measures import measure_now, measured
from core.figures.sparsity import removable
from core.jobs.views import RunView
from core.measure.catalogue import MEASURES
from core.store.store import is_run_id
from core.text.escape import plain
from pages.components.live_chart import live_chart
from pages.features.compress.family import family, points
from pages.features.compress.form import chosen_way, form
from pages.features.compress.tables import layers, live, networks
from pages.features.editor import choice
from pages.features.frame.setup import jobs
from pages.features.live.not_yet import wait
from pages.features.live.run_charts import shown_history

STORED = "bytes"  # the measures of how large a file is
PRUNABLE = "prunable"
CHART_HEIGHT, CHART_SHARE, LOOK_SECONDS = 260, 0.4, 1.5


def compress_tab(view: RunView) -> None:
    """The picture, and beside it what can be made."""
    if not view.ended:
        st.info("When the run has ended, its network can be made smaller here.", icon=":material/compress:")
        _stored(view)
        return
    if view.history.result is None:
        wait(view)
        return
    way = chosen_way()
    members = family(view)
    left, right = st.columns([3, 2], gap="large")
    with left:
        going = any(not each.ended for each in members)
        st.fragment(_family, run_every=LOOK_SECONDS if going else None)(view.id)
    with right:
        form(view, way)
        if PRUNABLE in measured(shown_history(view)):
            share = measure_now(shown_history(view), PRUNABLE)
            st.caption(f"Of its smallest weights {plain(share)} could go at once without being noticed.")
    found = points(members)
    if _has_picture(found):
        networks(found, view.id)
        layers(view)


def _family(run_id: str) -> None:
    if st.query_params.get("run") != run_id:  # what was pressed here leads elsewhere
        st.rerun()
    view = jobs().view(run_id)
    if view is None:
        return
    members = family(view)
    live(members[1:])
    found = points(members)
    if not _has_picture(found):
        st.info(
            "Choose a way, and press its button: every network that is made of this one becomes a point "
            "here, its accuracy against what it costs.",
            icon=":material/compress:",
        )
        _stored(view)
    else:
        axis = st.segmented_control(
            "Against", list(AXES), default=next(iter(AXES)), required=True, key="compress.axis"
        )
        if drawn := chart(found, axis or next(iter(AXES)), view.id):
            live_chart(
                json.dumps(drawn.figure), key=f"compress.{view.id}", height=CHART_HEIGHT, share=CHART_SHARE,
                alt=drawn.alt, on_pick=_open,
            )  # fmt: skip
        st.caption("Whiskers are 95 % intervals. A click on a point opens its run.")
    if not any(not each.ended for each in members) and st.session_state.pop(_going(run_id), False):
        st.rerun()
    st.session_state[_going(run_id)] = any(not each.ended for each in members)


def _has_picture(found: Sequence[Cost]) -> bool:
    return len([each for each in found if each.kind != "other"]) > 1


def _going(run_id: str) -> str:
    return f"augury.compress.{run_id}"


def _open(run_id: str) -> None:
    """A point that was pressed says which run it is; it comes from a browser."""
    if is_run_id(run_id) and jobs().view(run_id) is not None:
        st.query_params["run"] = run_id


def _stored(view: RunView) -> None:
    """What its weights take, and what they could."""
    history = shown_history(view)
    last = history.result
    if last is None:
        return
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
            help="Or train it so that zeros arise: L1 makes single weights zero; the group lasso whole "
            "filters and neurons.",
        )


def _choose_regularisers(view: RunView) -> None:
    del st.query_params["run"]
    choice.start_from(view.spec)
    choice.open_part("regularisers")
