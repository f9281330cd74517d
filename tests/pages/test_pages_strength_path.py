"""Choosing λ on the page: asked for, watched, read, chosen. The jobs here are told, not trained."""

import csv
import io

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.figures.path_table import path_csv
from core.figures.strength_path import path_chart
from core.jobs.views import RunView
from core.measure.counted import wilson
from core.run.errors import SpecError
from core.run.events import state
from core.run.history import HistoryBuilder
from core.run.spec import RegulariserSpec, RunSpec
from core.study.path_plan import strengths
from pages.features.study import strength_path


class ToldJobs:
    """A manager whose jobs are what a test says they are."""

    def __init__(self):
        self.views, self.asked, self.stopped = [], [], []
        self.room = 100

    def group(self, group):
        return self.views

    def submit(self, spec, kind, inputs, visitor, group):
        assert visitor and kind == "study.path_point" and len(group) == 64
        if len(self.asked) == self.room:
            raise SpecError("", "100 runs are waiting already; stop one, or try later.")
        self.asked.append((spec, inputs))
        return f"run {len(self.asked)}"

    def stop(self, run_id, asker):
        assert asker.visitor
        self.stopped.append(run_id)


@pytest.fixture
def told(monkeypatch):
    jobs = ToldJobs()
    monkeypatch.setattr(strength_path, "jobs", lambda: jobs)
    return jobs


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


def answers(right, images=1000):
    """So many right, the first of them, as a row tells it."""
    return np.packbits(np.arange(images) < right).tobytes().hex()


def event(strength, accuracy=0.9, exact=0.5, near=0.6, groups=0.0):
    return {
        "event": "row",
        "strength": strength,
        "accuracy": accuracy,
        "images": 1000,
        "right": answers(round(1000 * (accuracy or 0))),
        "exact": exact,
        "near": near,
        "groups": groups,
        "weights": 9000,
        "versions": {"augury": "0.1.0", "torch": "2", "kornia": "1"},
        "seconds": 1.0,
    }


def job(strength, *events, ended="", reason="", position=0):
    """A job of the path of the spec in `visit`, after these events."""
    builder = HistoryBuilder()
    builder.add(state("queued"))
    if events:
        builder.add(state("running"))
    for each in events:
        builder.add(each)
    if ended:
        builder.add(state(ended, reason))
    plan = strength_path.path_plan(
        strength_path.quick(RunSpec(regularisers=(RegulariserSpec(kind="l1"),)), 0), 0
    )
    inputs = next(each for each in plan.inputs if each["strength"] == strength)
    return RunView(
        id=f"{strength:g}",
        spec=plan.spec,
        history=builder.history(),
        position=position,
        created_at=0.0,
        started_at=None,
        finished_at=None,
        kind="study.path_point",
        inputs=inputs,
    )


def finished(rows):
    return [job(row["strength"], row, ended="finished") for row in rows]


def progress(done, of, left, what):
    return {"event": "progress", "done": done, "of": of, "seconds_left": left, "what": what}


GRID = strengths("l1")
ZERO = event(0.0, 0.970, 0.0, 0.05)
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
    assert [inputs["strength"] for _, inputs in told.asked] == [0.0, *GRID]
    for spec, inputs in told.asked:
        assert (
            inputs["regulariser"] == 0
            and spec.regularisers[0].kind == "l1"
            and not spec.regularisers[0].strength
        )


def test_one_too_many_is_told_to_wait_and_leaves_none_in_the_queue(told):
    told.room = 5
    shown = visit("l1")
    button(shown, "Try 8 values of λ").click().run()
    assert "100 runs are waiting" in words(shown) and told.stopped == [f"run {i}" for i in range(1, 6)]
    assert "100 runs are waiting" not in words(shown.run())


@pytest.mark.parametrize(
    ("jobs", "says", "done"),
    [
        ([job(GRID[0], position=1), job(GRID[1], position=2)], "one other is before it", 0),
        ([job(GRID[0], position=3)], "3 others are before it", 0),
        ([job(GRID[0])], "Starts in a moment", 0),
        ([job(GRID[0], state("running"))], "Starting a process", 0),
        ([job(0.0, progress(3.5, 7, None, "Warm start, without it"))], "Warm start, without it", 5),
        (
            [
                *(job(strength, event(strength), ended="finished") for strength in (0.0, *GRID[:2])),
                job(GRID[2], progress(2, 3, 4.0, "λ = 0.0001")),
                *map(job, GRID[3:]),
            ],
            "λ = 0.0001 · 64 s left",  # 4, and 12 for each of the five that wait
            40,
        ),
    ],
)
def test_while_it_is_trained_the_page_says_how_far_it_is_and_can_stop_it(told, jobs, says, done):
    told.views = jobs
    shown = visit("l1")
    assert says in shown.get("progress")[0].proto.text.replace(":small[]", "")
    assert shown.get("progress")[0].proto.value == done
    button(shown, "Cancel").click().run()
    waiting = [view.id for view in jobs if view.state == "queued"]
    running = [view.id for view in jobs if view.state == "running"]
    assert not shown.exception and told.stopped == waiting + running


