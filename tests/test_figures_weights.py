"""The pictures of regularisation: against plain counting of the same made-up weights."""

import base64
import io
import json
import math

import numpy as np
import plotly.graph_objects as go
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import nn

from core.figures.epochs_csv import epochs_csv
from core.figures.filters import filter_images, with_filters
from core.figures.measures import (
    earlier_prunable_share,
    measure,
    measure_now,
    measured,
    why_no_prunable_share,
    why_not_thorough,
)
from core.figures.parts import DASHES, PENALTIES
from core.figures.runs import RunPoint, front, in_sight, out_of_sight, sparsity_and_accuracy
from core.figures.shrinkage import USUAL_GRADIENT, Pull, after_the_run, near_zero, pull, shrinkage_curves
from core.figures.sparsity import (
    groups_in_words,
    removable,
    sparsity_by_layer,
    sparsity_map,
    zero_groups,
    zero_groups_elsewhere,
)
from core.figures.training import accuracy, loss, schedule
from core.figures.weights import near_zero_share, weight_ridge
from core.measure.catalogue import MEASURES
from core.measure.counted import wilson
from core.models.catalogue import ARCHITECTURES
from core.optimise.build import build_optimiser
from core.optimise.catalogue import OPTIMISERS, completed_optimiser
from core.regularise.catalogue import REGULARISERS
from core.regularise.shrinkage import elastic_net_
from core.regularise.step_sizes import step_sizes
from core.run.events import read_event
from core.run.history import build_history
from core.run.spec import OptimiserSpec, RegulariserSpec, RunSpec
from tests import made_up_run


def history(**kind):
    return build_history(enumerate(made_up_run.events(**kind), 1)).history()


@pytest.fixture(scope="module")
def run():
    return history()


def trace(figure, name):
    return next(each for each in figure["data"] if each.get("name") == name)


def valid(figure):
    """What Plotly itself says of it, the theme's colours apart, which only a browser knows."""
    text = json.dumps(figure, allow_nan=False)
    go.Figure(json.loads(text.replace("var(--st-text-color)", "#000")))
    return figure


def test_the_made_up_events_are_such_as_the_store_believes():
    for event in made_up_run.events():
        read_event(json.dumps(event))


EVERY = [
    (loss,),
    (accuracy,),
    (sparsity_by_layer,),
    (sparsity_map,),
    (zero_groups,),
    (weight_ridge,),
    (weight_ridge, "fc", 2.0**-10),
    (near_zero_share, 2.0**-10),
    *((measure, name) for name in MEASURES),
]


@pytest.mark.parametrize(("draw", "settings"), [(draw, rest) for draw, *rest in EVERY])
@pytest.mark.parametrize("of", [{}, {"epochs": 1}, {"old": True}])
def test_every_picture_is_valid_and_json_also_of_old_runs(draw, settings, of):
    valid(draw(history(**of), "run", *settings))
    valid(draw(build_history([]).history(), "run", *settings))


def test_each_penalty_has_a_dashed_line_of_its_own(run):
    figure = loss(run, "r")
    lasso, ridge = trace(figure, "L1 penalty"), trace(figure, "L2 penalty")
    assert lasso["y"][-1] == pytest.approx(0.48) and ridge["y"][-1] == pytest.approx(0.12)
    assert lasso["line"] != ridge["line"] and "solid" not in (lasso["line"]["dash"], ridge["line"]["dash"])
    assert not [each for each in figure["data"] if each["name"] == "penalty"]


def test_the_strip_beneath_shows_each_strength(run):
    figure = loss(run, "r")
    strip = [each for each in figure["data"] if each.get("yaxis") == "y2"]
    assert [each["y"][-1] for each in strip] == [1e-3, 1e-4]
    assert figure["layout"]["yaxis2"]["domain"][1] < figure["layout"]["yaxis"]["domain"][0]


def test_an_old_run_has_one_penalty_and_no_strip():
    figure = loss(history(old=True), "r")
    assert trace(figure, "penalty")["y"][-1] == pytest.approx(0.6)
    assert "yaxis2" not in figure["layout"]


def test_the_map_is_the_lines(run):
    (cells,) = sparsity_map(run, "r")["data"]
    by_hand = [[100 * (w == 0).mean() for w in made_up_run.weights(e).values()] for e in cells["x"]]
    assert np.allclose(np.transpose(cells["z"][:2]), by_hand)
    ticks = sparsity_map(run, "r")["layout"]["yaxis"]["ticktext"]
    assert ticks[0] == f"conv1  {by_hand[-1][0]:.0f} %"


