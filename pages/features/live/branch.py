"""What if, from here: choose a checkpoint of a run, and train on from it with other settings."""

from __future__ import annotations

import streamlit as st

from core.jobs.fork import forks
from core.jobs.views import RunView
from core.regularise.catalogue import REGULARISERS
from core.run.checkpoints import Found
from core.run.errors import SpecError
from core.steerable import MOST_EPOCHS
from core.text.describe import title
from core.text.escape import plain
from core.text.refusals import in_words
from pages.features.editor.fork import go_to_form
from pages.features.frame.asked import may_change
from pages.features.frame.setup import jobs
from pages.features.live.controls import send
from pages.features.live.lineage import branch_links
from pages.features.live.starting import start_branch

CHECKPOINT_SECONDS = 2.0
_PROBLEM = "augury.branch.problem"


def branch_box(view: RunView) -> None:
    """Offer the run's checkpoints to branch from."""
    if view.state == "queued":
        return
    with st.popover("Branch", icon=":material/call_split:"):
        _box(view)


def _box(view: RunView) -> None:
    found = forks(view.id)
    branch_links(view)
    if problem := st.session_state.pop(_PROBLEM, None):
        st.error(plain(problem), icon=":material/error:")
    if not view.ended and may_change(view):
        st.button(
            "From here, now",
            icon=":material/call_split:",
            type="primary",
            key="branch.now",
            on_click=_from_here,
            args=(view.id,),
            help="Keeps the run as it is at this step; the run itself goes on.",
        )
    if not found and view.imported_at is not None:
        st.caption("An archive holds no checkpoint, so there is none to branch from. Train it again here.")
        return
    if not found:
        st.caption("No checkpoint is kept yet; the first comes at the end of an epoch.")
        return
    at: Found = st.selectbox(
        "What if, from", found, len(found) - 1, format_func=lambda each: each.in_words, key="branch.at"
    )
    st.button(
        "Choose other settings",
        icon=":material/tune:",
        key="branch.choose",
        on_click=_choose,
        args=(view.id, at.step),
        help="Same network, same images, from that moment on. This run stays as it is.",
    )
    if view.ended and not at.within and at.step == found[-1].step:
        _extend(view, at)


def _extend(view: RunView, at: Found) -> None:
    if stopped := _stopped_early(view):
        st.caption(f"{plain(stopped)} To train on all the same leaves early stopping out.")
    most = MOST_EPOCHS - at.epochs
    if most < 1:
        return
    usual = min(view.spec.train.epochs, most)
    more = st.number_input("Or train on for (epochs)", 1, most, usual, key="branch.more")
    st.button(
        f"Train on to epoch {at.epochs + int(more):d}",
        icon=":material/add:",
        key="branch.extend",
        on_click=_train_on,
        args=(view.id, at.step, at.epochs + int(more)),
    )


def _from_here(run_id: str) -> None:
    before = jobs().view(run_id)
    if before is None:
        return
    count, refused = len(before.history.checkpoints), before.history.refused

    def answered(view: RunView) -> bool:
        return len(view.history.checkpoints) > count or view.history.refused is not refused

    send(run_id, {"command": "checkpoint"}, answered, CHECKPOINT_SECONDS)
    after = jobs().view(run_id)
    if after is None or len(after.history.checkpoints) <= count:
        said = after.history.refused if after and after.history.refused is not refused else None
        st.session_state[_PROBLEM] = said["reason"] if said else "The run did not answer; try again soon."
        return
    _choose(run_id, after.history.checkpoints[-1]["step"])


def _choose(run_id: str, step: int) -> None:
    try:
        go_to_form(run_id, step)
    except SpecError as error:
        st.session_state[_PROBLEM] = in_words(error)


def _train_on(run_id: str, step: int, epochs: int) -> None:
    try:
        fork = jobs().fork(run_id, step)
    except SpecError as error:
        st.session_state[_PROBLEM] = in_words(error)
        return
    view = jobs().view(run_id)
    update = {
        "train": fork.spec.train.model_copy(update={"epochs": epochs}),
        "name": f"{title(view.spec) if view else ''}, to epoch {epochs}"[-80:],
    }
    if view and _stopped_early(view):  # it would stop again at once
        kept = [each for each in fork.spec.regularisers if not REGULARISERS[each.kind].ends_runs]
        update["regularisers"] = tuple(kept)
    start_branch(fork, fork.spec.model_copy(update=update))


def _stopped_early(view: RunView) -> str:
    """Why the run ended before its time; empty if it did not."""
    return next((str(event["stop"]) for event in view.history.epochs[-1:] if "stop" in event), "")
