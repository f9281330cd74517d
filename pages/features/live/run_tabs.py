"""The tabs of a run's page; only what is open is drawn.

An entry of `TABS` is a tab beside the overview, an entry of a tab one part of it. The address keeps which tab
is open, and which part of each: ``?look=Inside&inside=Filters``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from core.jobs.views import RunView
from core.text.escape import plain
from pages.features.export.take_away import take_away
from pages.features.live.compress_tab import compress_tab
from pages.features.live.inside_parts import filters_part, measures_part
from pages.features.live.mistakes_part import mistakes_part
from pages.features.live.sparsity_parts import layers_part, weights_part

Draw = Callable[[RunView], None]

OVERVIEW, LOOK = "Overview", "look"  # the first tab, and what the address calls the open one

# A tab of a single part does not say what that is called.
TABS: Mapping[str, Mapping[str, Draw]] = {
    "Sparsity": {"Layers": layers_part, "Weights": weights_part},
    "Inside": {"Mistakes": mistakes_part, "Filters": filters_part, "Measures": measures_part},
    "Compress": {"Compress": compress_tab},
    "Take away": {"Take away": lambda view: take_away([view])},
}
NAMES = (OVERVIEW, *TABS)


def run_tabs(view: RunView, overview: Draw) -> bool:
    """Draw the open tab; whether it is the overview, which ``overview`` draws."""
    asked = _from_an_older_link()
    first, *others = st.tabs(NAMES, key=LOOK, on_change="rerun", bind="query-params")
    if first.open:
        with first:
            overview(view)
    for opened, (name, parts) in zip(others, TABS.items(), strict=True):
        if opened.open:
            with opened:
                _chosen(name, parts, asked)(view)
    return bool(first.open)


def _chosen(name: str, parts: Mapping[str, Draw], asked: str) -> Draw:
    """The part that is shown; a person chooses. At first that which was ``asked`` for, or the first."""
    first = asked if asked in parts else next(iter(parts))
    if len(parts) == 1:
        return parts[first]
    chosen = st.segmented_control(
        plain(name),
        list(parts),
        default=first,
        required=True,
        format_func=lambda part: plain(part),
        key=name.lower(),
        bind="query-params",
        label_visibility="collapsed",
    )
    return parts[chosen or first]


def _from_an_older_link() -> str:
    """When each part was a tab, an address named the part alone: open its tab. The part, or nothing."""
    asked = st.query_params.get(LOOK, "")
    name = next((name for name, parts in TABS.items() if asked in parts), "")
    if not name or asked in TABS:
        return ""
    st.session_state[LOOK] = name
    return asked