def test_a_long_run_has_no_more_columns_than_a_screen():
    seen = history(epochs=2)
    many = [seen.epochs[0] | {"epoch": i} for i in range(1, 1001)]
    long = build_history(enumerate([made_up_run.STARTED, *many], 1)).history()
    (cells,) = sparsity_map(long, "r")["data"]
    assert len(cells["x"]) <= 200 and (cells["x"][0], cells["x"][-1]) == (1, 1000)
    assert sum(len(each["x"]) for each in weight_ridge(long, "r")["data"]) < 1000


def test_groups_are_counted_by_layer_and_in_words(run):
    figure = zero_groups(run, "r")
    assert trace(figure, "conv1, filters")["y"][-1] == pytest.approx(100 / 8)
    assert trace(figure, "fc, neurons")["y"][-1] == 0
    assert groups_in_words(run.epochs[-1]) == "1 of 8 filters, 0 of 20 neurons"


def test_a_ridge_is_as_high_as_its_share_of_all_weights(run):
    figure = weight_ridge(run, "r", "fc")
    hills = [each for each in figure["data"] if each.get("xaxis") != "x2"]
    assert len(hills) == made_up_run.EPOCHS
    assert [hill["y"][0] for hill in hills] == [5, 4, 3, 2, 1, 0]  # the newest in front, at the bottom
    w = np.abs(made_up_run.weights(1)["fc"].ravel())
    tallest = max(np.histogram(w[w > 0], made_up_run.EDGES)[0])
    for epoch, hill in enumerate(hills, 1):
        w = np.abs(made_up_run.weights(epoch)["fc"].ravel())
        counted = np.histogram(w[w > 0], made_up_run.EDGES)[0]
        heights = np.array(hill["y"][1:-1]) - hill["y"][0]
        assert heights.sum() == pytest.approx(1.7 * counted.sum() / tallest, abs=1e-3)
    bars = [each for each in figure["data"] if each.get("xaxis") == "x2"]
    zeros = (made_up_run.weights(6)["fc"] == 0).mean()
    assert max(bars[-1]["y"]) == pytest.approx(0.85 * zeros)
    assert bars[-1]["text"][-1] == f"{100 * zeros:.0f} %"


@given(power=st.integers(-29, 3))
@settings(max_examples=12, deadline=None)
def test_near_zero_is_what_counting_gives_for_any_edge(power):
    epsilon = 2.0**power
    drawn = near_zero_share(history(), "r", epsilon)
    for epoch, share in enumerate(trace(drawn, "whole")["y"], 1):
        every = np.concatenate([np.abs(w).ravel() for w in made_up_run.weights(epoch).values()])
        assert share == pytest.approx(100 * (every < epsilon).mean())
    assert f"{epsilon:.2g}" in drawn["layout"]["yaxis"]["title"]["text"]


def test_measures_are_those_that_were_taken_in_their_own_units(run):
    names = measured(run)
    assert {"exact", "near", "hoyer", "gini", "effective_rank", "dense", "filters", "prunable"} <= set(names)
    assert "gzip" not in names and "heads" not in names
    assert trace(measure(run, "r", "gini"), "whole")["x"] == [1, 3, 4, 5, 6]
    assert trace(measure(run, "r", "prunable"), "whole")["y"] == [90.0] * 3
    assert trace(measure(run, "r", "prunable"), "conv1")["y"] == [50.0] * 3
    bars = trace(measure(run, "r", "prunable"), "whole")["error_y"]
    assert bars["array"] == pytest.approx([4.0] * 3) and bars["arrayminus"] == pytest.approx([10.0] * 3)
    assert "error_y" not in trace(measure(run, "r", "hoyer"), "whole")
    assert trace(measure(run, "r", "sparse"), "fc")["y"][-1] == 2.0
    said = {name: measure_now(run, name) for name in ("prunable", "hoyer", "filters", "dense")}
    said["prunable"], interval = said["prunable"].split(" (")
    assert interval == "95 %: 80.0 to 94.0 %)"
    assert said == {
        "prunable": "90.0 % of 712 weights",
        "hoyer": "0.300",
        "filters": "1 filters",
        "dense": "2.8 kB",
    }
    assert measured(history(old=True)) == ["exact", "near"]


