"""The runs of a comparison: what each is called, its colour, and which two of them are looked at closely."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from core.figures.overlay import colour_of
from core.jobs.views import RunView
from core.text import compare
from core.text.escape import plain
from core.text.seeds import called

WIDTH = 440  # pixels of a field


class Compared(NamedTuple):
    """A run, what tells it from the others, and the colour that is its own in every picture."""

    name: str
    colour: str
    view: RunView


def compared(views: Sequence[RunView]) -> list[Compared]:
    """In the order they were chosen."""
    names = called([view.spec for view in views])
    return [
        Compared(name, colour_of(i), view) for i, (name, view) in enumerate(zip(names, views, strict=True))
    ]


def two_of(runs: Sequence[Compared]) -> tuple[Compared, Compared] | None:
    """Let a person choose two of more than two; the address keeps which. None, and why, of one run twice."""
    if len(runs) == 2:
        return runs[0], runs[1]
    with st.container(horizontal=True):
        first, second = _one_of(runs, "A", "a", 0), _one_of(runs, "B", "b", 1)
    if first is second:
        st.info("A and B are the same run; choose two.", icon=":material/stacks:")
        return None
    return first, second


def _one_of(runs: Sequence[Compared], label: str, parameter: str, first: int) -> Compared:
    """The run that the address names by its place, from 1, or that a person chooses in its stead."""
    places = range(len(runs))
    asked = st.query_params.get(parameter, "")
    first = next((i for i in places if str(i + 1) == asked), first)
    key = f"compare.{parameter}.{hash(tuple(run.view.id for run in runs))}"  # of these runs alone

    def keep() -> None:
        st.query_params[parameter] = str(st.session_state[key] + 1)

    names = [f"{i}. {run.name}" for i, run in enumerate(runs, 1)]
    # The field cuts a long name off; its hint has all of it.
    chosen: int = st.selectbox(
        label,
        places,
        first,
        format_func=names.__getitem__,
        key=key,
        width=WIDTH,
        help=plain(names[st.session_state.get(key, first)]),
        on_change=keep,
    )
    return runs[chosen]


def why_not_alike(one: RunView, other: RunView) -> str:
    """Why two runs can't be compared image by image; empty if they can."""
    if not compare.on_same_data(one.spec, other.spec):
        return "They learned from different images, so they can't be compared image by image."
    if not compare.judged_alike(one.spec, other.spec):
        if not compare.judged_alike(one.spec, one.spec):
            return (
                "Their images lie in a folder, which may hold others by now, so none is known to be the same."
            )
        same = "fold" if one.spec.data.fold != other.spec.data.fold else "split seed"
        return (
            "They were judged on different validation images, so they can't be compared image by image. "
            f"Train one of them again with the {same} of the other."
        )
    if one.history.validation_images != other.history.validation_images:
        return "They were judged on different numbers of validation images: the images have changed between."
    return ""
