"""A run as it goes: progress, figures, charts in place, the images it is training on, and Stop.

One fragment re-runs on a timer while the run is live; see `pages.features.live.run_charts` for what it costs.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import streamlit as st

from core.figures.parts import Figure
from core.figures.sparsity import sparsity_by_layer
from core.figures.training import accuracy, loss
from core.jobs.views import RunView
from core.run.kinds import TRANSFORM, is_run
from core.text.advice import advise, stuck
from core.text.describe import in_words, title
from core.text.escape import plain
from core.text.how_long import how_long
from core.text.how_long import in_words as roughly
from core.text.run_figures import figures, harder_while_learning, resumed_in_words
from core.text.shares import in_full, percent
from pages.components.live_chart import live_chart
from pages.features.frame.asked import control_note, may_change
from pages.features.frame.refused import refusal
from pages.features.frame.scroll import begin_at_the_top
from pages.features.frame.setup import jobs
from pages.features.frame.share import run_share_box
from pages.features.frame.teacher import part_shown
from pages.features.live.audience import ask_again_in, refresh_seconds
from pages.features.live.branch import branch_box
from pages.features.live.controls import control_buttons
from pages.features.live.end_toast import end_toast
from pages.features.live.group_view import accuracy_band, group_line, seeds_of
from pages.features.live.job_view import job_view
from pages.features.live.lineage import ancestor_of, parent_link, study_link
from pages.features.live.next_steps import what_next
from pages.features.live.outcome import outcome
from pages.features.live.run_charts import chart
from pages.features.live.run_tabs import run_tabs
from pages.features.live.starting import preset_of
from pages.features.live.steer import changes_line, marks_of, steer_panel
from pages.features.live.tab_title import tab_title
from pages.features.live.trained_before import trained_before_note
from pages.features.live.watched_images import watched_images
from pages.features.runs.editing import deleted_note, edit_box
from pages.features.runs.importing import imported_note
from pages.features.runs.running import recent_runs

_DRAWN = "augury.drawn_state"  # how the run was when the whole page was drawn
METRIC_WIDTH = 144  # pixels: six in a row at 1280
LONG_NAME = 18  # letters: it takes two lines beside the buttons
LOOKED_THROUGH = 50  # runs, for how long others take
CHART_HEIGHT = 180  # pixels: all of a run on one screen of 1280×720 …
CHART_SHARE = 0.25  # … and a share of a taller one
ENDED_HEIGHT, ENDED_SHARE = 162, 0.225  # beneath a sentence that says what it came to, or was changed …
NOTED_HEIGHT, NOTED_SHARE = 150, 0.205  # … and beneath more than that
LOOK_AGAIN_SECONDS = 5.0  # at a run that has ended, but could go on
TABS_EVERY = 4  # refreshes of the overview for one of another tab, or as many seconds


def sheet_of(run_id: str) -> str:
    """What the sidebar is called on a telephone: a run that goes has dials, as the form has."""
    view = jobs().view(run_id) if run_id else None
    return "Dials" if not run_id or (view is not None and not view.ended) else "Recent"


def live_view(run_id: str) -> None:
    """Draw the run, live if it is; says what to do if there is no such run."""
    view = jobs().view(run_id)
    if view is None:
        if not deleted_note(run_id):
            st.warning(
                "There is no such run on this server; it may have been on another one.",
                icon=":material/search_off:",
            )
        st.page_link("pages/2_Train.py", label="Choose and start a new one", icon=":material/arrow_back:")
        return
    begin_at_the_top()
    if is_run(view.kind):
        _run(view)
        return
    job_view(view)
    _beside(view)


def _run(view: RunView) -> None:
    _header(view)
    control_note(view)
    imported_note(view)
    refusal()  # of another start, pressed here
    trained_before_note(view)
    # The same places while it runs and after: a fragment's last turn may arrive when the page has been drawn
    # for a run that has ended, and must find its own place there, not somebody else's.
    parts, again = st.container(key="run_parts"), st.container(key="run_again")
    end_toast(view)
    if view.ended:
        with parts:
            _parts(view)
        _beside(view)
        if view.state != "finished":
            with again:
                st.fragment(_look_again, run_every=LOOK_AGAIN_SECONDS)(view.id)
        return
    with parts:
        st.fragment(_live, run_every=refresh_seconds(view.id))(view.id)
    _beside(view)  # its many dials are drawn when the charts are there: a start's first point is what counts


def _beside(view: RunView) -> None:
    with st.sidebar:
        if part_shown("steer") and view.kind == "train" and not view.ended and may_change(view):
            steer_panel(view.id)
        if part_shown("recent"):
            recent_runs(view.id)


def _header(view: RunView) -> None:
    name, words = title(view.spec), in_words(view.spec)
    st.session_state[_DRAWN] = _as_drawn(view)
    with st.container(key="run_head"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            key = "long_name" if len(name) > LONG_NAME else None
            with st.container(horizontal=True, vertical_alignment="bottom", width="stretch", key=key):
                st.title(plain(name), anchor=False, width="content")
                parent_link(view)
                study_link(view)
            with st.container(horizontal=True, width="content", gap="small"):
                if part_shown("share"):
                    with st.popover("Share", icon=":material/share:"):
                        run_share_box(view)
                if part_shown("stop"):
                    edit_box(view)
                    branch_box(view)
                    if may_change(view):
                        control_buttons(view)
        preset = None if view.history.edits else preset_of(view.spec)
        about = [words.removesuffix(name).rstrip(" ·"), preset.watch if preset else ""]
        st.caption(plain(" — ".join(filter(None, about))))


def _as_drawn(view: RunView) -> tuple[str, bool]:
    """What of a run decides what its page has around the parts that are kept up to date."""
    return view.state, bool(view.history.edits)


def _live(run_id: str) -> None:
    view = jobs().view(run_id)
    assert view is not None
    interval = refresh_seconds(run_id)
    # What is in the weights changes once an epoch; shown as often as the rest it costs a class the most.
    ask_again_in(interval if _parts(view) else TABS_EVERY * max(1.0, interval))
    if view.ended or _as_drawn(view) != st.session_state.get(_DRAWN):
        st.rerun()  # the whole page: that draws a run that has ended, and the buttons of another state


def _parts(view: RunView) -> bool:
    """Its state, and the tab that is open; whether that is the overview."""
    tab_title(view)
    with st.container(key="run_state"):
        _state(view)
    if part_shown("tabs"):
        return run_tabs(view, _overview)
    _overview(view)
    return True


def _overview(view: RunView) -> None:
    """What it comes to, live; beneath the charts of a run that has ended, what next."""
    with st.container(key="run_came_to"):
        if view.ended:
            outcome(view)
    _charts(view)
    with st.container(key="run_next"):
        if view.ended:
            what_next(view)


def _look_again(run_id: str) -> None:
    """Another tab, or this server by itself, may have a run that was cut go on."""
    if (view := jobs().view(run_id)) is not None and not view.ended:
        st.rerun()


def _charts(view: RunView) -> None:
    """The figures of now, and how they came about."""
    last = view.history.result
    changes_line(view, may_change(view) and part_shown("steer"))
    _figures(view)
    seeds = seeds_of(view)
    group_line(view, seeds)
    left, right = st.columns(2)
    with left:
        st.markdown("**Accuracy**")
        now = in_full(last["validation_accuracy"], view.history.validation_images) if last else ""
        _chart(view, "accuracy", accuracy, "train and validation accuracy", now, accuracy_band(seeds))
    with right:
        st.markdown("**Loss**")
        now = f"{last['validation_loss']:.3f}" if last else ""
        _chart(view, "loss", loss, "train and validation loss", now)
    left, right = st.columns(2)
    with left:
        watched_images(view)
    with right:
        st.markdown("**Sparsity by layer**")
        sparsity = last["sparsity"] if last else {}
        now = f"{percent(sparsity['exact'])} of {sparsity['weights']:,} weights" if last else ""
        _chart(view, "sparsity", sparsity_by_layer, "exact zeros by layer", now)
    if last and (why := harder_while_learning(last, view.spec)):
        st.caption(why)


def _chart(
    view: RunView, name: str, draw: Callable[..., Figure], what: str, now: str, *settings: Hashable
) -> None:
    result = view.history.result
    said = f"After epoch {result['epoch']}: {now}." if result else "No epoch has ended yet."
    alt = f"Line chart of {what}. {said}"
    noted = bool(view.ended and view.history.reason_beside_choice)
    said_above = view.ended + bool(view.history.edits) + noted
    height, share = (
        (CHART_HEIGHT, CHART_SHARE),
        (ENDED_HEIGHT, ENDED_SHARE),
        (NOTED_HEIGHT, NOTED_SHARE),
    )[min(said_above, 2)]
    drawn = chart(view, draw, *settings, marks=marks_of(view), ancestor=ancestor_of(view))
    live_chart(drawn, key=name, height=height, share=share, alt=alt)


def _state(view: RunView) -> None:
    history = view.history
    if history.state == "queued":
        before = "one run is" if view.position == 1 else f"{view.position} runs are"
        waits = (
            f"It waits: {before} before it{_how_long(view)}." if view.position else "It starts in a moment."
        )
        st.progress(0.0, plain(f"Queued. {view.waits_for or waits}"))
        return
    progress = view.progress()
    parts = []
    if view.kind == TRANSFORM:
        parts.append("not trained any further")
    elif progress.epochs:
        parts.append(f"epoch {progress.epoch} of {progress.epochs}")
    elif not history.ended:
        parts.append("loading the data")
    if progress.seconds_left is not None:
        parts.append(f"{_duration(progress.seconds_left)} left")
    if progress.images_per_second:
        parts.append(f"{progress.images_per_second:,.0f} images/s")
    if held := 0 if history.ended else jobs().resident_bytes(view.id):
        parts.append(f"{held / 1e6:,.0f} MB of memory")
    if history.started:
        threads = history.started["threads"]
        device = plain(history.started["device_name"])
        parts.append(f"{device}, {threads} {'thread' if threads == 1 else 'threads'}")
    said = " · ".join([history.state.capitalize(), *parts])
    if history.ended:
        st.caption(said)
    else:
        st.progress(progress.share, said)
    if history.state == "failed":
        st.error(f"The run failed. {plain(history.reason)}", icon=":material/error:")
    elif reason := history.reason_beside_choice:
        st.info(plain(reason), icon=":material/info:")
    notes = history.started.get("notes", ()) if history.started else ()
    if went_on := resumed_in_words(history.resumed, notes):
        st.caption(plain(went_on))
    _notes(notes)
    for warning in history.finished.get("warnings", ()) if history.finished else ():
        st.warning(plain(warning), icon=":material/warning:")
    advice = advise(history.result, view.spec_now) if history.result else ""
    if not advice and not history.ended:
        advice = stuck(history.epochs, history.total_epochs, view.spec_now)
    if advice:
        st.warning(plain(advice), icon=":material/lightbulb:")


def _how_long(view: RunView) -> str:
    """How long those before a run that waits will take, e.g. ``, about 3 min``; empty if not known."""
    runs = jobs().recent(LOOKED_THROUGH)
    total = 0.0
    for each in jobs().live()[: view.position]:
        left = each.progress().seconds_left if each.state == "running" else None
        if left is None:
            estimate = how_long(each.spec, runs)
            if estimate is None:
                return ""
            left = estimate.seconds
        total += left
    return f", {roughly(total)}"


def _notes(notes: Sequence[str]) -> None:
    """One is a line; several, as of a person's own images, are folded: the figures come first."""
    if len(notes) == 1:
        st.info(plain(notes[0]), icon=":material/info:")
    elif notes:
        with st.expander(f"{len(notes)} notes on the images", icon=":material/info:"):
            st.markdown("\n".join(f"- {plain(note)}" for note in notes))


def _figures(view: RunView) -> None:
    """The figures of the epoch that stands for the run; dashes until there is one."""
    last = view.history.result
    with st.container(horizontal=True, key="figures"):  # all in a row, or two on a telephone
        for figure in figures(last, view.history.started):
            st.metric(
                figure.label,
                figure.value or "–",
                figure.sure or None,
                delta_color="off",
                delta_arrow="off",
                help=figure.help,
                width=METRIC_WIDTH,
            )
    if last and view.history.is_chosen:
        st.caption(
            f"Figures of epoch {last['epoch']}, whose weights are saved. It was chosen on the same "
            "validation images, so they flatter it a little."
        )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