def test_what_is_measured_more_rarely_is_announced(run):
    assert why_not_thorough(run) == why_not_thorough(history(old=True)) == ""
    events = list(made_up_run.events())
    rare = ("gini", "effective_rank")
    for event in events:
        if event["event"] == "epoch":
            event["sparsity"] = {k: v for k, v in event["sparsity"].items() if k not in rare}

    def said(every, ended):
        told = [e | {"thorough_every": every} if e["event"] == "started" else e for e in events]
        return why_not_thorough(build_history(enumerate(told if ended else told[:-2], 1)).history())

    assert said(3, ended=False) == (
        "Gini index, effective rank and gzipped storage take longer to measure; they come every 3 epochs."
    )
    assert "come after the last epoch." in said(0, ended=False)
    assert "ended before it was time" in said(3, ended=True)


def test_a_prunable_share_of_an_earlier_rule_is_shown_as_it_is_and_says_so(run):
    events = made_up_run.events()
    for event in events:
        if "prunable" in event:
            event["prunable"] = {"share": 0.9, "accuracy": 0.745}
    old = build_history(enumerate(events, 1)).history()
    assert "error_y" not in trace(measure(old, "r", "prunable"), "whole")
    assert measure_now(
        old, "prunable"
    ) == "90.0 % of 712 weights" and "earlier rule" in earlier_prunable_share(old)
    assert earlier_prunable_share(run) == earlier_prunable_share(history(old=True)) == ""


def without_prunable(epochs: int, ended: bool, **images: int):
    """A made-up run in which no prunable share was looked for, of ``epochs`` epochs."""
    events = [{k: v for k, v in event.items() if k != "prunable"} for event in made_up_run.events()]
    events = [e | images | {"epochs": epochs} if e["event"] == "started" else e for e in events]
    return build_history(enumerate(events if ended else events[:-2], 1)).history()


def test_a_run_without_a_prunable_share_says_why(run):
    assert why_no_prunable_share(run) == why_no_prunable_share(history(old=True)) == ""
    # 20 validation images, 2.5 epochs' time each over 80: 0.625 epochs, of 5 % of 13 or of 1.5 % of 42.
    said = why_no_prunable_share(without_prunable(12, ended=True))
    assert "as long as 0.62 epochs" in said and "may take 5 % of a run" in said and "of 13 epochs" in said
    assert "after epoch 13." in why_no_prunable_share(without_prunable(13, ended=False))
    assert "after epoch 41." in why_no_prunable_share(without_prunable(41, ended=False))
    assert "after epoch 42." in why_no_prunable_share(without_prunable(84, ended=False))
    assert "ended before" in why_no_prunable_share(without_prunable(22, ended=True))
    for part in ("train_images", "validation_images"):  # damaged
        assert "takes as long as" in why_no_prunable_share(without_prunable(22, True, **{part: 0}))


def pixels(image):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(image.source.partition(",")[2]))))


def test_a_filter_is_painted_where_it_is_not_zero(run):
    events = with_filters(run)
    images = filter_images(events[-1])
    w = made_up_run.weights(made_up_run.EPOCHS)["conv1"][:, 0]
    for image, weights in zip(images, w, strict=True):
        painted = pixels(image)
        assert painted.shape == (3, 3, 4)
        assert ((painted[..., 3] == 0) == (weights == 0)).all()
        assert ((painted[..., 0] > painted[..., 2]) == (weights > 0))[weights != 0].all()
        assert image.zeros == pytest.approx((weights == 0).mean())
    assert images[2].zeros == 1


def test_a_colour_filter_shows_the_colour_it_answers_to():
    red = np.zeros((1, 3, 1, 2), np.int8)
    red[0, 0, 0, 0] = 127
    values = base64.b64encode(red.tobytes()).decode()
    kept = {"layer": "conv1", "of": 1, "shape": list(red.shape), "values": values}
    (image,) = filter_images({"filters": kept})
    assert pixels(image).tolist() == [[[255, 128, 128, 255], [128, 128, 128, 0]]]


def point(name, exact, accuracy, arch="CNN"):
    return RunPoint(name, name, "cnn · L1", arch, accuracy, exact)


