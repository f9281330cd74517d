"""The list of runs: search, filter, sort, a page at a time, and choose some.

The database finds and sorts (`core.store.find`); here only what is shown is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.run.figures import result_of
from core.store.find import Query
from core.store.store import StoredRun
from core.text.describe import title
from core.text.differs import differences
from core.text.seeds import other_seeds, seeds_in_words
from core.text.shares import in_full
from pages.features.frame.setup import jobs
from pages.features.frame.when import when
from pages.features.runs.actions import actions
from pages.features.runs.cards import cards
from pages.features.runs.editing import deleted_note
from pages.features.runs.filters import CARDS, CHART, filters, view_chosen
from pages.features.runs.opening import open_what_was_pressed
from pages.features.runs.plane import plane

HEIGHT, ROW = 460, 35  # pixels of the list, and of a line of it
PAGE = 100  # runs


def listing() -> None:
    """Draw it, with its filters."""
    if not jobs().offered().states:
        deleted_note()
        st.info("No run yet. Start one, and it stands here.", icon=":material/model_training:")
        st.page_link("app.py", label="Choose a first experiment", icon=":material/home:")
        return
    open_what_was_pressed()
    query = filters()
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
    if view_chosen() == CHART:
        with above:
            deleted_note()
        plane(query, found, total)
        return
    before = jobs().before(found)
    apart = {run.id: _apart(run, before.get(run.id)) for run in found}
    if view_chosen() == CARDS:
        with above:
            if not deleted_note():
                st.caption(
                    "Press a run to open it. Drag one onto another, or choose two with +, to compare them."
                )
        cards(found, apart)
        _pages(query, page, total)
        return
    picked = st.dataframe(
        _table(found, apart),
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


def _list_key(runs: Sequence[StoredRun]) -> str:
    """Another list has other ticks: a browser keeps them by place, and another run may stand there now."""
    return f"runs.list.{hash(tuple(run.id for run in runs))}"


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


def _table(runs: Sequence[StoredRun], apart: Mapping[str, str]) -> pd.DataFrame:
    """A row a run; numbers as numbers, so that a click on a column's head sorts what is shown."""
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
                "differs from the one before": apart[run.id],
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
