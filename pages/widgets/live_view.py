"""A run as it goes: progress, figures, charts in place, the images it is training on, and Stop.

One fragment re-runs on a timer while the run is live. What it draws is built once a version of the
run and shared by all viewers, so that a class of 30 costs little more than one.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from core import figures
from core.describe import in_words
from core.engine import Event
from core.jobs import History, RunView
from pages.widgets import choice
from pages.widgets.audience import outdated, refresh_seconds
from pages.widgets.gallery import batch_strip
from pages.widgets.live_chart import live_chart
from pages.widgets.running import recent_runs
from pages.widgets.setup import jobs

METRIC_WIDTH = 165  # pixels
REMEMBERED = 32  # runs whose charts are kept
CHART_SECONDS = 0.5  # charts of a run are rebuilt at most this often, however many watch


def live_view(run_id: str) -> None:
    """Draw the run, live if it is; says what to do if there is no such run."""
    view = jobs().view(run_id)
    if view is None:
        st.warning(
            "There is no such run on this server; it may have been on another one.",
            icon=":material/search_off:",
        )
        st.page_link("pages/2_Train.py", label="Choose and start a new one", icon=":material/arrow_back:")
        return
    with st.sidebar:
        recent_runs(run_id)
    _header(view)
    if view.ended:
        _live_parts(view)
        _what_next(view)
        return
    interval = refresh_seconds(run_id)
    st.fragment(_live, run_every=interval)(run_id, interval)


def _header(view: RunView) -> None:
    st.title(view.spec.name or "Training", anchor=False)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(in_words(view.spec))
        if not view.history.ended:
            st.button("Stop", icon=":material/stop:", on_click=jobs().stop, args=(view.id,), key="stop")


def _live(run_id: str, interval: float) -> None:
    view = jobs().view(run_id)
    assert view is not None
    _live_parts(view)
    if view.ended or outdated(run_id, interval):
        st.rerun()  # the whole page: that draws a run that has ended, and alone announces another interval


def _live_parts(view: RunView) -> None:
    _state(view)
    _figures(view)
    charts = _charts(view)
    left, right = st.columns(2)
    with left:
        st.markdown("**Loss**")
        _chart("loss", *charts.loss)
    with right:
        st.markdown("**Sparsity by layer**")
        _chart("sparsity", *charts.sparsity)
    left, right = st.columns(2)
    with left:
        st.markdown("**Accuracy**")
        _chart("accuracy", *charts.accuracy)
    with right:
        _batch(view)


def _chart(name: str, figure: str, alt: str) -> None:
    live_chart(figure, key=name, height=300, alt=alt)


def _state(view: RunView) -> None:
    history = view.history
    if history.state == "queued":
        before = "one run is" if view.position == 1 else f"{view.position} runs are"
        waits = f"It waits: {before} before it." if view.position else "It starts in a moment."
        st.progress(0.0, f"Queued. {waits}")
        return
    progress = view.progress()
    parts = [f"epoch {progress.epoch} of {progress.epochs}" if progress.epochs else "loading the data"]
    if progress.seconds_left is not None:
        parts.append(f"{_duration(progress.seconds_left)} left")
    if progress.images_per_second:
        parts.append(f"{progress.images_per_second:,.0f} images/s")
    if history.started:
        threads = history.started["threads"]
        parts.append(f"{history.started['device_name']}, {threads} {'thread' if threads == 1 else 'threads'}")
    st.progress(progress.share, " · ".join([history.state.capitalize(), *parts]))
    if history.state == "failed":
        st.error(f"The run failed. {history.reason}", icon=":material/error:")
    elif history.reason:
        st.info(history.reason, icon=":material/info:")


def _figures(view: RunView) -> None:
    """The last epoch's figures; dashes until there is one."""
    last = view.history.epochs[-1] if view.history.epochs else None
    shown = (
        (
            "Validation accuracy",
            f"{last['validation_accuracy']:.1%}" if last else "",
            "Share of held-out images that are named rightly.",
        ),
        (
            "Validation loss",
            f"{last['validation_loss']:.3f}" if last else "",
            "Mean cross-entropy of held-out images, in nats.",
        ),
        (
            "Exact zeros",
            f"{last['sparsity']['exact']:.1%}" if last else "",
            "Share of weights that are exactly 0.0; biases and norms are left out.",
        ),
        (
            "Near zero",
            f"{last['sparsity']['near']:.1%}" if last else "",
            "Share of weights with |w| < 0.001, exact zeros among them.",
        ),
    )
    with st.container(horizontal=True):  # four in a row, or two on a telephone
        for label, value, help in shown:
            st.metric(label, value or "–", help=help, width=METRIC_WIDTH)


def _batch(view: RunView) -> None:
    batch = view.history.batch
    st.markdown("**This batch**")
    if batch is None:
        ended = view.history.ended
        st.caption(
            "The images of the last batch are not kept." if ended else "The first images come in a moment."
        )
        return
    st.caption(f"The very images of step {batch['step']:,}, as the network saw them.")
    batch_strip(
        f"data:image/png;base64,{batch['images']}", batch["labels"], key="batch", alt="An image of class"
    )


def _what_next(view: RunView) -> None:
    with st.container(horizontal=True):
        st.button(
            "Change something and train again",
            type="primary",
            icon=":material/tune:",
            on_click=_choose_again,
            args=(view,),
        )
        st.download_button(
            "Spec (JSON)",
            view.spec.to_json(indent=2),
            f"augury-{view.id[:8]}.json",
            icon=":material/download:",
        )
        st.download_button(
            "Epochs (CSV)",
            figures.epochs_csv(view.history),
            f"augury-{view.id[:8]}.csv",
            icon=":material/download:",
            disabled=not view.history.epochs,
        )


def _choose_again(view: RunView) -> None:
    del st.query_params["run"]
    choice.replace(view.spec)
    choice.remember(view.spec)


@dataclass(frozen=True, slots=True)
class _Charts:
    """A run's three charts at one version, as JSON, each with a sentence for those who can't see it."""

    version: int
    built: float
    loss: tuple[str, str]
    accuracy: tuple[str, str]
    sparsity: tuple[str, str]


_built: dict[str, _Charts] = {}
_building = threading.Lock()


def _charts(view: RunView) -> _Charts:
    """The run's charts, from the last viewer's turn if they are still fresh."""
    now = time.monotonic()
    with _building:
        charts = _built.pop(view.id, None)
        if charts is None or (
            charts.version != view.version and (view.ended or now - charts.built > CHART_SECONDS)
        ):
            charts = _build(view, now)
        _built[view.id] = charts
        while len(_built) > REMEMBERED:
            del _built[next(iter(_built))]
        return charts


def _build(view: RunView, now: float) -> _Charts:
    history = view.history
    last: Event | None = history.epochs[-1] if history.epochs else None
    said = f"After epoch {last['epoch']}: {{}}." if last else "No epoch has ended yet."

    def chart(
        draw: Callable[[History, str], figures.Figure], name: str, figure: str | None
    ) -> tuple[str, str]:
        return json.dumps(draw(history, view.id)), f"Line chart of {name}. {said.format(figure)}"

    return _Charts(
        view.version,
        now,
        chart(
            figures.loss, "train and validation loss", f"{last['validation_loss']:.3f} nats" if last else ""
        ),
        chart(
            figures.accuracy,
            "train and validation accuracy",
            f"{last['validation_accuracy']:.1%}" if last else "",
        ),
        chart(
            figures.sparsity_by_layer,
            "exact zeros by layer",
            f"{last['sparsity']['exact']:.1%} of all weights" if last else "",
        ),
    )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
