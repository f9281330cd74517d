"""Two to eight runs over each other: curves, what each came to and whether that is noise, layers, mistakes.

Each part is a tab, and only the open one is drawn; the address keeps which, and which runs.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.run.kinds import is_run
from core.store.store import is_run_id
from core.text.escape import plain
from pages.features.compare.compared import Compared, compared
from pages.features.compare.confusion import confusion_part
from pages.features.compare.groups import groups_of, groups_part
from pages.features.compare.images import images_part
from pages.features.compare.layers import layers_part
from pages.features.compare.overview import overview_part
from pages.features.export.take_away import take_away
from pages.features.frame.setup import jobs

FEWEST, MOST = 2, 8
NAME = "runs"  # in an address


def asked_runs() -> list[str]:
    """The runs that the address names, each once, in its order; at most eight."""
    asked = st.query_params.get(NAME, "").split(",")
    return list(dict.fromkeys(each for each in asked if is_run_id(each)))[:MOST]


def comparison(ids: Sequence[str]) -> None:
    """Draw it; says so where a run is gone."""
    views = [view for each in ids if (view := jobs().view(each)) and is_run(view.kind)]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Compare", anchor=False, width="stretch")
        st.page_link("pages/3_Runs.py", label="All runs", icon=":material/arrow_back:", query_params={})
    if len(views) < len(ids):
        st.warning("Some of these runs are gone, or were on another server.", icon=":material/search_off:")
    if len(views) < FEWEST:
        st.info("Choose two to eight runs in the list to see them over each other.", icon=":material/stacks:")
        return
    runs = compared(views)
    _legend(runs)
    parts = {
        "Overview": _overview,
        "Layers": layers_part,
        "Confusion": confusion_part,
        "Images": images_part,
        "Take away": _take_away,
    }
    opened = st.tabs(list(parts), key="part", on_change="rerun", bind="query-params")
    for tab, draw in zip(opened, parts.values(), strict=True):
        if tab.open:
            with tab:
                draw(runs)


def _take_away(runs: Sequence[Compared]) -> None:
    take_away([run.view for run in runs])


def _legend(runs: Sequence[Compared]) -> None:
    colours = "".join(
        f".st-key-compared_{i} a {{ border-color: {run.colour} }}" for i, run in enumerate(runs)
    )
    with st.container(horizontal=True, gap="small", key="compared"):
        st.html(f"<style>{colours}</style>")
        for i, run in enumerate(runs):
            with st.container(key=f"compared_{i}", width="content"):
                st.page_link("pages/2_Train.py", label=plain(run.name), query_params={"run": run.view.id})


def _overview(runs: Sequence[Compared]) -> None:
    """The runs alone; or with their repeats, where there are some and a person wants them."""
    groups = groups_of(runs)
    if any(group.varied for group in groups) and st.toggle(
        "With all seeds",
        key="seeds",
        bind="query-params",
        help="Some of these runs were repeated with other seeds. On: a run stands for all of its repeats, "
        "with their median and spread.",
    ):
        groups_part(runs, groups)
    else:
        overview_part(runs)
