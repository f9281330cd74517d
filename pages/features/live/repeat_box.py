"""Repeat a run with other seeds: all of them, or one kind of chance alone.

Whoever starts repeats stays on the run's page, where `pages.features.live.chance_table` fills: two kinds are
started one after the other, and stand side by side.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.catalogues import completed
from core.jobs.views import RunView
from core.run.errors import SpecError
from core.run.spec import RunSpec
from core.store.store import MAX_RUNS
from core.study.repeats import (
    FEWEST,
    MOST,
    Varied,
    differ_in,
    drawn,
    group_of_repeats,
    repeats,
    what_can_vary,
)
from core.text.escape import plain
from core.text.seeds import DRAWS, seeds_in_words, with_split
from pages.features.frame.setup import jobs
from pages.features.live.starting import frozen_note, start_group

_DEFAULT = 5  # runs
MOST_LETTERS = 80  # of a name
_STILL_COUNTS = ("finished", "queued", "running", "paused")
_WHAT = {
    "all": "Data order, initialisation, augmentation and dropout; all are judged on the same images.",
    "order": "In which order each epoch goes through the training images.",
    "weights": "What the network begins with: the start.",
    "augment": "What each operation draws for each image.",
    "dropout": "Which units are silent in each step.",
    "split": "Which images are kept for validation: the exam, and with it what is learned from.",
}


def repeat_box(view: RunView) -> None:
    """How many runs, what varies, and a button that starts those that are missing."""
    with st.popover("Repeat with other seeds", icon=":material/replay:"):
        spec, why = _to_repeat(view)
        if spec is None:
            st.caption(plain(why))
            return
        varied: Varied = st.selectbox(
            "What varies",
            what_can_vary(spec),
            format_func=lambda kind: DRAWS[kind][:1].upper() + DRAWS[kind][1:],
            key=f"repeat.varied.{view.id}",
        )
        st.caption(_WHAT[varied] + " All else is as in this run.")
        counts = view.state == "finished" and spec == view.spec
        label = "Runs in all, with this one" if counts else "Runs in all"
        count = st.slider(label, FEWEST, MOST, _DEFAULT, key=f"repeat.count.{view.id}")
        there = [
            run.spec
            for run in jobs().recent(MAX_RUNS)
            if run.state in _STILL_COUNTS and differ_in(run.spec, spec) == varied
        ]
        have = len(set(map(drawn, there)))
        missing = max(0, count - counts - have)
        frozen_note()
        st.button(
            f"Train {missing:d} more" if missing else "They are there",
            type="primary",
            icon=":material/play_arrow:",
            key=f"repeat.start.{view.id}",
            on_click=_start,
            args=(spec, view.id, varied, missing, there),
            disabled=not missing,
        )
        if have:
            st.caption(f"Beside this one there {'is' if have == 1 else 'are'} {have:d} already.")
        if why:
            st.caption(plain(why))


def _to_repeat(view: RunView) -> tuple[RunSpec | None, str]:
    """The spec that repeats have, but for their seeds, and what is to be known of it; or None, and why there
    is none."""
    if view.history.edits:
        return None, "It was changed while it trained; runs with other seeds would not have these changes."
    if view.inputs.get("parent"):
        return None, "It goes on from another run: that one's weights are its start. Repeat that one."
    try:
        spec = completed(view.spec)
    except SpecError:
        return None, "A part of its settings is no longer there, so that it can't be repeated."
    if spec == view.spec:
        return spec, ""
    return spec, "This run is of another version of Augury; it is not counted among its repeats."


def _start(spec: RunSpec, run_id: str, varied: Varied, count: int, there: Sequence[RunSpec]) -> None:
    new = [
        each.model_copy(update={"name": _name(spec, each)}) for each in repeats(spec, varied, count, there)
    ]
    start_group(new, group_of_repeats(run_id, varied), show=False)


def _name(spec: RunSpec, new: RunSpec) -> str:
    """The repeated run's, with the seeds: a preset's name alone would be another run's. None has none."""
    name = spec.name.removesuffix(f", {with_split(spec)}").removesuffix(f", {seeds_in_words(spec)}")
    told = seeds_in_words if new.split_seed == spec.split_seed else with_split
    seeds = f", {told(new)}"
    return f"{name[: MOST_LETTERS - len(seeds)]}{seeds}" if name else ""
