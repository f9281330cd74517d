"""The studies there are: what each asked, how far it is, what came out."""

from __future__ import annotations

import streamlit as st

from core.catalogue import imported
from core.store.studies import StoredStudy
from core.study.questions.catalogue import QUESTIONS
from core.text.escape import plain
from pages.features.frame.when import when
from pages.features.study.manager import studies

SHOWN = 20
REFRESH_SECONDS = 3.0
_DELETED = "augury.study.deleted"


def listing() -> None:
    """Draw them, the newest first."""
    _deleted_note()
    found = studies().recent(SHOWN)
    st.subheader("Studies so far", anchor=False)
    if not found:
        st.info("No study yet. Ask a question above, and its answer stands here.", icon=":material/science:")
        return
    live = any(each.state == "running" for each in found)
    st.fragment(_lines, run_every=REFRESH_SECONDS if live else None)()


def _lines() -> None:
    for stored in studies().recent(SHOWN):
        _line(stored)


def _line(stored: StoredStudy) -> None:
    view = studies().view(stored.id)
    if view is None:
        return
    with st.container(border=True, key=f"study_line_{stored.id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.page_link(
                "pages/4_Studies.py",
                label=plain(view.title),
                icon=_ICONS.get(stored.state, ":material/science:"),
                query_params={"study": stored.id},
                width="stretch",
            )
            st.caption(
                plain(f"{stored.state} · {view.done} of {len(view.cells)} · {when(stored.created_at)}"),
                width="content",
            )
        if view.study is not None and (said := imported(QUESTIONS[view.study.question].says)(view.result)):
            st.caption(plain(said[0].replace("**", "")) + (" …" if len(said) > 1 else ""))


def _deleted_note() -> None:
    if deleted := st.session_state.get(_DELETED):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.info("Deleted the study.", icon=":material/delete:", width="stretch")
            st.button("Undo", icon=":material/undo:", key="study.undo", on_click=_restore, args=(deleted,))


def _restore(study_id: str) -> None:
    st.session_state.pop(_DELETED, None)
    studies().restore(study_id)


_ICONS = {
    "running": ":material/autoplay:",
    "paused": ":material/pause:",
    "finished": ":material/check:",
}
