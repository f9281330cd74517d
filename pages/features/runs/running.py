"""What is training on this server now, and what ended last."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.catalogue import title_of
from core.jobs.kinds import KINDS
from core.jobs.views import RunView
from core.run.figures import result_of
from core.store.store import StoredRun
from core.store.studies import is_of_a_study
from core.study.studies import StudyView
from core.text.describe import in_words, title
from core.text.escape import plain
from core.text.seeds import told_apart
from core.text.shares import in_full, percent
from pages.features.frame.asked import obeyed
from pages.features.frame.setup import jobs
from pages.features.frame.visitor import is_teacher, visitor
from pages.features.frame.when import when
from pages.features.study.manager import studies

REFRESH_SECONDS = 2.0
SHOWN = 5
RECENT = 10
MOST_RECENT = 50  # that are looked through for a visit's own


def running_now() -> None:
    """A line a live run, kept up to date; the last ended one when there is none."""
    live = bool(jobs().live(None) or studies().running())
    st.fragment(_lines, run_every=REFRESH_SECONDS if live else None)()


def _lines() -> None:
    live = [view for view in jobs().live(None) if not is_of_a_study(view.group)]
    running = studies().running()
    if live or running:
        st.markdown("**Running now**")
    for study in running[:SHOWN]:
        _study_line(study)
    for view in live[:SHOWN]:
        _line(view)
    if len(live) > SHOWN:
        st.caption(f"and {len(live) - SHOWN} more that wait")
    waiting = sum(view.state == "queued" and view.kind == "train" for view in live)
    if waiting > 1 and is_teacher():
        stop_waiting_box(waiting)
    if not live and not running:
        _last_run()


def _study_line(study: StudyView) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        runs = max(1, study.runs_in_all)
        said = plain(f"Study: {study.title} · {study.done} of {runs} runs")
        st.progress(min(1.0, study.done / runs), said, width="stretch")
        st.page_link(
            "pages/4_Studies.py",
            label="Watch",
            icon=":material/monitoring:",
            query_params={"study": study.id},
        )


def _last_run() -> None:
    """The visit's own last run, to go on with; else anybody's."""
    runs = jobs().recent(MOST_RECENT, cells=False)
    mine = next((run for run in runs if run.visitor == visitor()), None)
    for run in [mine] if mine else runs[:1]:
        if last := jobs().view(run.id):
            st.markdown("**Go on with your last run**" if mine else "**Last run**")
            _line(last)


def stop_waiting_box(waiting: int) -> None:
    """For a teacher: one button that empties the queue, once confirmed."""
    hint = "Only the teacher, and whoever sits at the server, has this button."
    with st.popover("Stop all that wait", icon=":material/clear_all:", help=hint):
        st.markdown(f"{waiting} runs wait. What runs now goes on; the others never start.")
        st.button(f"Stop {waiting} runs", icon=":material/stop:", key="stop_waiting", on_click=_stop_waiting)


def _stop_waiting() -> None:
    obeyed(jobs().stop_waiting)


def _line(view: RunView) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        progress = view.progress()
        what = "" if view.kind == "train" else f"{title_of(KINDS, view.kind)}: "
        said = [plain(what + title(view.spec)), view.state]
        if result := view.history.result:
            sparsity = result["sparsity"]
            accuracy = in_full(result["validation_accuracy"], view.history.validation_images)
            zeros = f"{percent(sparsity['exact'])} of {sparsity['weights']:,} weights are zero"
            said.append(plain(f"accuracy {accuracy} · {zeros}"))
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
    runs = jobs().recent(MOST_RECENT, cells=False)
    mine = [run for run in runs if run.visitor == visitor()]
    st.caption("Recent runs")
    if mine and len(mine) < len(runs):
        whose = st.segmented_control(
            "Whose runs", ["Mine", "All"], default="All", required=True, key="recent.whose",
            label_visibility="collapsed", persist_state="session",
        )  # fmt: skip
        runs = mine if whose == "Mine" else runs
    runs = runs[:RECENT]
    for run, apart in zip(runs, _apart(runs), strict=True):
        label = f"{_result(run)}{plain(title(run.spec))}{apart}"
        st.page_link(
            "pages/2_Train.py",
            label=f"**▸ {label}**" if run.id == shown else label,
            icon=_ICONS.get(run.state, ":material/circle:"),
            query_params={"run": run.id},
            help=plain(f"{run.state}{_judged(run)}; {in_words(run.spec)}"),
        )


def _result(run: StoredRun) -> str:
    """How it ended, first, for a title may be cut off."""
    return f"{percent(result_of(run.summary)['validation_accuracy'])} · " if run.summary else ""


def _judged(run: StoredRun) -> str:
    """Its accuracy with what it is of: for a hint, beside a line that has no room for it."""
    if not run.summary:
        return ""
    accuracy = result_of(run.summary)["validation_accuracy"]
    return f", validation accuracy {in_full(accuracy, run.summary.get('validation_images'))}"


def _apart(runs: Sequence[StoredRun]) -> list[str]:
    """What tells runs of one title apart, e.g. `` · seed 2``; else when they were begun. Nothing where no
    other has it."""
    seeds = told_apart([title(run.spec) for run in runs], [run.spec for run in runs])
    said = [when(run.created_at) if seed is None else seed for run, seed in zip(runs, seeds, strict=True)]
    return [f" · {each}" if each else "" for each in said]


_ICONS = {
    "queued": ":material/hourglass:",
    "running": ":material/autoplay:",
    "finished": ":material/check:",
    "stopped": ":material/stop:",
    "failed": ":material/error:",
    "interrupted": ":material/error:",
}
