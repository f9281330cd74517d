"""What starts a preset, and beside it what shows its settings first."""

from __future__ import annotations

import streamlit as st

from core.presets import Preset
from core.run.address import encode
from pages.features.live.trained_before import open_or_start


def start_or_look(preset: Preset, *, is_next: bool = False, done: bool = False) -> None:
    """Two buttons in a row.

    Args:
        is_next: it is the one to press.
        done: it was trained already: the button opens what came out.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.button(
            "Open" if done else "Start",
            type="primary" if is_next else "secondary",
            icon=":material/monitoring:" if done else ":material/play_arrow:",
            key=f"start.{preset.name}",
            width="stretch",
            help="Trained already: opens what came out." if done else None,
        ):
            open_or_start(preset.spec)
        st.page_link(
            "pages/2_Train.py",
            label="Look first",
            query_params={"spec": encode(preset.spec)},
            icon=":material/tune:",
            width="content",
        )
