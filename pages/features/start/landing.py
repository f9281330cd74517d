"""The landing page: what this is, the three families in a picture each, presets that start in one click."""

from __future__ import annotations

import streamlit as st

from core.presets import PRESETS
from pages.components.live_chart import preload_charts
from pages.features.frame.setup import page
from pages.features.live.trained_before import open_or_start
from pages.features.runs.running import running_now
from pages.features.start.families import augmentation_card, regularisation_card, structure_card

A_ROW = 4  # presets


def landing() -> None:
    """Draw the whole page."""
    page("Start")
    with st.sidebar:
        preload_charts()

    st.title("Augury", anchor=False)
    st.markdown(
        "See what data augmentation, network structure and regularisation do to a neural network. "
        "Try them on images first, then watch loss and weight sparsity live while a small network trains. "
        "All of it runs on this machine, from one page to the next, on the very same choices."
    )
    running = st.container()

    for column, card in zip(
        st.columns(3, gap="large"), (augmentation_card, structure_card, regularisation_card), strict=True
    ):
        with column:
            card()

    st.subheader("Start in one click", anchor=False)
    columns = []
    for i, preset in enumerate(PRESETS.values()):
        if i % A_ROW == 0:  # columns of its own: on a telephone, and for Tab, presets keep their order
            columns = st.columns(A_ROW)
        with columns[i % A_ROW].container(border=True, height="stretch", key=f"preset.{preset.name}"):
            if st.button(
                preset.title, icon=":material/play_arrow:", key=f"start.{preset.name}", width="stretch"
            ):
                open_or_start(preset.spec)
            st.caption(preset.watch)

    with running:  # last, for it asks the database
        running_now()
