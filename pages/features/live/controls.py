"""Pause, go on, one step, one epoch, stop; and go on after a stop or a kill."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from core.jobs.views import RunView
from pages.features.frame.asked import obeyed
from pages.features.frame.setup import jobs

ANSWER_SECONDS = 0.5  # that a press waits for its effect, so that the page shows it at once
POLL_SECONDS = 0.01
_STOPPING = "augury.stopping"  # the run whose Stop this visit has pressed


def control_buttons(view: RunView) -> None:
    """What can be done with the run as it is now."""
    if view.ended:
        if view.state != "finished" and view.imported_at is None:
            st.button(
                "Go on",
                icon=":material/resume:",
                type="primary",
                key="go_on",
                on_click=_go_on,
                args=(view.id,),
                help="From its newest checkpoint, to the same numbers as if it had never been cut.",
            )
        return
    if view.state == "running":
        _button("Pause", ":material/pause:", view.id, "pause", "Takes effect after this batch.")
    elif view.state == "paused":
        _button("Resume", ":material/play_arrow:", view.id, "resume", "Goes on where it is.", primary=True)
    _stop_button(view)


def single_steps(view: RunView) -> None:
    """Go on a little, while it is paused."""
    if view.state == "paused":
        with st.container(horizontal=True, gap="small"):
            _button("One batch", ":material/skip_next:", view.id, "step", "Then it pauses again.")
            _button("One epoch", ":material/fast_forward:", view.id, "epoch", "To its end; then it pauses.")


def send(
    run_id: str, command: Mapping[str, Any], done: Callable[[RunView], bool], seconds: float = ANSWER_SECONDS
) -> bool:
    """Ask something of a run, and wait a moment until it is ``done``; whether it was."""
    return obeyed(jobs().command, run_id, command) and wait_until(run_id, done, seconds)


def wait_until(run_id: str, done: Callable[[RunView], bool], seconds: float = ANSWER_SECONDS) -> bool:
    """Wait until a run is as it is wanted; whether it is."""
    deadline = time.monotonic() + seconds
    while (view := jobs().view(run_id)) is not None:
        if done(view):
            return True
        if view.ended or time.monotonic() > deadline:
            break
        time.sleep(POLL_SECONDS)
    return False


def _button(label: str, icon: str, run_id: str, command: str, help: str, primary: bool = False) -> None:
    st.button(
        label,
        icon=icon,
        type="primary" if primary else "secondary",
        key=f"control.{command}",
        on_click=_press,
        args=(run_id, command),
        help=help,
    )


def _press(run_id: str, command: str) -> None:
    before = jobs().view(run_id)
    if before is None or before.ended:
        return
    step = before.history.step["step"] if before.history.step else 0
    wanted = "paused" if command == "pause" else "running"

    def done(view: RunView) -> bool:
        if command in ("step", "epoch"):  # it runs, and pauses again
            return view.state == "paused" and bool(view.history.step and view.history.step["step"] > step)
        return view.state == wanted

    send(run_id, {"command": command}, done)


def _stop_button(view: RunView) -> None:
    """Greyed once it was pressed: the run ends after its batch, which may take a few seconds."""
    pressed = st.session_state.get(_STOPPING) == view.id
    st.button(
        "Stopping after this batch…" if pressed else "Stop",
        icon=":material/stop:",
        on_click=_stop,
        args=(view.id,),
        key="stop",
        disabled=pressed,
    )


def _stop(run_id: str) -> None:
    if obeyed(jobs().stop, run_id):
        st.session_state[_STOPPING] = run_id
        wait_until(run_id, lambda view: view.ended)


def _go_on(run_id: str) -> None:
    st.session_state.pop(_STOPPING, None)
    if obeyed(jobs().resume, run_id):
        wait_until(run_id, lambda view: view.state == "running")
