"""Figures hold the events' own numbers, are valid Plotly, and stay small however long the run."""

import csv
import io
import json
import math

import plotly.graph_objects as go
import pytest

from core.figures.confusion import counted_matrix
from core.figures.epochs_csv import epochs_csv
from core.figures.flow import gradient_norms, has_flow, update_ratios
from core.figures.lineage import Ancestor, with_ancestor
from core.figures.parts import line
from core.figures.runs import RunPoint, sparsity_and_accuracy
from core.figures.shrinkage import shrinkage_curves
from core.figures.sparsity import sparsity_by_layer
from core.figures.tables import parameters_by_layer
from core.figures.training import accuracy, loss
from core.models.summary import summarise
from core.run.history import HistoryBuilder, build_history
from core.run.spec import DataSpec, ModelSpec, RunSpec
from core.text.escape import plain_html
from tests import made_up_run


def history(num_epochs, steps_an_epoch=4, penalty=0.0):
    fold = HistoryBuilder()
    fold.add({"event": "state", "state": "running", "reason": ""})
    fold.add({"event": "started", "epochs": max(num_epochs, 1), "train_images": 8, "threads": 1})
    for epoch in range(1, num_epochs + 1):
        for i in range(steps_an_epoch):
            done = epoch - 1 + (i + 1) / steps_an_epoch
            fold.add(
                {"event": "step", "step": i, "epoch": done, "loss": 1 / (1 + done), "penalty": penalty}
                | {"learning_rate": 0.1}
            )
        layers = {
            "conv1": {"exact": 0.25, "near": 0.5, "weights": 4},
            "fc": {"exact": 0.5, "near": 0.5, "weights": 4},
        }
        fold.add(
            {
                "event": "epoch",
                "epoch": epoch,
                "step": epoch * steps_an_epoch,
                "train_loss": 1 / epoch,
                "train_accuracy": 0.5,
                "validation_loss": 2 / epoch,
                "validation_accuracy": 0.75,
                "penalty": penalty,
                "seconds": 1.0,
                "images_per_second": 8.0,
                "sparsity": {"exact": 0.375, "near": 0.5, "weights": 8, "layers": layers},
            }
        )
    return fold.history()


def trace(figure, name):
    return next(each for each in figure["data"] if each["name"] == plain_html(name))


@pytest.mark.parametrize("draw", [loss, accuracy, sparsity_by_layer])
@pytest.mark.parametrize("num_epochs", [0, 1, 30])
def test_every_live_chart_is_valid_plotly_and_json(draw, num_epochs):
    figure = draw(history(num_epochs), "run")
    go.Figure(figure)
    assert json.loads(json.dumps(figure, allow_nan=False))["layout"]["uirevision"] == "run"


def test_the_lines_are_the_events_figures():
    seen = history(3)
    assert trace(loss(seen, "r"), "validation")["y"] == [2.0, 1.0, pytest.approx(2 / 3)]
    assert trace(accuracy(seen, "r"), "while learning")["y"] == [50.0] * 3
    sparsity = sparsity_by_layer(seen, "r")
    assert trace(sparsity, "whole")["y"] == [37.5] * 3
    assert trace(sparsity, "fc")["y"] == [50.0] * 3
    assert trace(sparsity, "|w| < 0.001")["y"] == [50.0] * 3


def test_accuracy_stands_between_0_and_100_before_the_first_epoch_and_fits_its_lines_after():
    assert accuracy(history(0), "r")["layout"]["yaxis"]["range"] == [-3, 103]
    assert "range" not in accuracy(history(1), "r")["layout"]["yaxis"]


def test_a_penalty_is_drawn_only_if_there_is_one():
    assert not [each for each in loss(history(2), "r")["data"] if each["name"] == "penalty"]
    assert trace(loss(history(2, penalty=0.5), "r"), "penalty")["y"][-1] == 0.5


def test_a_long_run_draws_no_more_than_a_short_one():
    long = loss(history(2, steps_an_epoch=20_000), "r")
    assert len(trace(long, "each batch")["x"]) <= 500


