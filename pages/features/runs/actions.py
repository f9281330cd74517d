"""What is done with the runs that are ticked in the list."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.jobs.rights import may_control
from core.store.store import MAX_NOTE, MAX_TAGS, StoredRun
from core.text.describe import title
from pages.features.frame.asked import obeyed
from pages.features.frame.setup import jobs
from pages.features.frame.visitor import asker
from pages.features.runs.comparison import FEWEST, MOST, NAME
from pages.features.runs.editing import delete_all, deleted_note


def actions(chosen: Sequence[StoredRun]) -> None:
    """Links and buttons; what is not a visitor's to change is not offered."""
    if not chosen:
        if not deleted_note():
            st.caption(
                "Tick runs at their left (with keys: Shift and space): one to open or note it, two to eight "
                "to compare them."
            )
        return
    ids = [run.id for run in chosen]
    if len(ids) == 1:
        st.page_link(
            "pages/2_Train.py", label="Open", icon=":material/open_in_new:", query_params={"run": ids[0]}
        )
    if FEWEST <= len(ids) <= MOST:
        st.button(
            f"Compare {len(ids)} runs",
            type="primary",
            icon=":material/stacked_line_chart:",
            key="runs.compare",
            on_click=_compare,
            args=(ids,),
        )
    elif len(ids) > MOST:
        st.caption(f"At most {MOST} can be compared.")
    if not all(may_control(run, asker()) for run in chosen):
        return
    starred = all(run.starred for run in chosen)
    st.button(
        "Take the star off" if starred else "Star",
        icon=":material/star:",
        key="runs.star",
        on_click=_star,
        args=(ids, not starred),
        help="A starred run keeps its files, whatever room is needed.",
    )
    if len(chosen) == 1:
        _words(chosen[0])
    if all(run.ended for run in chosen):
        st.button(
            "Delete" if len(ids) == 1 else f"Delete {len(ids)} runs",
            icon=":material/delete:",
            key="runs.delete",
            on_click=delete_all,
            args=([(run.id, title(run.spec)) for run in chosen],),
            help="It can be taken back for an hour.",
        )


def _words(run: StoredRun) -> None:
    with (
        st.popover("Name, tags, note", icon=":material/edit:"),
        st.form(f"runs.words.{run.id}", border=False),
    ):
        name = st.text_input("Name", run.name, max_chars=80, placeholder=title(run.spec))
        tags = st.text_input("Tags, with commas between", ", ".join(run.tags), max_chars=MAX_TAGS * 42)
        note = st.text_area("Note", run.note, max_chars=MAX_NOTE)
        if st.form_submit_button("Keep"):
            wanted = [each.strip() for each in tags.split(",") if each.strip()]
            if obeyed(jobs().rename, run.id, name.strip()) and obeyed(jobs().annotate, run.id, note, wanted):
                st.rerun()


def _compare(ids: Sequence[str]) -> None:
    st.query_params[NAME] = ",".join(ids)


def _star(ids: Sequence[str], starred: bool) -> None:
    for run_id in ids:
        obeyed(jobs().star, run_id, starred)
