"""What is training on this server now, and what ended last."""

from __future__ import annotations

import streamlit as st

from core.catalogue import title_of
from core.jobs.kinds import KINDS
from core.jobs.views import RunView
from core.run.figures import result_of
from core.store.store import StoredRun
from core.text.describe import in_words, title
from core.text.escape import plain
from pages.features.frame.setup import jobs
from pages.features.frame.visitor import is_here

REFRESH_SECONDS = 2.0
SHOWN = 5
RECENT = 10


def running_now() -> None:
    """A line a live run, kept up to date; the last ended one when there is none."""
    live = bool(jobs().live(None))
    st.fragment(_lines, run_every=REFRESH_SECONDS if live else None)()


def _lines() -> None:
    live = jobs().live(None)
    if live:
        st.markdown("**Running now**")
    for view in live[:SHOWN]:
        _line(view)
    if len(live) > SHOWN:
        st.caption(f"and {len(live) - SHOWN} more that wait")
    waiting = sum(view.state == "queued" and view.kind == "train" for view in live)
    if waiting > 1 and is_here():
        _stop_waiting_box(waiting)
    if not live:
        for stored in jobs().recent(1):
            if last := jobs().view(stored.id):
                st.markdown("**Last run**")
                _line(last)


def _stop_waiting_box(waiting: int) -> None:
    """For whoever sits at the server's own machine: one button that empties the queue, once confirmed."""
    hint = "Only this machine has this button."
    with st.popover("Stop all that wait", icon=":material/clear_all:", help=hint):
        st.markdown(f"{waiting} runs wait. What runs now goes on; the others never start.")
        st.button(f"Stop {waiting} runs", icon=":material/stop:", key="stop_waiting", on_click=_stop_waiting)


def _stop_waiting() -> None:
    jobs().stop_waiting()


def _line(view: RunView) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        progress = view.progress()
        what = "" if view.kind == "train" else f"{title_of(KINDS, view.kind)}: "
        said = [plain(what + title(view.spec)), view.state]
        if result := view.history.result:
            said += [
                f"{result['validation_accuracy']:.1%} accuracy",
                f"{result['sparsity']['exact']:.0%} zeros",
            ]
        st.progress(progress.share, " · ".join(said), width="stretch")
        st.page_link(
            "pages/2_Train.py",
            label="Watch",
            icon=":material/monitoring:",
            query_params={"run": view.id},
            help=plain(in_words(view.spec)),
        )


def recent_runs(shown: str) -> None:
    """Links to the last runs, newest first, the one on the screen marked; and one to start another."""
    st.page_link("pages/2_Train.py", label="New run", icon=":material/add:", query_params={})
    st.caption("Recent runs")
    for run in jobs().recent(RECENT):
        st.page_link(
            "pages/2_Train.py",
            label=_label(run),
            icon=_ICONS.get(run.state, ":material/circle:"),
            query_params={"run": run.id},
            disabled=run.id == shown,
            help=run.state,
        )


def _label(run: StoredRun) -> str:
    """How it ended, and its title, which may be cut off: a class has many runs of one name."""
    name = plain(title(run.spec))
    return f"{result_of(run.summary)['validation_accuracy']:.1%} · {name}" if run.summary else name


_ICONS = {
    "queued": ":material/hourglass:",
    "running": ":material/autoplay:",
    "finished": ":material/check:",
    "stopped": ":material/stop:",
    "failed": ":material/error:",
    "interrupted": ":material/error:",
}
