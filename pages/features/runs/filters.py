"""What is looked for in the list of runs: words, filters, an order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

import streamlit as st

from core.catalogue import Entry, title_of
from core.data.catalogue import DATASETS
from core.models.catalogue import ARCHITECTURES
from core.regularise.catalogue import REGULARISERS
from core.store.find import Query, Sort
from core.text.escape import plain
from pages.features.frame.setup import jobs
from pages.features.frame.visitor import visitor

ANY = "any"
VIEW = "view"  # in an address
TABLE, CARDS, CHART = "Table", "Cards", "Chart"
FILTERS = ("State", "Images", "Network", "Regulariser", "Tag")
SORTED: dict[Sort, str] = {
    "newest": "Newest first",
    "oldest": "Oldest first",
    "accuracy": "Most accurate",
    "zeros": "Most exact zeros",
    "fastest": "Fastest epochs",
    "name": "Name",
}
assert set(SORTED) == set(get_args(Sort))


def view_chosen() -> str:
    """As what runs are shown; the filters draw the choice."""
    return str(st.session_state.get(VIEW) or TABLE)


def filters() -> Query:
    """The filters, drawn, and what they ask for."""
    there = jobs().offered()
    with st.container(horizontal=True, vertical_alignment="bottom", key="runs_filters"):
        words = st.text_input(
            "Search", key="runs.search", max_chars=80, width=220, placeholder="name, words, note or tag",
            persist_state="session",
        )  # fmt: skip
        whose = st.segmented_control(
            "Whose", ["All", "Mine", "★"], default="All", required=True, key="runs.whose",
            persist_state="session", help="Mine: of this visit. ★: those with a star.",
        )  # fmt: skip
        on = sum(st.session_state.get(f"runs.{label}", ANY) != ANY for label in FILTERS)
        with st.popover(f"Filter ({on:d})" if on else "Filter", icon=":material/filter_alt:"):
            state = _choice("State", there.states, {})
            data = _choice("Images", there.data, DATASETS)
            arch = _choice("Network", there.archs, ARCHITECTURES)
            regulariser = _choice("Regulariser", there.regularisers, REGULARISERS)
            tag = _choice("Tag", there.tags, {})
            cells = st.toggle("With the runs of studies", key="runs.cells", persist_state="session")
        st.segmented_control(
            "View", [TABLE, CARDS, CHART], default=TABLE, required=True, key=VIEW, bind="query-params",
            persist_state="session",
        )  # fmt: skip
        sort = st.selectbox(
            "Sort", list(SORTED), format_func=lambda each: SORTED[each], key="runs.sort", width=170,
            persist_state="session",
        )  # fmt: skip
    mine = visitor() if whose == "Mine" else ""
    by: Sort = sort if sort in SORTED else "newest"
    return Query(words or "", state, data, arch, regulariser, tag, mine, whose == "★", by, cells=cells)


def _choice(label: str, values: Sequence[str], catalogue: Mapping[str, Entry]) -> str:
    """One filter; it offers what is there."""
    wanted = st.session_state.get(f"runs.{label}", ANY)
    offered = [ANY, *values, *([wanted] if wanted not in (ANY, *values) else [])]
    wanted = st.selectbox(
        plain(label),
        offered,
        key=f"runs.{label}",
        format_func=lambda each: title_of(catalogue, each),
        persist_state="session",
    )
    return "" if wanted in (None, ANY) else str(wanted)