def test_the_bars_are_the_layers_parameters():
    summary = summarise(ModelSpec(), channels=1, side=28, num_classes=10)
    figure = parameters_by_layer({"CNN": [(row.name, row.kind, row.parameters) for row in summary.rows]})
    go.Figure(figure)
    assert sum(each["x"][0] for each in figure["data"]) == summary.parameters


def test_the_shrinkage_curves_at_points_that_can_be_worked_out():
    curves = {
        each["name"]: dict(zip(each["x"], each["y"], strict=True)) for each in shrinkage_curves(0.5)["data"]
    }
    assert curves["L1"][1.0] == pytest.approx(0.5) and curves["L1"][-1.0] == pytest.approx(-0.5)
    assert {y for x, y in curves["L1"].items() if abs(x) < 0.49} == {0.0}
    assert curves["L2"][1.0] == pytest.approx(1 / 1.5)
    assert curves["elastic net"][1.0] == pytest.approx(0.75 / 1.25)


def test_a_line_says_which_split_and_which_fold_it_was_judged_on():
    apart = RunSpec(seed=7, data=DataSpec(split_seed=4, folds=5, fold=2))
    for spec, split, fold in ((RunSpec(seed=7), "7", None), (apart, "4", ("2", "5"))):
        row = next(csv.DictReader(io.StringIO(epochs_csv((history(1), "abc", spec)))))
        assert row["split_seed"] == split
        assert (row.get("fold"), row.get("folds")) == (fold or (None, None))


def test_the_table_has_a_line_an_epoch():
    rows = list(csv.DictReader(io.StringIO(epochs_csv((history(3), "abc", RunSpec(seed=7))))))
    assert {(row["run_id"], row["seed"]) for row in rows} == {("abc", "7")}
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert float(rows[0]["exact_zero_share.fc"]) == 0.5 and float(rows[0]["exact_zero_share"]) == 0.375
    assert rows[0]["weights.fc"] == "4" and rows[0]["weights"] == "8" and rows[0]["penalty"] == "0.0"


def test_names_from_outside_are_no_html():
    point = RunPoint("id", "<a href='//evil.example'>x</a>", "<b>1</b> · 2", "CNN", 0.5, 0.5, 20, 40)
    shown = trace(sparsity_and_accuracy([point]), "CNN")["text"]
    name = "<b>&lt;a href='//evil.example'&gt;x&lt;/a&gt;</b><br>&lt;b&gt;1&lt;/b&gt;<br>2"
    assert shown == [f"{name}<br>{point.figures}"]


def test_before_the_first_step_the_loss_has_an_axis_with_room_between_its_ticks():
    axis = loss(history(0), "r")["layout"]["yaxis"]
    assert axis["range"] == [-2, 0.5] and axis["tickvals"] == [0.01, 0.1, 1]
    assert "range" not in loss(history(1), "r")["layout"]["yaxis"]


def test_hovering_says_what_a_share_is_of():
    seen = build_history(enumerate(made_up_run.events(), 1)).history()
    assert trace(accuracy(seen, "r"), "validation")["hovertemplate"] == "%{y:.1f} % of 20"
    assert trace(accuracy(seen, "r"), "while learning")["hovertemplate"] == "%{y:.1f} % of 80"
    whole = seen.epochs[-1]["sparsity"]["weights"]
    assert trace(sparsity_by_layer(seen, "r"), "whole")["hovertemplate"] == f"%{{y:.1f}} % of {whole:,}"
    point = RunPoint("id", "x", "y", "CNN", 0.75, 0.5, 20, 4000)
    assert point.figures == "75.0 % (15 of 20; 53–89) accuracy, 50.0 % of 4,000 weights are zero"


