"""A run's name, and taking a run off the lists, which can be taken back."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.jobs.views import RunView
from core.text.describe import title
from core.text.escape import plain
from pages.features.frame.asked import may_change, obeyed
from pages.features.frame.setup import jobs
from pages.features.frame.visitor import CONTROL, asker

MOST_LETTERS = 100
_DELETED = "augury.deleted"  # the runs that this visit deleted last, and what they were called


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
    deleted: list[tuple[str, str]] = st.session_state.get(_DELETED, [])
    if asked and (found := jobs().deleted(asked, asker())):
        deleted = [(found.id, title(found.spec))]
    if not deleted:
        return False
    what = f"“{plain(deleted[0][1])}”" if len(deleted) == 1 else f"{len(deleted):d} runs"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.info(f"Deleted {what}.", icon=":material/delete:", width="stretch")
        ids = [run_id for run_id, _ in deleted]
        st.button("Undo", icon=":material/undo:", key="undelete", on_click=_restore, args=(ids,))
    return True


def _rename(run_id: str, key: str) -> None:
    obeyed(jobs().rename, run_id, st.session_state[key].strip())


def delete(run_id: str, name: str) -> None:
    """Delete a run, and leave its page; for a button's ``on_click``. `deleted_note` takes it back."""
    delete_all([(run_id, name)])
    if jobs().view(run_id) is None:
        st.query_params.pop("run", None)
        st.query_params.pop(CONTROL, None)


def delete_all(runs: Sequence[tuple[str, str]]) -> None:
    """Delete runs, given by id and name; for a button's ``on_click``. `deleted_note` takes all back."""
    done = [(run_id, name) for run_id, name in runs if obeyed(jobs().delete, run_id)]
    if done:
        st.session_state[_DELETED] = done


def _restore(run_ids: Sequence[str]) -> None:
    st.session_state.pop(_DELETED, None)
    back = [each for each in run_ids if obeyed(jobs().restore, each) and jobs().view(each)]
    if len(run_ids) == 1 and back:
        st.query_params["run"] = back[0]
