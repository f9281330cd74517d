"""A run's name, and taking a run off the lists, which can be taken back."""

from __future__ import annotations

import streamlit as st

from core.jobs.views import RunView
from core.text.describe import title
from core.text.escape import plain
from pages.features.frame.asked import may_change, obeyed
from pages.features.frame.setup import jobs
from pages.features.frame.visitor import CONTROL, asker

MOST_LETTERS = 100
_DELETED = "augury.deleted"  # the run that this visit deleted last, and what it was called


def edit_box(view: RunView) -> None:
    """Offer to name the run and to delete it, to whoever may."""
    if not may_change(view):
        return
    with st.popover("Name, delete", icon=":material/edit:"):
        key = f"rename.{view.id}"
        st.text_input(
            "Name",
            view.name,
            max_chars=MOST_LETTERS,
            placeholder=title(view.spec),
            key=key,
            on_change=_rename,
            args=(view.id, key),
        )
        if view.ended:
            st.button(
                "Delete this run",
                icon=":material/delete:",
                key="delete",
                on_click=delete,
                args=(view.id, title(view.spec)),
            )
            st.caption("It can be taken back for an hour, also at this page's address.")


def deleted_note(asked: str = "") -> bool:
    """What was deleted last, with a way back; False: nothing was.

    Args:
        asked: the run whose page was asked for, if there is none.
    """
    run_id, name = st.session_state.get(_DELETED, ("", ""))
    if asked and (found := jobs().deleted(asked, asker())):
        run_id, name = found.id, title(found.spec)
    if not run_id:
        return False
    with st.container(horizontal=True, vertical_alignment="center"):
        st.info(f"Deleted “{plain(name)}”.", icon=":material/delete:", width="stretch")
        st.button("Undo", icon=":material/undo:", key="undelete", on_click=_restore, args=(run_id,))
    return True


def _rename(run_id: str, key: str) -> None:
    obeyed(jobs().rename, run_id, st.session_state[key].strip())


def delete(run_id: str, name: str) -> None:
    """Delete a run, and leave its page; for a button's ``on_click``. `deleted_note` takes it back."""
    if obeyed(jobs().delete, run_id):
        st.session_state[_DELETED] = (run_id, name)
        st.query_params.pop("run", None)
        st.query_params.pop(CONTROL, None)


def _restore(run_id: str) -> None:
    st.session_state.pop(_DELETED, None)
    if obeyed(jobs().restore, run_id) and jobs().view(run_id):
        st.query_params["run"] = run_id
