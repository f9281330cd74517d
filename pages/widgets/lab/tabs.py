"""The tabs of the Augment page. Only the one that is open is drawn."""

from __future__ import annotations

import streamlit as st

from pages.widgets.lab.cost_tab import cost_tab
from pages.widgets.lab.grid import preview_grid
from pages.widgets.lab.lies_tab import lies_tab
from pages.widgets.lab.look import Look
from pages.widgets.lab.one_image import one_image
from pages.widgets.lab.sweep_tab import sweep_tab
from pages.widgets.lab.take_home import take_home
from pages.widgets.lab.targets_tab import targets_tab
from pages.widgets.teacher import shown

TABS = {
    "Grid": preview_grid,
    "One image": one_image,
    "Sweep": sweep_tab,
    "Masks and boxes": targets_tab,
    "Does it lie?": lies_tab,
    "Cost": cost_tab,
    "Take it home": take_home,
}


def show(look: Look) -> None:
    """Draw the open tab; the address keeps which one that is."""
    if not shown("tabs"):
        preview_grid(look)
        return
    for tab, draw in zip(
        st.tabs(list(TABS), key="tab", on_change="rerun", bind="query-params"), TABS.values(), strict=True
    ):
        if tab.open:
            with tab:
                draw(look)
