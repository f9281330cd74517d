"""The dials of a run that trains: each change is an edit, and says when it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import Any

import streamlit as st

from core.catalogue import Number
from core.jobs.views import RunView
from core.run.events import Event
from core.steerable import Dial, dials
from core.text.edits import edit_in_words, when_in_words
from core.text.escape import plain
from pages.features.editor.choice import key
from pages.features.editor.fields import field
from pages.features.frame.asked import obeyed
from pages.features.frame.setup import jobs
from pages.features.live.audience import ask_again_in, refresh_seconds
from pages.features.live.controls import send, single_steps

MOST_LISTED = 30  # changes; "Changes (JSON)" has all of them
SYNC_SECONDS = 2.0  # how soon one of few sees here what another tab has changed; it is on the charts at once
IN_A_CLASS_SECONDS = 60.0  # the same of one of many, where drawing the dials costs more than the charts
OPEN = ("Optimiser", "Budget")  # parts that are not folded
BATCH_SIZES = tuple(2**i for i in range(13))
_TURNS = "augury.steer.turns"  # path → how often its widget began anew
_REFUSED = "augury.steer.refused"  # path → why


def steer_panel(run_id: str) -> None:
    """Draw the dials, and keep them as the run is."""
    st.fragment(_panel, run_every=SYNC_SECONDS)(run_id)


def _panel(run_id: str) -> None:
    view = jobs().view(run_id)
    if view is None or view.ended or view.state == "queued" or view.history.started is None:
        return
    ask_again_in(SYNC_SECONDS if refresh_seconds(run_id) <= 1 else IN_A_CLASS_SECONDS)
    st.markdown("**Steer**", help="Each change is noted, marked on the charts, and can be undone.")
    single_steps(view)
    epoch = min(int(view.history.epochs_done()) + 1, view.history.total_epochs)
    for part, group in groupby(dials(view.spec_now, epoch), key=lambda dial: dial.part):
        with st.expander(plain(part), expanded=part in OPEN, key=f"steer.{part}"):
            for dial in group:
                _draw(run_id, dial)
    at = key("steer", run_id, "by_itself")
    st.toggle(
        "Go on by itself after a crash",
        view.resumes > 0,
        key=at,
        on_change=_by_itself,
        args=(run_id, at),
        help="If the server or the run's process is killed, the run goes on from its last checkpoint as soon "
        "as a server is there, up to five times. Without, it waits for you.",
    )
    st.caption("Images, split, architecture and seed need a new run: branch from here, or start another.")


def _by_itself(run_id: str, at: str) -> None:
    obeyed(jobs().resume_by_itself, run_id, st.session_state[at])


def _draw(run_id: str, dial: Dial) -> None:
    """One dial; it begins anew where the run has another value than it shows."""
    turns: dict[str, int] = st.session_state.setdefault(_TURNS, {})
    place = f"{run_id}.{dial.path}"
    at = key("steer", place, turns.get(place, 0))
    if at in st.session_state and not _same(st.session_state[at], dial.value):
        turns[place] = turns.get(place, 0) + 1
        at = key("steer", place, turns[place])
    label = f"{plain(dial.label)} :gray[· {dial.when}]"
    changed = partial(_changed, run_id, dial, at)
    if dial.path == "train.batch_size":
        sizes = sorted({*BATCH_SIZES, dial.value})
        st.select_slider(
            label,
            sizes,
            dial.value,
            format_func=lambda size: f"{size:d}",
            key=at,
            on_change=changed,
            help=dial.parameter.help,
        )
    else:
        field(_bounded(dial), dial.value, label=label, at=at, on_change=changed)
    if said := st.session_state.get(_REFUSED, {}).pop(place, None):
        st.error(plain(said), icon=":material/error:")


def _bounded(dial: Dial) -> Any:
    """The parameter with bounds that its value is within: an old run's may be beyond those of now."""
    parameter = dial.parameter
    if isinstance(parameter, Number) and parameter.scale == "linear":
        return replace(parameter, low=min(parameter.low, dial.value), high=max(parameter.high, dial.value))
    return parameter  # a logarithmic dial takes any value in


def _changed(run_id: str, dial: Dial, at: str) -> None:
    value = _plain(st.session_state[at])
    before = jobs().view(run_id)
    if before is None or before.ended or _is_so(before, {dial.path: value}):
        return
    edits, refused = len(before.history.edits), before.history.refused
    answered: list[RunView] = []

    def done(view: RunView) -> bool:
        if len(view.history.edits) > edits or view.history.refused is not refused:
            answered.append(view)
        return bool(answered)

    send(run_id, {"command": "edit", "set": {dial.path: value}}, done, seconds=1.0)
    if answered and answered[0].history.refused is not refused:
        said = (answered[0].history.refused or {}).get("reason", "")
        st.session_state.setdefault(_REFUSED, {})[f"{run_id}.{dial.path}"] = said


def _is_so(view: RunView, change: Mapping[str, Any]) -> bool:
    """Whether a change would change nothing."""
    now = {dial.path: dial.value for dial in dials(view.spec_now)}
    return all(path in now and _same(now[path], value) for path, value in change.items())


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _same(one: Any, other: Any) -> bool:
    return bool(_plain(one) == _plain(other))


def changes_line(view: RunView, may_undo: bool) -> None:
    """The run's edits beneath its charts: the last with its undo, the others folded."""
    edits = view.history.edits
    if not edits:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="changes"):
        st.markdown(f"**Changed** {plain(_said(edits[-1], view))}", width="content")
        if may_undo and not view.ended:
            st.button(
                "Undo",
                icon=":material/undo:",
                key=f"undo.{len(edits)}",
                on_click=_undo,
                args=(view.id, edits[-1]),
                help="Sets it back from the next batch on; that is a change, too.",
            )
        if len(edits) > 1:
            with st.popover(f"All {len(edits):d} changes", icon=":material/history:"):
                _list(edits, view, may_undo)


def _list(edits: Sequence[Event], view: RunView, may_undo: bool) -> None:
    for i, event in reversed(list(enumerate(edits))[-MOST_LISTED:]):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(plain(_said(event, view)), width="stretch")
            if may_undo and not view.ended:
                st.button(
                    "Undo",
                    icon=":material/undo:",
                    type="tertiary",
                    key=f"undo.each.{i}",
                    on_click=_undo,
                    args=(view.id, event),
                )


def _said(event: Event, view: RunView) -> str:
    return f"{when_in_words(event)}: {edit_in_words(event, view.spec)}"


def _undo(run_id: str, event: Event) -> None:
    before = jobs().view(run_id)
    if before is None or _is_so(before, event["was"]):
        return
    edits = len(before.history.edits)
    send(run_id, {"command": "edit", "set": dict(event["was"])}, lambda view: len(view.history.edits) > edits)


def marks_of(view: RunView) -> tuple[tuple[float, str], ...]:
    """The run's edits, for its charts."""
    return tuple(
        (float(event["epoch"]), _said(event, view)) for event in view.history.edits if "epoch" in event
    )
