"""The landing page: what this is, the person's last run, four lessons, and more experiments by family."""

from __future__ import annotations

import streamlit as st

from core.presets import LESSONS, PRESETS
from core.text.escape import plain
from pages.components.live_chart import preload_charts
from pages.features.frame.setup import jobs, page
from pages.features.live.starting import finished_before, frozen_note
from pages.features.runs.running import running_now
from pages.features.start.expected import measured
from pages.features.start.families import families
from pages.features.start.lesson import lesson
from pages.features.start.teachers_view import teachers_view, teaches

LOOKED_THROUGH = 50  # runs, for how long a lesson takes here


def landing() -> None:
    """Draw the whole page."""
    page("Start")
    with st.container(key="start_head", horizontal=True, vertical_alignment="bottom"):
        st.title("Augury", anchor=False, width="content")
        st.markdown(
            "See what augmentation, structure and regularisation do to a neural network, live.",
            width="content",
        )
    frozen_note()
    running = st.container(key="start_running")
    _lessons()
    st.subheader("More experiments, by family", anchor=False)
    families([preset for name, preset in PRESETS.items() if name not in LESSONS])
    with running:  # last, for it asks the database
        if teaches():
            teachers_view()
        else:
            running_now()
    preload_charts()


def _lessons() -> None:
    runs = jobs().recent(LOOKED_THROUGH)
    done = {name: finished_before(PRESETS[name].spec) is not None for name in LESSONS}
    next_one = next((name for name in LESSONS if not done[name]), None)
    with st.container(key="lessons_head", horizontal=True, vertical_alignment="bottom"):
        st.subheader("Four lessons, in this order", anchor=False, width="content")
        st.caption(plain(_measured_with()), width="content")
    for number, (column, name) in enumerate(zip(st.columns(len(LESSONS)), LESSONS, strict=True), 1):
        with column.container(border=True, height="stretch", key=f"preset.{name}"):
            lesson(number, PRESETS[name], runs, done=done[name], is_next=name == next_one)


def _measured_with() -> str:
    run = measured()[LESSONS[0]]
    versions = " and ".join(f"{name} {run['versions'][name]}" for name in ("torch", "kornia"))
    return f"Curves: one run each, seed {run['seed']}, {versions}."
