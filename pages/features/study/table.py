"""A study's table, which fills cell by cell; every cell is a run one can open."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from core.study.cells import Cell, Told
from core.study.studies import StudyView
from pages.features.frame.setup import jobs

ROW, HEIGHT = 35, 420  # pixels of a line, and of the table at most
_OPEN = "augury.study.open"


def open_what_was_pressed() -> None:
    """Go to the run whose cell was pressed; before anything is drawn."""
    if opened := st.session_state.pop(_OPEN, None):
        st.switch_page("pages/2_Train.py", query_params={"run": opened})


def open_next(run_id: str) -> None:
    """Have `open_what_was_pressed` go to a run."""
    st.session_state[_OPEN] = run_id


def table(view: StudyView) -> None:
    """Draw it: a row a setting, a column a fold, a seed or a rung; accuracy in per cent, or how far a run
    is."""
    rows = list(dict.fromkeys(cell.row for cell in view.cells))
    if view.state == "finished":  # what came furthest first
        rows.sort(key=lambda row: -sum(cell.row == row for cell in view.cells))
    columns = list(dict.fromkeys(cell.column for cell in view.cells))
    if not rows:
        return
    at = {(cell.row, cell.column): cell for cell in view.cells}
    values = {
        "": rows,
        **{column: [_said(at.get((row, column)), view.table) for row in rows] for column in columns},
    }
    picked = st.dataframe(
        pd.DataFrame(values),
        hide_index=True,
        width="stretch",
        height=min(HEIGHT, ROW * (len(rows) + 1) + 2),
        key=f"study.table.{view.id}.{len(rows)}.{len(columns)}",
        on_select="rerun",
        selection_mode="single-cell",
        column_config={"": st.column_config.TextColumn(pinned=True)},
    )
    st.caption(
        "Accuracy in per cent on the images that judge: of a fold the fold, else what is kept for "
        "validation. Press a cell to open its run."
    )
    for row, column in picked.selection.cells:
        cell = at.get((rows[row], column)) if row < len(rows) else None
        told = view.table.get(cell.key) if cell else None
        if told is not None:
            open_next(told.run_id)
            st.rerun()  # the whole page, which goes there


def _said(cell: Cell | None, table: Mapping[str, Told]) -> str:
    if cell is None:
        return ""
    told = table.get(cell.key)
    if told is None:
        return "waits"
    if told.figures is not None:
        return f"{100 * told.figures.accuracy:.1f}"
    if told.state != "runs":
        return told.state
    run = jobs().view(told.run_id)
    if run is None or run.state == "queued":
        return "waits"
    return f"{run.progress().share:.0%} …"
