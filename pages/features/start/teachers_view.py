"""The teacher's view of a class: everybody's runs, who may start, and in which order they train."""

from __future__ import annotations

import os

import streamlit as st

from core.catalogue import title_of
from core.jobs.kinds import KINDS, is_quick
from core.jobs.rights import TEACHER, handle
from core.jobs.turns import place_of
from core.jobs.views import RunView
from core.store.store import StoredRun
from core.text.describe import title
from core.text.escape import plain
from core.text.how_long import how_long, in_words
from pages.features.frame.asked import ask
from pages.features.frame.refused import refusal
from pages.features.frame.setup import jobs
from pages.features.frame.visitor import is_teacher, visitor
from pages.features.runs.editing import delete, deleted_note
from pages.features.runs.running import stop_waiting_box

REFRESH_SECONDS = 2.0
SHOWN = 40  # live runs
ENDED = 10
LOOKED_THROUGH = 50  # runs, for how long others take


def teaches() -> bool:
    """Whether this visit has the teacher's view: it has shown the key, or sits at the machine of a server
    that has one."""
    return place_of(visitor()) == TEACHER or (is_teacher() and bool(os.environ.get("AUGURY_TEACHER_KEY")))


def teachers_view() -> None:
    """Draw it, kept up to date."""
    with st.container(border=True, key="teacher"):
        st.subheader("Teacher's view", anchor=False)
        refusal()
        deleted_note()
        st.fragment(_runs, run_every=REFRESH_SECONDS)()


def _runs() -> None:
    live, recent = jobs().live(None), jobs().recent(LOOKED_THROUGH, None)
    _starting([view for view in live if view.state == "queued" and not is_quick(view.kind)])
    before: float | None = 0.0
    place = 0
    for view in live[:SHOWN]:
        waits = view.state == "queued"
        seconds = _seconds(view, recent)
        _live_line(view, place if waits and not is_quick(view.kind) else None, before, seconds)
        if not is_quick(view.kind):
            place += waits
            before = None if before is None or seconds is None else before + seconds
    if len(live) > SHOWN:
        st.caption(f"and {len(live) - SHOWN} more that wait")
    if not live:
        st.caption("Nothing trains or waits.")
    ended = [run for run in recent if run.ended][:ENDED]
    if ended:
        with st.expander(f"Ended last ({len(ended)})", icon=":material/history:"):
            for run in ended:
                _ended_line(run)


def _starting(waiting: list[RunView]) -> None:
    """Who may start, and the way to empty the queue."""
    frozen = jobs().frozen()
    with st.container(horizontal=True, vertical_alignment="center"):
        if frozen:
            st.warning("Only you can start runs now.", icon=":material/ac_unit:", width="stretch")
        st.button(
            "Let everybody start again" if frozen else "Freeze starting",
            type="primary" if frozen else "secondary",
            icon=":material/lock_open:" if frozen else ":material/ac_unit:",
            key="unfreeze" if frozen else "freeze",  # a second press of one is none of the other
            help="Nobody but you can start anything. What runs or waits goes on.",
            on_click=ask,
            args=(jobs().freeze, not frozen),
        )
        if len(waiting) > 1:
            stop_waiting_box(len(waiting))


def _live_line(view: RunView, place: int | None, before: float | None, seconds: float | None) -> None:
    """A run that trains or waits, with what can be done about it.

    Args:
        place: in the queue, 0 the first; None: it doesn't wait there.
        before: seconds until it starts; ``seconds``: that it then takes; None: not known.
    """
    what = "" if view.kind == "train" else f"{title_of(KINDS, view.kind)}: "
    said = [handle(view.visitor)]
    if place is None:
        said.append(f"{view.state}, {view.progress().share:.0%}")
        if seconds is not None:
            said.append(f"{in_words(seconds)} left")
    else:
        said.append(f"{place + 1}. in the queue")
        if before is not None and before > 0:
            said.append(f"starts in {in_words(before)}")
        if view.waits_for:
            said.append(view.waits_for)
    with _line(view.id, what + title(view.spec), said):
        if place is not None:
            _move("First", "vertical_align_top", view.id, 0, place == 0)
            _move("Up", "arrow_upward", view.id, place - 1, place == 0)
            _move("Down", "arrow_downward", view.id, place + 1, False)
        st.button(
            "Stop", icon=":material/stop:", type="tertiary", key=f"teacher.stop.{view.id}",
            on_click=ask, args=(jobs().stop, view.id),
        )  # fmt: skip


def _ended_line(run: StoredRun) -> None:
    with _line(run.id, title(run.spec), [handle(run.visitor), run.state]):
        st.button(
            "Remove", icon=":material/delete:", type="tertiary", key=f"teacher.remove.{run.id}",
            on_click=delete, args=(run.id, title(run.spec)),
        )  # fmt: skip


def _line(run_id: str, name: str, said: list[str]) -> st.delta_generator.DeltaGenerator:
    """A row: a link to a run, what is said of it, and room for buttons."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"line.{run_id}"):
        st.page_link("pages/2_Train.py", label=f"**{plain(name)}**", query_params={"run": run_id})
        st.markdown(plain(" · ".join(said)), width="stretch")
        return st.container(horizontal=True, vertical_alignment="center", gap="xsmall", width="content")


def _move(label: str, icon: str, run_id: str, to: int, disabled: bool) -> None:
    st.button(
        plain(label), icon=f":material/{icon}:", type="tertiary", key=f"teacher.{label}.{run_id}",
        disabled=disabled, on_click=ask, args=(jobs().move, run_id, to),
    )  # fmt: skip


def _seconds(view: RunView, recent: list[StoredRun]) -> float | None:
    """How long a run still takes; None: not known."""
    if view.state != "queued":
        return view.progress().seconds_left
    estimate = how_long(view.spec, recent)
    return None if estimate is None else estimate.seconds
