"""The list of runs: search, filter, sort, a page at a time, and choose some.

The database finds and sorts (`core.store.find`); here only what is shown is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import pandas as pd
import streamlit as st

from core.catalogue import Entry, title_of
from core.data.catalogue import DATASETS
from core.models.catalogue import ARCHITECTURES
from core.regularise.catalogue import REGULARISERS
from core.run.figures import result_of
from core.store.find import Query, Sort
from core.store.store import StoredRun
from core.text.describe import title
from core.text.differs import differences
from core.text.escape import plain
from core.text.seeds import other_seeds, seeds_in_words
from core.text.shares import in_full
from pages.components.run_cards import Card, run_cards
from pages.features.frame.setup import jobs
from pages.features.frame.visitor import visitor
from pages.features.frame.when import when
from pages.features.runs.actions import actions
from pages.features.runs.comparison import NAME
from pages.features.runs.editing import deleted_note

HEIGHT, ROW = 460, 35  # pixels of the list, and of a line of it
PAGE = 100  # runs
ANY = "any"
TABLE, CARDS = "Table", "Cards"
_OPEN = "runs.open"  # the run that a card was pressed of
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


def listing() -> None:
    """Draw it, with its filters."""
    if not jobs().offered().states:
        deleted_note()
        st.info("No run yet. Start one, and it stands here.", icon=":material/model_training:")
        st.page_link("app.py", label="Choose a first experiment", icon=":material/home:")
        return
    if opened := st.session_state.pop(_OPEN, None):
        st.switch_page("pages/2_Train.py", query_params={"run": opened})
    query = _query()
    above = st.container(horizontal=True, vertical_alignment="center", key="runs_actions")
    page = _page_asked(query)
    found, total = jobs().find(query, PAGE, page * PAGE)
    if not total:
        with above:
            deleted_note()
        visit = (
            " Mine are those of this visit: a page that is loaded anew is another." if query.visitor else ""
        )
        st.info(f"No run is like this. Take a filter back.{visit}", icon=":material/filter_alt_off:")
        return
    if _view() == CARDS:
        with above:
            if not deleted_note():
                st.caption(
                    "Press a run to open it. Drag one onto another, or choose two with +, to compare them."
                )
        before = jobs().before(found)
        cards = [_card(run, _apart(run, before.get(run.id))) for run in found]
        run_cards(cards, key="runs.cards", on_asked=_asked)
        _pages(query, page, total)
        return
    picked = st.dataframe(
        _table(found),
        hide_index=True,
        width="stretch",
        height=min(HEIGHT, ROW * (len(found) + 1) + 2),
        key=_list_key(found),
        on_select="rerun",
        selection_mode="multi-row",
        column_config={
            "★": st.column_config.TextColumn("★", width=30),
            "accuracy": st.column_config.NumberColumn(
                "acc. %", format="%.1f", width=70, help="Accuracy on validation images."
            ),
            "zeros": st.column_config.NumberColumn("exact zeros (%)", format="%.1f"),
            "epoch": st.column_config.NumberColumn("an epoch (s)", format="%.1f"),
            "curve": st.column_config.LineChartColumn(
                "curve", y_min=0, y_max=1, width="small", help="Validation accuracy, from 0 to 100 %."
            ),
            "judged": st.column_config.TextColumn("accuracy, with n and 95 % interval"),
            "differs from the one before": st.column_config.TextColumn(
                help="From the run that the same visit had started before it."
            ),
        },
    )
    _pages(query, page, total)
    chosen = [found[i] for i in picked.selection.rows if i < len(found)]
    with above:
        actions(chosen)


def _view() -> str:
    return str(st.session_state.get("runs.view") or TABLE)


def _card(run: StoredRun, apart: str) -> Card:
    summary: dict[str, Any] = dict(run.summary or {})
    accuracy = result_of(summary).get("validation_accuracy") if summary else None
    said = run.state if accuracy is None else f"{100 * accuracy:.1f} % · {run.state}"
    marks = " ".join([*(["★"] if run.starred else []), *run.tags])
    return Card(
        run.id,
        title(run.spec),
        said,
        apart or seeds_in_words(run.spec),
        marks,
        tuple(summary.get("curve") or ()),
    )


def _asked(ids: list[str]) -> None:
    """Open a run, or compare two; for the cards' callback."""
    if len(ids) > 1:
        st.query_params[NAME] = ",".join(ids)
    else:
        st.session_state[_OPEN] = ids[0]


