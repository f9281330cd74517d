"""Which run a run branches from, and which branch from it."""

from __future__ import annotations

import streamlit as st

from core.figures.lineage import MOST_GENERATIONS, Ancestor, ancestor
from core.jobs.views import RunView
from core.run.digest import FROM
from core.run.history import History
from core.run.made import is_made
from core.store.store import is_run_id
from core.store.studies import is_of_a_study
from core.text.describe import title
from core.text.escape import plain
from pages.features.frame.setup import jobs
from pages.features.study.manager import studies

MOST_LINKS = 6


def parent_of(view: RunView) -> RunView | None:
    """The run that this one branches from, or is made of, if it is still there."""
    parent = next(iter(sources_of(view)), view.inputs.get("parent"))
    return jobs().view(parent) if isinstance(parent, str) and parent else None


def ancestor_of(view: RunView) -> Ancestor | None:
    """The line of the run that this one branches from, for its charts."""
    before: list[History] = []
    if sources_of(view):  # its epochs are its own, from 0
        return ancestor(view.history, before)
    parent = parent_of(view)
    while parent is not None and len(before) < MOST_GENERATIONS:
        before.append(parent.history)
        parent = parent_of(parent)
    return ancestor(view.history, before)


def study_link(view: RunView) -> None:
    """A link to the study whose table this run stands in, if it was begun for one."""
    if not is_of_a_study(view.group):
        return
    study = studies().of_run(view.id)
    if study is not None:
        st.page_link(
            "pages/4_Studies.py",
            label=plain(f"of the study {study.name}".strip()) if study.name else "of a study",
            icon=":material/science:",
            query_params={"study": study.id},
        )


def branch_links(view: RunView) -> None:
    """Links to the runs that branch from this one, if there are some."""
    branches = jobs().children(view.id)
    if branches:
        st.markdown("**Branches of this run**")
    for branch in branches[:MOST_LINKS]:
        st.page_link(
            "pages/2_Train.py",
            label=plain(title(branch.spec)),
            icon=":material/call_split:",
            query_params={"run": branch.id},
        )
    if len(branches) > MOST_LINKS:
        st.caption(f"and {len(branches) - MOST_LINKS:d} more")


def sources_of(view: RunView) -> tuple[str, ...]:
    """The ids of the runs that its network is made of; none: it was trained from the start."""
    found = view.inputs[FROM] if is_made(view.inputs) else ()
    return tuple(each for each in found if is_run_id(each)) if isinstance(found, list | tuple) else ()


def parent_link(view: RunView) -> None:
    """A link to the run that this one comes from, if it comes from one."""
    for run_id in sources_of(view):
        made_of = jobs().view(run_id)
        if made_of is None:
            st.caption("Made of a run that was deleted.")
        else:
            st.page_link(
                "pages/2_Train.py",
                label=f"Made of {plain(title(made_of.spec))}",
                icon=":material/arrow_upward:",
                query_params={"run": made_of.id},
            )
    if not view.inputs.get("parent"):
        return
    parent, started = parent_of(view), view.history.started
    where = ""
    if started and "begins_epoch" in started:
        epoch = started["begins_epoch"]
        where = f" after epoch {epoch:g}" if epoch == int(epoch) else f" in epoch {int(epoch) + 1:d}"
    if parent is None:
        st.caption(f"A branch{where} of a run that was deleted.")
        return
    st.page_link(
        "pages/2_Train.py",
        label=f"Branch of {plain(title(parent.spec))}{where}",
        icon=":material/arrow_upward:",
        query_params={"run": parent.id},
    )
