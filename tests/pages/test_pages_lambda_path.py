"""Choosing λ on the page: asked for, watched, read, chosen. The paths here are told, not trained."""

from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from core.jobs.paths import PathView
from core.run.errors import SpecError
from core.study.strength_path import strengths
from pages.features.study import strength_path as lambda_path


class ToldPaths:
    """A manager whose paths are what a test says they are."""

    def __init__(self):
        self.now, self.asked, self.stopped = None, [], []

    def view(self, spec, which):
        return self.now

    def ask(self, spec, which):
        if len(self.asked) == 1:
            raise SpecError("", "30 paths are waiting already; try again in a few minutes.")
        self.asked.append((spec, which))

    def stop(self, spec, which):
        self.stopped.append((spec, which))


@pytest.fixture
def told(monkeypatch):
    paths = ToldPaths()
    monkeypatch.setattr(lambda_path, "paths", lambda: paths)
    return paths


def visit(*kinds):
    def script(kinds):
        import streamlit as st

        from core.run.spec import RegulariserSpec, RunSpec
        from pages.features.editor import choice
        from pages.features.study.strength_path import choose_lambda

        first = RunSpec(regularisers=tuple(RegulariserSpec(kind=kind) for kind in kinds))
        spec = choice.current(first)
        choose_lambda(spec)
        st.text(" ".join(f"{each.kind}={each.strength}" for each in spec.regularisers))

    return AppTest.from_function(script, args=(kinds,), default_timeout=60).run()


def event(strength, accuracy=0.9, exact=0.5, near=0.6, groups=0.0):
    return {
        "event": "point",
        "strength": strength,
        "accuracy": accuracy,
        "exact": exact,
        "near": near,
        "groups": groups,
        "seconds": 1.0,
    }


def view(state, points=(), **more):
    known = {"reason": "", "position": 0, "done": 0.0, "strength": None, "seconds_left": None} | more
    return PathView(state=state, points=tuple(points), **known)


PATH = [
    event(strength, accuracy, exact)
    for strength, accuracy, exact in zip(
        strengths("l1"),
        (0.970, 0.971, 0.970, 0.967, 0.950, 0.900, 0.4, 0.1),
        (0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.98, 1.0),
        strict=True,
    )
]


def words(visit):
    return " ".join(
        each.value for part in ("markdown", "caption", "error", "warning") for each in visit.get(part)
    )


def button(visit, label):
    return next(each for each in visit.button if each.label == label)


@pytest.mark.parametrize("kinds", [(), ("max_norm",), ("early_stopping", "ema")])
def test_where_nothing_has_a_strength_nothing_is_drawn(told, kinds):
    shown = visit(*kinds)
    assert not shown.exception and not shown.subheader and not shown.button


def test_a_press_asks_for_the_path_of_this_very_spec(told):
    shown = visit("l1")
    assert "from 1e-05 to 0.03" in words(shown)
    button(shown, "Try 8 values of λ").click().run()
    assert not shown.exception
    ((spec, which),) = told.asked
    assert which == 0 and spec.regularisers[0].kind == "l1" and spec.regularisers[0].strength == 0


def test_one_too_many_is_told_to_wait(told):
    told.asked.append("another's")
    shown = visit("l1")
    button(shown, "Try 8 values of λ").click().run()
    assert "30 paths are waiting" in words(shown)
    assert "30 paths are waiting" not in words(shown.run())


def test_one_too_many_is_told_to_wait_where_a_cancelled_path_is_tried_again(told):
    told.asked.append("another's")
    told.now = view("stopped", PATH[:3])
    shown = visit("l1")
    button(shown, "Try all 8 again").click().run()
    assert "30 paths are waiting" in words(shown)


@pytest.mark.parametrize(
    ("now", "says"),
    [
        (view("queued", position=1), "one other is before it"),
        (view("queued", position=3), "3 others are before it"),
        (view("queued"), "Starts in a moment"),
        (view("running"), "Starting a process"),
        (view("running", done=0.1), "Warm start, without it"),
        (view("running", PATH[:2], done=0.4, strength=1e-4, seconds_left=12.3), "λ = 0.0001 · 12 s left"),
    ],
)
def test_while_it_is_trained_the_page_says_how_far_it_is_and_can_stop_it(told, now, says):
    told.now = now
    shown = visit("l1")
    assert says in shown.get("progress")[0].proto.text
    assert shown.get("progress")[0].proto.value == round(100 * now.done)
    button(shown, "Cancel").click().run()
    assert not shown.exception and len(told.stopped) == 1