def _list_key(runs: Sequence[StoredRun]) -> str:
    """Another list has other ticks: a browser keeps them by place, and another run may stand there now."""
    return f"runs.list.{hash(tuple(run.id for run in runs))}"


def _query() -> Query:
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
        st.segmented_control(
            "View", [TABLE, CARDS], default=TABLE, required=True, key="runs.view", persist_state="session"
        )
        sort = st.selectbox(
            "Sort", list(SORTED), format_func=lambda each: SORTED[each], key="runs.sort", width=170,
            persist_state="session",
        )  # fmt: skip
    mine = visitor() if whose == "Mine" else ""
    by: Sort = sort if sort in SORTED else "newest"
    return Query(words or "", state, data, arch, regulariser, tag, mine, whose == "★", by)


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


def _page_asked(query: Query) -> int:
    """The page of the list, from 0; another query begins at its first."""
    if st.session_state.get("runs.query") != query:
        st.session_state["runs.query"] = query
        st.session_state["runs.page"] = 0
    return int(st.session_state["runs.page"])


def _pages(query: Query, page: int, total: int) -> None:
    """How many runs there are, and the way to the others."""
    first, last = page * PAGE + 1, min(total, (page + 1) * PAGE)
    said = (
        f"{total:,} {'run' if total == 1 else 'runs'}"
        if total <= PAGE
        else f"{first:,}–{last:,} of {total:,} runs"
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"{said}. Accuracy is of validation images.",
            width="stretch",
        )
        if total > PAGE:
            st.button(
                "Before", icon=":material/chevron_left:", key="runs.before", disabled=not page,
                on_click=_turn, args=(page - 1,),
            )  # fmt: skip
            st.button(
                "Next", icon=":material/chevron_right:", key="runs.next", disabled=last >= total,
                on_click=_turn, args=(page + 1,),
            )  # fmt: skip


def _turn(page: int) -> None:
    st.session_state["runs.page"] = max(0, page)


def _table(runs: Sequence[StoredRun]) -> pd.DataFrame:
    """A row a run; numbers as numbers, so that a click on a column's head sorts what is shown."""
    before = jobs().before(runs)
    rows = []
    for run in runs:
        summary: dict[str, Any] = dict(run.summary or {})
        result = result_of(summary) if summary else {}
        images = summary.get("validation_images")
        accuracy = result.get("validation_accuracy")
        rows.append(
            {
                "★": "★" if run.starred else "",
                "accuracy": None if accuracy is None else 100 * accuracy,
                "run": title(run.spec),
                "state": run.state if run.imported_at is None else f"{run.state}, imported",
                "curve": summary.get("curve"),
                "zeros": 100 * result["sparsity"]["exact"] if result else None,
                "differs from the one before": _apart(run, before.get(run.id)),
                "seed": seeds_in_words(run.spec).removeprefix("seed "),
                "begun": when(run.created_at),
                "epoch": summary.get("epoch_seconds"),
                "judged": in_full(accuracy, images) if accuracy is not None else "",
                "tags": ", ".join(run.tags),
                "note": run.note,
            }
        )
    return pd.DataFrame(rows)


def _apart(run: StoredRun, before: StoredRun | None) -> str:
    if before is None:
        return ""
    seeds = [each.ours for each in other_seeds(run.spec, before.spec)]
    return ", ".join([*differences(run.spec, before.spec), *seeds])