def test_the_front_is_those_that_no_other_beats_in_both():
    dense, sparse, worse, equal = (
        point("dense", 0.0, 0.98), point("sparse", 0.9, 0.97), point("worse", 0.5, 0.96),
        point("equal", 0.9, 0.97),
    )  # fmt: skip
    assert [each.name for each in front([worse, sparse, dense])] == ["dense", "sparse"]
    assert len(front([sparse, equal])) == 1 and front([]) == []


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=12))
@settings(max_examples=40, deadline=None)
def test_a_run_is_on_the_front_or_beaten_by_one_that_is(drawn):
    points = [point(str(i), *each) for i, each in enumerate(drawn)]
    best = front(points)
    for each in points:
        as_good = [b for b in best if b.exact >= each.exact and b.accuracy >= each.accuracy]
        assert each in best or as_good
    accuracies = [each.accuracy for each in best]
    assert accuracies == sorted(accuracies, reverse=True) and len(set(accuracies)) == len(best)


def test_every_run_is_a_point_that_can_be_picked():
    points = [point("a", 0.1, 0.9), point("b", 0.2, 0.8, "RNN"), point("c", 0.0, 0.7)]
    figure = valid(sparsity_and_accuracy(points, "b"))
    assert sorted(id for each in figure["data"] for id in each.get("ids", ())) == ["a", "b", "c"]
    recurrent = trace(figure, "RNN")
    assert recurrent["marker"]["line"]["width"] == [2] and trace(figure, "CNN")["marker"]["line"][
        "width"
    ] == [0, 0]
    assert "cnn<br>L1" in recurrent["text"][0]


def test_a_run_that_learnt_nothing_does_not_press_the_others_flat():
    points = [point("a", 0.0, 0.98), point("b", 0.9, 0.9), point("dead", 1.0, 0.1)]
    low, high = sparsity_and_accuracy(points)["layout"]["yaxis"]["range"]
    assert 85 < low < 90 and 98 < high < 101 and out_of_sight(points) == 1
    assert out_of_sight(points[2:]) == 0


def test_the_share_of_label_smoothing_is_no_lambda():
    step = made_up_run.step(1.0) | {"strengths": {"l1": 1e-3, "label_smoothing": 0.1, "gone": 1e-3}}
    figure = loss(build_history([(1, step)]).history(), "r")
    assert [each["name"] for each in figure["data"] if "λ" in each["name"]] == ["λ of L1", "λ of gone"]


def test_what_has_gone_in_other_layers_is_told_by_the_first():
    def group(zero, kind="filters"):
        return {"exact": 0.5, "groups": {kind: {"zero": zero, "all": 64}}}

    layers = {"conv1": group(3), "conv2": group(41), "conv3": group(0), "fc1": group(64, "neurons")}
    event = {"sparsity": {"layers": layers, "groups": {"filters": {"zero": 44, "all": 192}}}}
    said = "41 of 64 filters of conv2, 64 of 64 neurons of fc1 are gone"
    assert zero_groups_elsewhere(event, "conv1") == said
    assert zero_groups_elsewhere({"sparsity": {"layers": {"fc": {"exact": 0.5}}}}, "conv1") == ""
    assert removable(event, "cnn") == "filters" and removable(event, "rnn") == ""
    layers["fc1"]["exact"] = 1  # nothing gets through: what could be taken out is beside the point
    assert removable(event, "cnn") == ""


def test_a_front_leaves_out_what_only_guesses():
    points = [point("a", 0.0, 0.98), point("b", 0.9, 0.97), point("dead", 1.0, 0.1)]
    assert [each.name for each in in_sight(points)] == ["a", "b"]
    drawn = trace(sparsity_and_accuracy(points), "front")
    assert drawn["x"] == [0, 90]


def test_no_two_penalties_look_alike():
    drawn = [entry for entry in REGULARISERS.values() if entry.solvers]
    assert len(drawn) <= len(set(PENALTIES)) == len(set(DASHES))


def test_an_architecture_keeps_its_colour():
    titles = [entry.title for entry in ARCHITECTURES.values()]
    alone = {arch: sparsity_and_accuracy([point("a", 0.1, 0.9, arch)]) for arch in titles}
    together = sparsity_and_accuracy([point(arch, 0.1, 0.9, arch) for arch in titles])
    colours = {arch: trace(together, arch)["marker"]["color"] for arch in titles}
    assert colours == {arch: trace(alone[arch], arch)["marker"]["color"] for arch in titles}
    assert len(set(colours.values())) == len(titles)