def test_the_good_strength_is_said_marked_and_goes_into_the_form(told):
    told.now = view("finished", PATH, done=1.0)
    shown = visit("l1", "l2")
    assert "**λ = 0.0003** is the largest" in words(shown)
    assert "96.7% right, 50.0% exact zeros" in words(shown)
    assert "λ = 0.03 kills the network" in words(shown)
    assert "4 epochs without L1 (lasso), and from there 3 epochs at each λ" in words(shown)
    _, choices = shown.segmented_control
    assert choices.options[3] == "0.0003 :material/star:" and len(choices.options) == 8
    assert choices.value == "0.0001"  # the form's

    choices.set_value("0.001").run()
    assert not shown.exception and shown.text[0].value == "l1=0.001 l2=None"
    assert shown.segmented_control[1].value == "0.001"


def test_with_several_regularisers_one_says_whose_strength_is_tried(told):
    shown = visit("early_stopping", "l1", "l2")
    assert shown.segmented_control[0].options == ["L1 (lasso)", "L2 in the loss (ridge)"]
    shown.segmented_control[0].set_value("l2").run()
    button(shown, "Try 8 values of λ").click().run()
    ((spec, which),) = told.asked
    assert which == 2 and [each.strength for each in spec.regularisers] == [None, 1e-4, 0]
    told.now = view("finished", PATH, done=1.0)
    shown.run().segmented_control[1].set_value("0.003").run()
    assert shown.text[0].value == "early_stopping=None l1=None l2=0.003"


@pytest.mark.parametrize("picked", ["0.003", "2", "", "<script>", "1e9"])
def test_a_click_on_the_chart_chooses_what_is_on_it_and_nothing_else(told, monkeypatch, picked):
    """What a browser sends for a click may be anything."""
    picks = []
    monkeypatch.setattr(lambda_path, "live_chart", lambda *_, on_pick, **__: picks.append(on_pick))
    told.now = view("finished", PATH, done=1.0)
    chosen = []
    monkeypatch.setattr(lambda_path, "_choose", lambda kind, strength: chosen.append((kind, strength)))
    visit("l1")
    picks[-1](picked)
    assert chosen == ([("l1", 0.003)] if picked == "0.003" else [])


def test_a_path_that_was_cancelled_keeps_what_it_has(told):
    told.now = view("stopped", PATH[:3], done=0.5)
    shown = visit("l1")
    assert "largest of all: a stronger one may do as well" in words(shown)
    assert len(shown.segmented_control[0].options) == 3
    button(shown, "Try all 8 again").click().run()
    assert len(told.asked) == 1
    told.now = view("stopped")
    assert button(shown.run(), "Try 8 values of λ")


def test_a_path_that_failed_says_why_and_can_be_tried_again(told):
    told.now = view("failed", reason="The loss stopped being a number before any λ was tried.")
    shown = visit("l1")
    assert "The loss stopped being a number" in shown.error[0].value
    assert button(shown, "Try 8 values of λ")


@pytest.mark.parametrize(
    ("points", "says"),
    [
        ([event(1e-4, exact=0.0, near=0.2), event(1e-3, exact=0.0, near=0.7)], "at most 70.0% are near it"),
        ([event(1e-4), event(1e-3, None)], "From λ = 0.001 on the loss stopped being a number"),
        ([event(1e-4, None), event(1e-3, None)], "At every λ the loss stopped being a number"),
        ([event(1e-5, 0.9), event(1e-4, 0.1, 1.0, 1.0, 1.0)], "100.0% of its weights are zero"),
    ],
)
def test_what_a_strange_path_shows_is_said(told, points, says):
    told.now = view("finished", points, done=1.0)
    shown = visit("l1")
    assert not shown.exception and says in words(shown)


def test_the_chart_has_both_axes_every_value_and_says_it_in_words():
    from core.figures.strength_path import path_chart

    points = lambda_path._points(SimpleNamespace(points=[*PATH[:-1], event(0.03, None, 1.0, 1.0, 0.5)]))
    chart = path_chart(points, strengths("l1"), 2e-4)
    by_name = {trace["name"]: trace for trace in chart.figure["data"]}
    assert by_name["accuracy"]["y"][:2] == [97.0, 97.1] and by_name["accuracy"]["y"][-1] is None
    assert by_name["exact zeros"]["yaxis"] == "y2" and by_name["exact zeros"]["y"][1] == 20.0
    assert by_name["zero groups"]["y"][-1] == 50.0
    assert by_name["good"]["x"] == [3e-4]
    assert by_name["|w| < 0.001"]["ids"] == [f"{value:g}" for value in strengths("l1")]
    assert chart.figure["layout"]["shapes"][0]["x0"] == 2e-4
    assert "λ 0.0003: 96.7% right, 50.0% zero" in chart.alt and "λ 0.03: no number" in chart.alt
    assert "zero groups" not in [
        trace["name"] for trace in path_chart(points[:3], [1, 2], None).figure["data"]
    ]


def test_only_what_is_called_lambda_has_a_path(told):
    assert not visit("label_smoothing").subheader and not visit("early_stopping").subheader
    assert not visit("label_smoothing", "l1").segmented_control  # nothing to choose between
    assert [each.label for each in visit("l1", "l2").segmented_control] == ["Regulariser"]
