"""Train's form for a branch: it starts from the settings of a run at one of its checkpoints."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from core.jobs.fork import Fork
from core.presets import Preset
from core.run.errors import SpecError
from core.run.spec import RunSpec
from core.steerable import MOST_EPOCHS
from core.text.describe import title
from core.text.escape import plain
from core.text.refusals import in_words
from pages.features.editor import choice
from pages.features.frame.setup import jobs

FROM, AT = "from", "at"  # in the address: a run, and one of its steps
_KNOWN = "augury.fork"  # the fork that the address names, read once


class Chosen(NamedTuple):
    """The fork of the run called ``name``."""

    name: str
    fork: Fork


def chosen_fork() -> Chosen | None:
    """Where the run that is chosen here begins; None: anew."""
    run_id, at = st.query_params.get(FROM, ""), st.query_params.get(AT, "")
    if not run_id:
        choice.compare_with(None)
        return None
    asked, chosen = st.session_state.get(_KNOWN, (None, None))
    if asked != (run_id, at):
        try:
            chosen = _read(run_id, int(at) if at.isdecimal() and len(at) < 12 else -1)
        except SpecError as error:
            st.error(plain(in_words(error)), icon=":material/call_split:")
            leave()
            return None
        st.session_state[_KNOWN] = (run_id, at), chosen
        if "spec" not in st.query_params:
            choice.start_from(_first(chosen.fork))
    choice.compare_with(Preset("", f"{chosen.name}, {chosen.fork.at.in_words}", "", _first(chosen.fork)))
    return chosen


def _read(run_id: str, step: int) -> Chosen:
    view = jobs().view(run_id)
    fork = jobs().fork(run_id, step)
    return Chosen(title(view.spec) if view else "", fork)


def go_to_form(run_id: str, step: int) -> None:
    """Open the form for a branch; for a button's ``on_click``.

    Raises:
        SpecError: there is no such checkpoint.
    """
    chosen = _read(run_id, step)
    st.session_state[_KNOWN] = (run_id, str(step)), chosen
    st.query_params.pop("run", None)
    choice.start_from(_first(chosen.fork))
    st.query_params.update({FROM: run_id, AT: str(step)})


def _first(fork: Fork) -> RunSpec:
    """What the form begins with: the settings of the run there; of one that has come to its end as many
    epochs again."""
    spec, done = fork.spec, fork.at.epochs
    if spec.train.epochs <= done:
        more = min(done + spec.train.epochs, MOST_EPOCHS)
        spec = spec.model_copy(update={"train": spec.train.model_copy(update={"epochs": more})})
    return spec.model_copy(update={"name": ""})


def leave() -> None:
    """The choices are those of a new run again."""
    for name in (FROM, AT):
        st.query_params.pop(name, None)
    choice.compare_with(None)


def fork_line(chosen: Chosen) -> None:
    """What begins where, and the way back to a new run."""
    with st.container(border=True, key="fork"):
        st.markdown(
            f":material/call_split: **Branch** of {plain(chosen.name)}, {plain(chosen.fork.at.in_words)}"
        )
        st.caption("Images, split and network stay. All else may be another from there on.")
        st.button("A new run instead", icon=":material/restart_alt:", key="fork.leave", on_click=leave)