def test_the_charts_of_a_stopped_run_end_where_it_did():
    events = [each for each in made_up_run.events() if each.get("epoch", 0) <= 3][:-2]
    events = [each | {"epochs": 1000} if each["event"] == "started" else each for each in events]
    running = build_history(enumerate(events, 1)).history()
    stopped = {"event": "state", "state": "stopped", "reason": ""}
    ended = build_history(enumerate([*events, stopped], 1)).history()
    assert accuracy(running, "r")["layout"]["xaxis"]["range"] == [0, 1000]
    assert accuracy(ended, "r")["layout"]["xaxis"]["range"] == [0, ended.epochs[-1]["epoch"]]


KINDS = ("started", "step", "epoch")


def test_the_losses_axis_has_labels_also_where_no_power_of_ten_is():
    def axis(penalty=None, **losses):
        events = [each | losses for each in made_up_run.events(epochs=1) if each["event"] in KINDS]
        if penalty is not None:
            events = [each | {"penalties": {"l1": penalty}, "penalty": penalty} for each in events]
        return loss(build_history(enumerate(events, 1)).history(), "r")["layout"]["yaxis"]

    near = axis(penalty=0.0)
    assert "dtick" not in near and 2 <= len(near["tickvals"]) <= 9
    digits = {f"{value:e}"[0] for value in near["tickvals"]}
    assert digits <= {"1", "2", "5"} and near["tickvals"] == sorted(near["tickvals"])
    assert axis(penalty=0.0, validation_loss=1e-3)["dtick"] == 1
    assert axis(penalty=1e3)["dtick"] == 1  # which is on the axis, too
    assert "dtick" not in axis(penalty=0.9)
    assert axis(validation_loss=1e33)["dtick"] == 6  # six labels, not thirty-three on top of each other
    assert axis(validation_loss=1e308, train_loss=1e-308)["dtick"] == 103  # a damaged run


@pytest.mark.parametrize(
    ("optimiser", "size"),
    [
        (OptimiserSpec(kind="sgd", lr=0.1, params={"momentum": 0.9}), 0.1 / (1 - 0.9)),
        (OptimiserSpec(kind="adam", lr=0.1), 0.1 / 0.01),
        (OptimiserSpec(kind="adamw", lr=0.1), 0.1 / 0.01),
        (OptimiserSpec(kind="rmsprop", lr=0.1, params={"momentum": 0.5}), 0.1 / 0.01 / (1 - 0.5)),
    ],
)
def test_a_step_is_as_long_as_the_optimiser_makes_it(optimiser, size):
    pulled = pull(1e-3, completed_optimiser(optimiser), steps=7)
    assert pulled.size == pytest.approx(size, rel=1e-4)
    assert pulled.a_run == pytest.approx(7 * 1e-3 * size, rel=1e-4)


@pytest.mark.parametrize("kind", [name for name, entry in OPTIMISERS.items() if entry.proximal])
def test_a_step_is_as_long_as_training_takes_it(kind):
    spec = completed_optimiser(OptimiserSpec(kind=kind))
    weight = nn.Parameter(torch.zeros(1))
    optimiser = build_optimiser(spec, [weight], [])
    for _ in range(3000):  # until running means have settled
        weight.grad = torch.tensor([USUAL_GRADIENT])
        optimiser.step()
    sizes = step_sizes(optimiser, [weight])
    size = sizes if isinstance(sizes, float) else float(sizes.sizes(sizes.squares[0]))
    assert pull(1.0, spec, steps=1).size == pytest.approx(size, rel=1e-4)


def test_a_step_s_curves_are_the_proximal_operators_of_training():
    figure = shrinkage_curves(0.3)
    for name, l1_ratio in (("L1", 1.0), ("elastic net", 0.5)):
        drawn = trace(figure, name)
        weights = torch.tensor(drawn["x"], dtype=torch.float64)
        elastic_net_([weights], 0.3, 1.0, l1_ratio)
        assert drawn["y"] == pytest.approx(weights.tolist(), abs=1e-12)


