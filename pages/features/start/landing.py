"""The landing page: what this is, four lessons, the families in a picture each, and more experiments."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.catalogues import filled
from core.presets import LESSONS, PRESETS, Preset
from core.run.address import encode
from core.store.store import StoredRun
from core.text.describe import budget
from core.text.escape import plain
from core.text.how_long import how_long, in_words
from pages.components.live_chart import preload_charts
from pages.features.frame.setup import jobs, page
from pages.features.live.starting import frozen_note
from pages.features.live.trained_before import finished_before, open_or_start
from pages.features.runs.running import running_now
from pages.features.start.families import augmentation_card, regularisation_card, structure_card
from pages.features.start.teachers_view import teachers_view, teaches

A_ROW = 4  # presets
LOOKED_THROUGH = 50  # runs, for how long a lesson takes here


def landing() -> None:
    """Draw the whole page."""
    page("Start")
    with st.sidebar:
        preload_charts()

    st.title("Augury", anchor=False)
    st.markdown(
        "See what data augmentation, network structure and regularisation do to a neural network: first on "
        "images, then live while it trains on this machine."
    )
    frozen_note()
    running = st.container()
    st.subheader("Four lessons, a minute each", anchor=False)
    runs = jobs().recent(LOOKED_THROUGH)
    for column, name in zip(st.columns(A_ROW), LESSONS, strict=True):
        with column.container(border=True, height="stretch", key=f"preset.{name}"):
            _lesson(PRESETS[name], runs)
    st.subheader("Three families of techniques", anchor=False)
    for column, card in zip(
        st.columns(3, gap="large"), (augmentation_card, structure_card, regularisation_card), strict=True
    ):
        with column:
            card()
    with st.expander("More experiments", icon=":material/science:"):
        _more([preset for name, preset in PRESETS.items() if name not in LESSONS])

    with running:  # last, for it asks the database
        if teaches():
            teachers_view()
        else:
            running_now()


def _lesson(preset: Preset, runs: Sequence[StoredRun]) -> None:
    done = finished_before(preset.spec) is not None
    if st.button(
        preset.title,
        type="secondary" if done else "primary",
        icon=":material/check_circle:" if done else ":material/play_arrow:",
        key=f"start.{preset.name}",
        width="stretch",
        help="Trained already: opens what came out." if done else None,
    ):
        open_or_start(preset.spec)
    st.markdown(preset.watch)
    takes = how_long(filled(preset.spec), runs)
    st.caption(
        plain(" · ".join([budget(filled(preset.spec)), *([in_words(takes.seconds)] if takes else [])]))
    )
    st.page_link(
        "pages/2_Train.py",
        label="Look first",
        query_params={"spec": encode(preset.spec)},
        icon=":material/tune:",
    )


def _more(presets: list[Preset]) -> None:
    columns = []
    for i, preset in enumerate(presets):
        if i % A_ROW == 0:  # columns of its own: on a telephone, and for Tab, presets keep their order
            columns = st.columns(A_ROW)
        with columns[i % A_ROW].container(border=True, height="stretch", key=f"preset.{preset.name}"):
            if st.button(
                preset.title, icon=":material/play_arrow:", key=f"start.{preset.name}", width="stretch"
            ):
                open_or_start(preset.spec)
            st.markdown(preset.watch)
            st.caption(plain(budget(filled(preset.spec))))
