"""Choose λ without leaving the page: a quick path of a few values, as a chart to pick one from.

Each value is a job (`core.study.path_plan`); whoever asks for an equal path sees the same jobs. While one of
them is live one fragment re-runs on a timer; once all have ended the page draws them, and moves no more.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from core.figures.parts import has_lambda
from core.figures.path_table import path_csv, path_table
from core.figures.probes import Row
from core.figures.strength_path import path_chart, verdict
from core.jobs.views import RunView
from core.measure.path_star import star
from core.regularise.catalogue import REGULARISERS
from core.run.errors import SpecError
from core.run.spec import RunSpec, is_upload
from core.study.path_plan import (
    EPOCHS_EACH,
    IMAGES,
    KIND,
    POINTS,
    WARM_EPOCHS,
    PathPlan,
    path_plan,
    quick,
    strengths,
)
from core.text.escape import plain
from pages.components.live_chart import live_chart
from pages.features.editor import choice
from pages.features.frame.asked import may_change, obeyed
from pages.features.frame.job_box import how_far, refuse, rows, say_refusal
from pages.features.frame.setup import jobs
from pages.features.frame.visitor import asker, visitor

REFRESH_SECONDS = 1.0
HEIGHT = 320
FIELDS = ("strength", "accuracy", "images", "right", "exact", "near", "groups", "seconds")
_KEY = "path"
_FRESH = "augury.path.fresh"  # tells this visit's paths from others', where the images may have changed


@dataclass(frozen=True)
class Path:
    """A path as it is now.

    Args:
        views: of its jobs that were asked for, of those that are the same the one that tells most.
    """

    plan: PathPlan
    regulariser: int
    views: Sequence[RunView]

    @property
    def kind(self) -> str:
        """The regulariser's."""
        return self.plan.spec.regularisers[self.regulariser].kind

    @property
    def live(self) -> list[RunView]:
        return [view for view in self.views if not view.ended]

    @property
    def points(self) -> list[Row]:
        """What is known, from λ = 0 to the largest."""
        return [row for _, row in self.told]

    @property
    def told(self) -> list[tuple[str, Row]]:
        """The same, each with the id of the job that told it."""
        found = [(view.id, row) for view in self.views for row in rows(view, *FIELDS)]
        return sorted(found, key=lambda each: each[1]["strength"])

    @property
    def choices(self) -> list[Row]:
        """The points but for λ = 0, which is there to be compared with."""
        return [point for point in self.points if point["strength"] > 0]

    @property
    def failure(self) -> str:
        """Why one of the jobs failed; empty if none did."""
        return next((view.reason for view in self.views if view.state == "failed"), "")

    @property
    def stop(self) -> str:
        """Why one of the jobs was stopped; empty if none was."""
        return next((view.reason for view in self.views if view.state == "stopped"), "")

    @property
    def missing(self) -> list[dict[str, object]]:
        """The inputs of the jobs that are neither finished nor on their way."""
        there = [view.inputs for view in self.views if view.state == "finished" or not view.ended]
        return [inputs for inputs in self.plan.inputs if inputs not in there]


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
    regulariser = [each.kind for each in spec.regularisers].index(kind)
    lambda_path_box(spec, regulariser, partial(_choose, kind))


def lambda_path_box(spec: RunSpec, regulariser: int, on_choose: Callable[[float], None]) -> None:
    """A button that tries λ = 0 and eight values for one regulariser of ``spec``, and then a chart of what
    each costs and gives. Draws nothing where that regulariser has no λ, or the spec can't be run.

    Call it outside any fragment, once every part of the form is read; 280 px of width will do.

    Args:
        spec: what the form says now, completed or not.
        on_choose: called with a λ as a callback is, before the re-run that a person's choice brings.
    """
    try:
        asked = quick(spec, regulariser)
    except SpecError:
        return
    say_refusal(_KEY)
    path = _path(path_plan(asked, regulariser, _fresh(asked)), regulariser)
    if path.live:
        st.fragment(_watch, run_every=REFRESH_SECONDS)(path.plan, regulariser)
    elif path.choices:
        chosen = spec.regularisers[regulariser]
        now = REGULARISERS[chosen.kind].default_strength if chosen.strength is None else chosen.strength
        _result(path, now, on_choose)
    else:
        _invitation(path)


def _path(plan: PathPlan, regulariser: int) -> Path:
    return Path(plan, regulariser, jobs().group(plan.group))


def _fresh(asked: RunSpec) -> str:
    """A folder of this machine may hold other images by now: what earlier visits tried says nothing of it."""
    if asked.data.path is None or is_upload(asked.data.path):
        return ""
    return str(st.session_state.setdefault(_FRESH, uuid.uuid4().hex))


def _invitation(path: Path) -> None:
    grid = strengths(path.kind)
    st.caption(
        f"{POINTS} values from {grid[0]:g} to {grid[-1]:g}, and 0: what does each cost in accuracy, and how "
        "many weights does it zero? A quick look, of about a minute on a free machine."
    )
    if path.failure:
        st.error(f"The values could not be tried. {plain(path.failure)}", icon=":material/error:")
    st.button(
        f"Try {POINTS} values of λ",
        icon=":material/query_stats:",
        key=f"path.try.{path.kind}",
        on_click=_ask,
        args=(path,),
    )