def test_a_whole_run_in_one_curve_is_its_steps_one_by_one():
    pulled = Pull(strength=0.01, size=2.0, steps=5)
    figure = valid(after_the_run(pulled, 0.5))
    steps = {"L1": (0.02, 0.0), "L2": (0.0, 0.02), "elastic net": (0.01, 0.01)}
    for name, (threshold, share) in steps.items():
        drawn = trace(figure, name)
        for before, after in zip(drawn["x"], drawn["y"], strict=True):
            w = before
            for _ in range(5):
                w = math.copysign(max(abs(w) - threshold, 0) / (1 + share), w)
            assert after == pytest.approx(w, abs=1e-12)
    assert after_the_run(Pull(0.0, 1.0, 5))  # λ = 0
    assert trace(after_the_run(Pull(100.0, 10.0, 50)), "L1")["y"] == [0.0] * 201


def test_close_to_zero_the_penalty_hops_and_the_proximal_step_rests():
    figure = valid(near_zero(Pull(1e-3, 10.0, 5)))
    penalty, proximal = trace(figure, "penalty")["y"], trace(figure, "proximal")["y"]
    assert all(w != 0 for w in penalty) and penalty[-1] * penalty[-2] < 0
    assert proximal[-1] == proximal[-2] == 0.0


@pytest.mark.parametrize(
    ("shape", "warmup", "points"),
    [
        ("linear", 0, [(0, 0.5), (10, 0.5)]),
        ("linear", 4, [(0, 0.0), (4, 0.5), (10, 0.5)]),
        ("linear", 20, [(0, 0.0), (10, 0.25)]),
        ("step", 4, [(0, 0.0), (4, 0.0), (4, 0.5), (10, 0.5)]),
        ("step", 20, [(0, 0.0), (10, 0.0)]),
    ],
)
def test_the_small_picture_of_a_schedule(shape, warmup, points):
    """A wall and a cliff have their foot and their top at one epoch."""
    spec = RegulariserSpec(kind="l1", strength=0.5, schedule=shape, warmup_epochs=warmup)
    (drawn,) = valid(schedule(spec, 10))["data"]
    assert list(zip(drawn["x"], drawn["y"], strict=True)) == points


@pytest.mark.parametrize(
    ("shape", "warmup", "points"),
    [
        ("linear", 0, [(0, 0.5), (7, 0.5), (7, 0.0), (10, 0.0)]),
        ("linear", 4, [(0, 0.0), (4, 0.5), (7, 0.5), (7, 0.0), (10, 0.0)]),
        ("step", 4, [(0, 0.0), (4, 0.0), (4, 0.5), (7, 0.5), (7, 0.0), (10, 0.0)]),
    ],
)
def test_the_small_picture_of_one_that_is_released(shape, warmup, points):
    spec = RegulariserSpec(kind="l1", strength=0.5, schedule=shape, warmup_epochs=warmup, release_epochs=7)
    (drawn,) = valid(schedule(spec, 10))["data"]
    assert list(zip(drawn["x"], drawn["y"], strict=True)) == points


def test_the_table_has_the_newer_figures_too(run):
    header, *lines = epochs_csv((run, "abc", RunSpec(seed=7))).splitlines()
    columns = header.split(",")
    assert len(set(columns)) == len(columns) and not {"exact", "near", "penalty", "right"} & set(columns)
    expected = "run_id penalty.l1 strength.l2 hoyer gini bytes.sparse prunable_share prunable_low_share"
    assert {*expected.split(), "torch_version"} <= set(columns)
    assert len(lines) == 6 and "edges" not in header and "values" not in header
    rows = [dict(zip(columns, line.split(","), strict=True)) for line in lines]
    assert {row["validation_images"] for row in rows} == {"20"} and {row["run_id"] for row in rows} == {"abc"}
    ends = [float(rows[-1][f"validation_accuracy_{end}_share"]) for end in ("low", "high")]
    assert ends == pytest.approx(wilson(15, 20))


def test_no_column_says_what_another_does(run):
    """Of a run with one regulariser: its penalty is the sum of all."""
    events = [
        event | {"penalties": {"l1": event["penalty"]}, "strengths": {"l1": 0.1}}
        if event["event"] == "epoch"
        else event
        for event in made_up_run.events()
    ]
    one = build_history(enumerate(events, 1)).history()
    header, *lines = (line.split(",") for line in epochs_csv((one, "abc", RunSpec())).splitlines())
    varying = {name: column for name, *column in zip(header, *lines, strict=True) if len(set(column)) > 1}
    assert varying.pop("below_0.001_share") == varying["exact_zero_share"]  # of this made-up run alone
    assert len({tuple(column) for column in varying.values()}) == len(varying)
