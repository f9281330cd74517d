"""Choose λ without leaving the page: a quick path of a few values, as a chart to pick one from.

The path is trained in a process of its own (`core.jobs.paths`); whoever asks for an equal one sees it, too.
While it is trained one fragment re-runs on a timer; once it has ended the page draws it, and moves no more.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

import streamlit as st

from core.figures import has_lambda
from core.figures.strength_path import path_chart, verdict
from core.jobs.paths import Paths, PathView
from core.regularise.catalogue import REGULARISERS
from core.run.errors import SpecError
from core.run.spec import RunSpec
from core.study.strength_path import (
    EPOCHS_EACH,
    IMAGES,
    POINTS,
    WARM_EPOCHS,
    PathPoint,
    good,
    quick,
    strengths,
)
from core.text.escape import plain
from pages.components.live_chart import live_chart
from pages.features.editor import choice

REFRESH_SECONDS = 1.0
HEIGHT = 320
_REFUSED = "augury.path.refused"  # why the last question was not taken


@st.cache_resource(show_spinner=False, on_release=lambda manager: manager.close())
def paths() -> Paths:
    """The paths of this server, shared by all visitors."""
    return Paths()


def choose_lambda(spec: RunSpec) -> None:
    """For a page's main part: the path of one of the spec's regularisers, and what is chosen goes into the
    visit's spec. Draws nothing where no regulariser has a λ."""
    kinds = [
        each.kind
        for each in spec.regularisers
        if REGULARISERS[each.kind].default_strength is not None and has_lambda(each.kind)
    ]
    if not kinds:
        return
    st.subheader("Choose λ", anchor=False)
    kind = kinds[0]
    if len(kinds) > 1:
        kind = st.segmented_control(
            "Regulariser",
            kinds,
            default=kind,
            required=True,
            format_func=lambda each: REGULARISERS[each].title,
            key=choice.key("path", "kind", *kinds),
        )
    which = [each.kind for each in spec.regularisers].index(kind)
    lambda_path_box(spec, which, partial(_choose, kind))


def lambda_path_box(spec: RunSpec, which: int, on_choose: Callable[[float], None]) -> None:
    """A button that tries eight values of λ for regulariser ``which`` of ``spec``, and then a chart of what
    each costs and gives. Draws nothing where that regulariser has no λ, or the spec can't be run.

    Call it outside any fragment, once every part of the form is read; 280 px of width will do.

    Args:
        spec: what the form says now, completed or not.
        on_choose: called with a λ as a callback is, before the re-run that a person's choice brings.
    """
    try:
        asked = quick(spec, which)
    except SpecError:
        return
    if refused := st.session_state.pop(_REFUSED, None):
        st.warning(plain(refused), icon=":material/hourglass:")
    view = paths().view(asked, which)
    if view is None or (view.ended and not view.points):
        _invitation(asked, which, view)
    elif not view.ended:
        st.fragment(_watch, run_every=REFRESH_SECONDS)(asked, which)
    else:
        chosen = spec.regularisers[which]
        now = REGULARISERS[chosen.kind].default_strength if chosen.strength is None else chosen.strength
        _result(asked, which, view, now, on_choose)


def _invitation(asked: RunSpec, which: int, view: PathView | None) -> None:
    kind = asked.regularisers[which].kind
    grid = strengths(kind)
    st.caption(
        f"{POINTS} values from {grid[0]:g} to {grid[-1]:g}: what does each cost in accuracy, and how many "
        "weights does it zero? A quick look, of less than a minute on a free machine."
    )
    if view is not None and view.state == "failed":
        st.error(f"The values could not be tried. {plain(view.reason)}", icon=":material/error:")
    st.button(
        f"Try {POINTS} values of λ",
        icon=":material/query_stats:",
        key=f"path.try.{kind}",
        on_click=_ask,
        args=(asked, which),
    )


def _ask(asked: RunSpec, which: int) -> None:
    try:
        paths().ask(asked, which)
    except SpecError as error:
        st.session_state[_REFUSED] = str(error)


def _watch(asked: RunSpec, which: int) -> None:
    view, kind = paths().view(asked, which), asked.regularisers[which].kind
    if view is None or view.ended:
        st.rerun()  # the whole page: it draws a path that has ended
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(view.done, _how_far(view), width="stretch")
        st.button(
            "Cancel",
            icon=":material/stop:",
            key=f"path.cancel.{kind}",
            on_click=paths().stop,
            args=(asked, which),
        )
    if view.points:
        _chart(asked, which, view, None, None)


def _how_far(view: PathView) -> str:
    if view.state == "queued":
        before = "one other is" if view.position == 1 else f"{view.position} others are"
        return (
            f"Waits: {before} before it. One is tried at a time." if view.position else "Starts in a moment."
        )
    if not view.done:
        return "Starting a process for it…"
    doing = "Warm start, without it" if view.strength is None else f"λ = {view.strength:g}"
    return doing if view.seconds_left is None else f"{doing} · {view.seconds_left:.0f} s left"


def _result(
    asked: RunSpec, which: int, view: PathView, now: float | None, on_choose: Callable[[float], None]
) -> None:
    kind, points = asked.regularisers[which].kind, _points(view)
    st.markdown(" ".join(verdict(points)))
    options = {f"{point.strength:g}": point.strength for point in points}
    best = good(points)
    star = f"{best.strength:g}" if best else None

    def chosen(text: str | None) -> None:
        if text in options:  # a browser may send anything, and a second press takes a choice back: None
            on_choose(options[text])

    _chart(asked, which, view, now, chosen)
    # Its key has λ in it: whatever else changes λ, the control starts anew from that.
    at = choice.key("path", "choose", kind, f"{now:g}" if now is not None else "")
    st.segmented_control(
        "Use λ =",
        list(options),
        default=next((text for text, value in options.items() if value == now), None),
        format_func=lambda text: f"{text} :material/star:" if text == star else text,
        key=at,
        on_change=lambda: chosen(st.session_state[at]),
        help="Or click on the chart. The star marks the largest that costs next to nothing.",
    )
    st.caption(_small_print(asked, kind))
    if len(points) < POINTS:
        st.button(
            f"Try all {POINTS} again",
            icon=":material/replay:",
            key=f"path.again.{kind}",
            on_click=_ask,
            args=(asked, which),
        )


def _small_print(asked: RunSpec, kind: str) -> str:
    images = min(asked.data.train_images or IMAGES, IMAGES)
    return (
        f"A quick look, not the final numbers: {WARM_EPOCHS} epochs without {REGULARISERS[kind].title}, and "
        f"from there {EPOCHS_EACH} epochs at each λ, on {images:,} training images at most. A whole run has "
        "longer: as a rule it ends with more zeros."
    )


def _chart(
    asked: RunSpec, which: int, view: PathView, now: float | None, on_pick: Callable[[str], None] | None
) -> None:
    kind = asked.regularisers[which].kind
    chart = path_chart(_points(view), strengths(kind), now)
    live_chart(json.dumps(chart.figure), key=f"path.{kind}", height=HEIGHT, alt=chart.alt, on_pick=on_pick)


def _points(view: PathView) -> list[PathPoint]:
    return [PathPoint(**{k: value for k, value in event.items() if k != "event"}) for event in view.points]


def _choose(kind: str, strength: float) -> None:
    """Put λ into the visit's spec; the form's dials start anew from it."""
    spec = choice.current()
    regularisers = tuple(
        each.model_copy(update={"strength": strength}) if each.kind == kind else each
        for each in spec.regularisers
    )
    choice.replace(spec.model_copy(update={"regularisers": regularisers}))