def _ask(path: Path) -> None:
    """Put the jobs that are missing into the queue: all of them, or none."""
    asked = []
    try:
        for inputs in path.missing:
            run_id = jobs().submit(path.plan.spec, KIND, inputs, visitor=visitor(), group=path.plan.group)
            asked.append(run_id)
    except SpecError as error:
        for run_id in asked:
            jobs().stop(run_id, asker())
        refuse(_KEY, error)


def _cancel(path: Path) -> None:
    """Those that wait first, so that none of them starts when the one that runs ends."""
    for view in sorted(path.live, key=lambda view: view.state != "queued"):
        obeyed(jobs().stop, view.id)


def _watch(plan: PathPlan, regulariser: int) -> None:
    path = _path(plan, regulariser)
    if not path.live:
        st.rerun()  # the whole page: it draws a path that has ended
    with st.container(horizontal=True, vertical_alignment="center"):
        done = sum(view.state == "finished" or view.progress().share for view in path.views)
        st.progress(min(done / len(plan.inputs), 1.0), plain(_how_far(path)), width="stretch")
        if all(may_change(view) for view in path.live):
            st.button(
                "Cancel",
                icon=":material/stop:",
                key=f"path.cancel.{path.kind}",
                on_click=_cancel,
                args=(path,),
            )
    if path.choices:
        _chart(path, None, None)


def _how_far(path: Path) -> str:
    """What is trained now, and how long all of it will take; or why it waits."""
    running = next((view for view in path.live if view.state != "queued"), None)
    if running is None:
        return how_far(min(path.live, key=lambda view: view.position))
    told, left = running.history.progress_event, running.progress().seconds_left
    if told is None or left is None or told["of"] <= told["done"]:
        return how_far(running)
    waiting = sum(view.state == "queued" for view in path.live)
    left += waiting * EPOCHS_EACH * told["seconds_left"] / (told["of"] - told["done"])
    return f"{told.get('what', '')} · {left:.0f} s left"


def _result(path: Path, now: float | None, on_choose: Callable[[float], None]) -> None:
    kind, points = path.kind, path.points
    st.markdown(" ".join(verdict(points)))
    if path.failure:
        st.error(f"Not all values could be tried. {plain(path.failure)}", icon=":material/error:")
    options = {f"{point['strength']:g}": float(point["strength"]) for point in path.choices}
    best = star(points)
    starred = f"{best['strength']:g}" if best else None

    def chosen(text: str | None) -> None:
        if text in options:  # a browser may send anything, and a second press takes a choice back: None
            on_choose(options[text])

    _chart(path, now, chosen)
    # Its key has λ in it: whatever else changes λ, the control starts anew from that.
    at = choice.key("path", "choose", kind, f"{now:g}" if now is not None else "")
    st.segmented_control(
        "Use λ =",
        list(options),
        default=next((text for text, value in options.items() if value == now), None),
        format_func=lambda text: f"{text} :material/star:" if text == starred else text,
        key=at,
        on_change=lambda: chosen(st.session_state[at]),
        help="Or click on the chart. The star marks about the largest that costs next to nothing.",
    )
    st.caption(_small_print(path.plan.spec, kind))
    _numbers(path)
    if path.missing:
        if path.stop:
            st.caption(plain(f"Not all values were tried. {path.stop}"))
        st.button(
            f"Try all {POINTS}",
            icon=":material/replay:",
            key=f"path.again.{kind}",
            on_click=_ask,
            args=(path,),
        )


def _numbers(path: Path) -> None:
    with st.expander("All numbers", icon=":material/table:"):
        st.table(path_table(path.points))
        st.caption("In brackets 95 % intervals: of an accuracy Wilson's, of a difference Tango's.")
        st.download_button(
            "Values of λ (CSV)",
            path_csv(path.told, path.plan.spec.seed),
            f"augury-path-{path.plan.group[:8]}.csv",
            icon=":material/download:",
            on_click="ignore",
            key=f"path.csv.{path.kind}",
        )


def _small_print(asked: RunSpec, kind: str) -> str:
    images = min(asked.data.train_images or IMAGES, IMAGES)
    return (
        f"A quick look, not the final numbers: {WARM_EPOCHS} epochs without {REGULARISERS[kind].title}, and "
        f"from there {EPOCHS_EACH} epochs at each λ, on {images:,} training images at most. A whole run has "
        "longer: as a rule it ends with more zeros. Bars are 95 % intervals of the fall against λ = 0 on the "
        "same validation images, of these very runs: another seed moves them too. For the star the falls of "
        "neighbours are averaged and made to rise with λ."
    )


def _chart(path: Path, now: float | None, on_pick: Callable[[str], None] | None) -> None:
    kind = path.kind
    chart = path_chart(path.points, strengths(kind), now)
    live_chart(json.dumps(chart.figure), key=f"path.{kind}", height=HEIGHT, alt=chart.alt, on_pick=on_pick)


def _choose(kind: str, strength: float) -> None:
    """Put λ into the visit's spec; the form's dials start anew from it."""
    spec = choice.current()
    regularisers = tuple(
        each.model_copy(update={"strength": strength}) if each.kind == kind else each
        for each in spec.regularisers
    )
    choice.replace(spec.model_copy(update={"regularisers": regularisers}))
