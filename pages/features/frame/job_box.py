"""A look that takes a moment, as a job: a button that asks for it, how far it is, and what it found.

Whoever asks in the very same words sees the same job, so nothing is remembered in a visit. While it is live
one fragment re-runs on a timer; once it has ended the page draws it, and moves no more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from core.catalogues import filled
from core.jobs.views import RunView
from core.run.errors import SpecError
from core.run.events import Event
from core.run.spec import RunSpec
from core.text.escape import plain
from core.text.refusals import in_words
from pages.features.frame.asked import ask, may_change
from pages.features.frame.setup import jobs
from pages.features.frame.visitor import visitor

REFRESH_SECONDS = 1.0

Draw = Callable[[RunView], None]


def job_box(
    spec: RunSpec,
    kind: str,
    inputs: Mapping[str, Any],
    draw: Draw,
    *,
    key: str,
    label: str,
    icon: str,
    inputs_now: Callable[[], Mapping[str, Any]] | None = None,
) -> None:
    """A button for a job, and what is known of it.

    Args:
        draw: shows the rows of a job, some of which may still be missing.
        key: of the button, and of what else is drawn here.
        label, icon: the button's.
        inputs_now: the inputs when it is pressed. A press may come with a text that was just written, of
            which ``inputs`` do not know.
    """
    say_refusal(key)
    spec = filled(spec)  # as a link has it, which says the same in more words
    view = jobs().same(spec, kind, inputs)
    if view is not None and not view.ended:
        st.session_state[_watched(key)] = view.id
        st.fragment(_watch, run_every=REFRESH_SECONDS)(view.id, draw, key)
        return
    st.session_state.pop(_watched(key), None)
    st.button(label, icon=icon, key=key, on_click=_ask, args=(spec, kind, inputs_now or inputs, key))
    if view is None:
        return
    if view.state == "failed":
        st.error(plain(view.reason), icon=":material/error:")
    elif view.state in ("interrupted", "stopped") and view.reason:
        st.info(plain(view.reason), icon=":material/info:")
    draw(view)


def refuse(key: str, error: SpecError) -> None:
    """Remember, until the page is drawn again, why a job was not taken."""
    st.session_state[_refused(key)] = in_words(error)


def say_refusal(key: str) -> None:
    """Say why the last job that was asked for here was not taken, once."""
    if said := st.session_state.pop(_refused(key), None):
        st.warning(plain(said), icon=":material/hourglass:")


def rows(view: RunView, *fields: str) -> list[Event]:
    """The rows of a job that have these fields: what is stored may be damaged."""
    return [row for row in view.history.rows if all(field in row for field in fields)]


def how_far(view: RunView) -> str:
    """What a live job is doing, or why it waits, as plain text."""
    if view.state == "queued":
        before = "one other is" if view.position == 1 else f"{view.position} others are"
        return f"Waits: {before} before it." if view.position else "Starts in a moment."
    told = view.history.progress_event
    if told is None:
        return "Starting a process for it…"
    left = view.progress().seconds_left
    doing = str(told.get("what", ""))
    return doing if left is None else f"{doing} · {left:.0f} s left"


def _ask(
    spec: RunSpec, kind: str, inputs: Mapping[str, Any] | Callable[[], Mapping[str, Any]], key: str
) -> None:
    inputs = inputs() if callable(inputs) else inputs
    try:
        jobs().submit(spec, kind, inputs, visitor())
    except SpecError as error:
        refuse(key, error)


def _watch(run_id: str, draw: Draw, key: str) -> None:
    if st.session_state.get(_watched(key)) != run_id:
        return  # a timer of what was shown before
    view = jobs().view(run_id)
    if view is None or view.ended:
        st.rerun()  # the whole page: it draws a job that has ended
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(view.progress().share, plain(how_far(view)), width="stretch")
        if may_change(view):
            st.button(
                "Cancel",
                icon=":material/stop:",
                key=f"{key}.cancel",
                on_click=ask,
                args=(jobs().stop, view.id),
            )
    if view.history.rows:
        draw(view)


def _refused(key: str) -> str:
    return f"augury.refused.{key}"


def _watched(key: str) -> str:
    return f"augury.watched.{key}"