def test_the_good_strength_is_said_marked_and_goes_into_the_form(told):
    told.views = finished([ZERO, *PATH])
    shown = visit("l1", "l2")
    assert "**About λ = 0.0001**, good to a factor of about three" in words(shown)
    assert "accuracy 97.0 % (970 of 1,000; 96–98), 30.0 % of 9,000 weights are zero" in words(shown)
    assert "1,000 images it names 0 wrongly that λ = 0 names correctly, and 0 the other way" in words(shown)
    assert "a fall of 0.0 points (95 %: −0.4 to 0.4)" in words(shown)
    assert "λ = 0.03 kills the network" in words(shown)
    assert "4 epochs without L1 (lasso), and from there 3 epochs at each λ" in words(shown)
    _, choices = shown.segmented_control
    assert choices.options[2] == "0.0001 :material/star:" and len(choices.options) == 8
    assert choices.value == "0.0001"  # the form's

    choices.set_value("0.001").run()
    assert not shown.exception and shown.text[0].value == "l1=0.001 l2=None"
    assert shown.segmented_control[1].value == "0.001"


def test_with_several_regularisers_one_says_whose_strength_is_tried(told):
    shown = visit("early_stopping", "l1", "l2")
    assert shown.segmented_control[0].options == ["L1 (lasso)", "L2 in the loss (ridge)"]
    shown.segmented_control[0].set_value("l2").run()
    button(shown, "Try 8 values of λ").click().run()
    spec, inputs = told.asked[0]
    assert inputs["regulariser"] == 2 and [each.strength for each in spec.regularisers] == [None, 1e-4, 0]
    told.views = finished(PATH)
    shown.run().segmented_control[1].set_value("0.003").run()
    assert shown.text[0].value == "early_stopping=None l1=None l2=0.003"


@pytest.mark.parametrize("picked", ["0.003", "2", "", "<script>", "1e9"])
def test_a_click_on_the_chart_chooses_what_is_on_it_and_nothing_else(told, monkeypatch, picked):
    """What a browser sends for a click may be anything."""
    picks = []
    monkeypatch.setattr(strength_path, "live_chart", lambda *_, on_pick, **__: picks.append(on_pick))
    told.views = finished(PATH)
    chosen = []
    monkeypatch.setattr(strength_path, "_choose", lambda kind, strength: chosen.append((kind, strength)))
    visit("l1")
    picks[-1](picked)
    assert chosen == ([("l1", 0.003)] if picked == "0.003" else [])


def test_a_path_that_was_cancelled_keeps_what_it_has(told):
    stopped = [job(strength, ended="stopped") for strength in GRID]
    told.views = finished([ZERO, *PATH[:3]]) + stopped[3:]
    shown = visit("l1")
    assert "largest of all: a stronger one may do as well" in words(shown)
    assert len(shown.segmented_control[0].options) == 3
    button(shown, "Try all 8").click().run()
    assert [inputs["strength"] for _, inputs in told.asked] == list(GRID[3:])
    told.views = finished([ZERO]) + stopped  # nothing to choose
    assert button(shown.run(), "Try 8 values of λ")


def test_a_path_that_failed_says_why_and_can_be_tried_again(told):
    reason = "The loss stopped being a number before any λ was tried."
    failed = [job(strength, ended="failed", reason=reason) for strength in GRID]
    told.views = failed
    shown = visit("l1")
    assert "The loss stopped being a number" in shown.error[0].value
    assert button(shown, "Try 8 values of λ")
    told.views = finished(PATH[:7]) + failed[7:]
    assert "Not all values could be tried. The loss stopped" in shown.run().error[0].value
    assert len(shown.segmented_control[0].options) == 7


def test_a_damaged_row_is_left_out(told):
    told.views = [*finished(PATH[:3]), job(GRID[3], {"event": "row", "strength": 3e-4}, ended="finished")]
    assert len(visit("l1").segmented_control[0].options) == 3


@pytest.mark.parametrize(
    ("points", "says"),
    [
        ([event(1e-4, exact=0.0, near=0.2), event(1e-3, exact=0.0, near=0.7)], "at most 70.0 % are near it"),
        ([event(1e-4), event(1e-3, None)], "From λ = 0.001 on the loss stopped being a number"),
        ([event(1e-4, None), event(1e-3, None)], "At every λ the loss stopped being a number"),
        ([event(1e-5, 0.9), event(1e-4, 0.1, 1.0, 1.0, 1.0)], "accuracy 10.0 % (100 of 1,000; 8–12)"),
    ],
)
def test_what_a_strange_path_shows_is_said(told, points, says):
    told.views = finished(points)
    shown = visit("l1")
    assert not shown.exception and says in words(shown)