def diverged(epochs=2):
    """A made-up run of four steps an epoch that stops being a number at the second step of the next."""
    folded = HistoryBuilder()
    for event in made_up_run.events(epochs=epochs)[:-2]:
        folded.add(event)
    at = epochs + 0.5
    folded.add(made_up_run.step(epochs + 0.25))
    folded.add({**made_up_run.step(at), "loss": None, "penalty": None})
    values = {"step": int(4 * at), "epoch": at, "rate": 10.0, "norm": None}
    folded.add({"event": "state", "state": "failed", "reason": "nan", "code": "diverged", "values": values})
    return folded.history()


def test_a_loss_that_is_no_number_ends_its_line_and_is_marked():
    history = diverged()
    for draw in (loss, accuracy, sparsity_by_layer):
        figure = draw(history, "run")
        (mark,) = figure["layout"]["shapes"]
        assert mark["x0"] == mark["x1"] == 2.5 < figure["layout"]["xaxis"]["range"][1]
        words = [each["text"] for each in figure["layout"]["annotations"]]
        assert "no number at step 10" in words
    batches = loss(history, "run")["data"][0]
    assert batches["x"][-1] == 2.25 and min(batches["y"]) > 0.1


def test_a_failure_that_says_no_step_is_not_marked():
    folded = HistoryBuilder()
    for event in made_up_run.events(epochs=2)[:-2]:
        folded.add(event)
    folded.add({"event": "state", "state": "failed", "code": "diverged", "values": {"step": "x"}})
    assert folded.history().diverged is None and accuracy(folded.history(), "run")["layout"]["shapes"] == []


def test_flow_is_drawn_by_layer_and_zero_is_no_point():
    folded = HistoryBuilder()
    for event in made_up_run.events(epochs=3)[:-2]:
        if event["event"] == "epoch":
            update = {"conv1": 1e-3 * event["epoch"], "fc": 0.0 if event["epoch"] == 2 else 1e-2}
            event = event | {"flow": {"gradient": {"conv1": None, "fc": 2.0}, "update": update}}
        folded.add(event)
    history = folded.history()
    figure = update_ratios(history, "run")
    conv, fc = figure["data"]
    assert conv["y"] == [1e-3, 2e-3, 3e-3] and fc["y"] == [1e-2, None, 1e-2]
    low, high = figure["layout"]["yaxis"]["range"]
    assert low < math.log10(3e-4) and high > -2
    ends = {each["text"]: each["y"] for each in figure["layout"]["annotations"]}
    assert ends["fc"] == pytest.approx(-2) and ends["conv1"] == pytest.approx(math.log10(3e-3))
    assert gradient_norms(history, "run")["data"][0]["y"] == [None] * 3
    assert has_flow(history) and not has_flow(diverged())
    assert update_ratios(diverged(), "run")["data"] == []


def test_no_cell_of_the_matrix_has_an_empty_text():
    """Plotly's `react` never shows a text again that was empty once."""
    figure = counted_matrix([[5, 0], [1, 4]], ["a", "b"])
    assert figure["data"][1]["text"] == ["5", "\u00a0", "1", "4"]


def test_a_branch_begins_at_what_its_parent_had_where_they_part():
    own = {"data": [line("validation", [3.0, 4.0], [70.0, 80.0], "red")], "layout": {}}
    parent = Ancestor(2.0, (1.0, 2.0, 3.0), (50.0, 60.0, 55.0), (1.0, 0.5, None))
    data = with_ancestor(own, parent, "accuracy")["data"]
    drawn = [(each["name"], list(each["x"]), list(each["y"])) for each in data]
    assert drawn == [
        ("parent, validation", [1.0, 2.0], [50.0, 60.0]),
        ("parent, validation", [2.0, 3.0], [60.0, 55.0]),
        ("validation", [2.0, 3.0], [60.0, 70.0]),
        ("validation", [3.0, 4.0], [70.0, 80.0]),
    ]
    within = with_ancestor(own, parent._replace(fork=2.5), "accuracy")["data"]
    assert len(within) == 3  # in the middle of an epoch nobody knows what both had
    assert with_ancestor(own, None, "accuracy") is own
