"""The tabs of the Augment page. Only the one that is open is drawn."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.features.frame.teacher import shown
from pages.features.images.images import Images
from pages.features.lab.cost_tab import cost_tab
from pages.features.lab.grid import originals, results
from pages.features.lab.label_damage_tab import label_damage_tab
from pages.features.lab.look import Look
from pages.features.lab.one_image import one_image
from pages.features.lab.sweep_tab import sweep_tab
from pages.features.lab.take_home import take_home
from pages.features.lab.targets_tab import targets_tab

Draw = Callable[[Look], None]
GRID = "Grid"
TABS: dict[str, Draw] = {
    GRID: results,
    "One image": one_image,
    "Sweep": sweep_tab,
    "Masks and boxes": targets_tab,
    "Does it lie?": label_damage_tab,
    "Cost": cost_tab,
    "Take it home": take_home,
}


def open_tab(images: Images) -> tuple[DeltaGenerator, Draw]:
    """Where to draw and what; the address keeps which tab is open. What no dial changes is drawn here."""
    if not shown("tabs"):
        originals(images)
        return st.container(), results
    tabs = st.tabs(list(TABS), key="tab", on_change="rerun", bind="query-params")
    name, tab = next((name, tab) for name, tab in zip(TABS, tabs, strict=True) if tab.open)
    if name == GRID:
        with tab:
            originals(images)
    return tab, TABS[name]