def test_the_chart_has_both_axes_every_value_and_says_it_in_words():
    points = [ZERO, *PATH[:-1], event(0.03, None, 1.0, 1.0, 0.5)]
    chart = path_chart(points, strengths("l1"), 2e-4)
    by_name = {trace["name"]: trace for trace in chart.figure["data"]}
    assert by_name["accuracy"]["y"][:2] == [97.0, 97.1] and by_name["accuracy"]["y"][-1] is None
    assert by_name["exact zeros"]["yaxis"] == "y2" and by_name["exact zeros"]["y"][1] == 20.0
    assert by_name["zero groups"]["y"][-1] == 50.0
    assert by_name["good"]["x"] == [1e-4] and by_name["accuracy at λ = 0"]["y"] == [97.0, 97.0]
    assert by_name["|w| < 0.001"]["ids"] == [f"{value:g}" for value in strengths("l1")]
    assert chart.figure["layout"]["shapes"][0]["x0"] == 2e-4
    assert "λ 0.0003: accuracy 96.7 % (967 of 1,000; 95–98), 50.0 % zero" in chart.alt
    assert "λ 0.03: no number" in chart.alt
    assert "zero groups" not in [
        trace["name"] for trace in path_chart(points[:3], [1, 2], None).figure["data"]
    ]


def test_only_what_is_called_lambda_has_a_path(told):
    assert not visit("label_smoothing").subheader and not visit("early_stopping").subheader
    assert not visit("label_smoothing", "l1").segmented_control  # nothing to choose between
    assert [each.label for each in visit("l1", "l2").segmented_control] == ["Regulariser"]


@pytest.mark.parametrize(
    ("zero", "says"),
    [
        ([], "λ = 0, which they are compared with, has not been tried"),
        ([event(0.0, None)], "Without the regulariser the loss stopped being a number"),
        ([event(0.0, 0.99)], "None of these λ was measured within 0.5 points of λ = 0"),
        ([event(0.0, 0.97) | {"right": "no number"}], "nothing to compare with"),
    ],
)
def test_without_anything_to_compare_with_there_is_no_star(told, zero, says):
    told.views = finished([*zero, *PATH])
    shown = visit("l1")
    assert not shown.exception and says in words(shown) and "About" not in words(shown)
    assert not any("star" in option for option in shown.segmented_control[0].options)
    assert len(shown.segmented_control[0].options) == 8


def test_bars_and_hover_say_what_each_strength_costs_against_none():
    before, after = np.arange(1000) < 960, np.arange(1000) >= 10  # 10 lost, and all of the 40 wrong ones won
    zero, other = event(0.0, 0.960), event(1e-3, 0.990)
    zero["right"], other["right"] = (np.packbits(right).tobytes().hex() for right in (before, after))
    chart = path_chart([zero, other, event(1e-2, None)], strengths("l1"), None)
    accuracy, *_, without = chart.figure["data"]
    assert accuracy["x"] == [1e-3, 1e-2] and without["y"] == [96.0, 96.0]
    found = "99.0 % (990 of 1,000; 98.2–99.5), a rise of 3.0 points (95 %: 1.7 to 4.5)"
    assert accuracy["customdata"] == [found, ""]
    assert accuracy["error_y"]["array"][0] == pytest.approx(1.45, abs=0.1)
    assert accuracy["error_y"]["arrayminus"][0] == pytest.approx(1.4, abs=0.1)
    assert "λ 0: accuracy 96.0 % (960 of 1,000; 95–97); λ 0.001: accuracy 99.0 %" in chart.alt
    assert "1.7 to 4.5" in chart.alt


def test_values_that_cannot_be_told_apart_are_said(told):
    told.views = finished([ZERO, *PATH])
    assert (
        "λ = 1e-05, 3e-05, 0.0001 and 0.0003 can't be told apart on 1,000 images; 0.0003 has the most zeros "
        "(50.0 %)." in words(visit("l1"))
    )
    told.views = finished([event(0.0, 0.96), event(1e-5, 0.96), event(1e-4, 0.99)])
    assert "About λ = 0.0001" in words(visit("l1")) and "told apart" not in words(visit("l1"))


def test_all_numbers_are_there_as_a_table_and_as_a_file(told):
    told.views = finished([ZERO, *PATH])
    shown = visit("l1")
    (table,) = shown.table
    assert table.value["Accuracy"].iloc[0] == "97.0 % (970 of 1,000; 96–98)" and len(table.value) == 9
    old = [{k: v for k, v in row.items() if k not in ("weights", "versions")} for row in (ZERO, PATH[3])]
    for points in ([ZERO, PATH[3], event(1.0, None)], old):
        lines = list(csv.DictReader(io.StringIO(path_csv([("abc", row) for row in points], 7))))
        assert {(line["run_id"], line["seed"]) for line in lines} == {("abc", "7")}
        assert lines[1]["fall_against_lambda_0_share"] == "0.003" and lines[0]["fall_low_share"] == ""
        assert float(lines[0]["validation_accuracy_low_share"]) == pytest.approx(wilson(970, 1000)[0])
        assert lines[0]["validation_images"] == "1000" and not shown.exception
    assert [line["torch_version"] for line in lines] == ["", ""]
