"""Pictures of several runs beside each other: groups of seeds, layers, and two confusion matrices."""

import json

import numpy as np
import plotly.graph_objects as go
import pytest

from core.figures.confusion import matrix_difference
from core.figures.layers_apart import SYMBOLS, WHOLE, LayersOf, counted_zeros, layers_of, zeros_by_layer
from core.figures.overlay import COLOURS, Group, colour_of, overlay, overlay_groups, smoothed
from core.measure.paired import bits, which
from tests.jobs.fake_engine import epoch

RNG = np.random.default_rng(0)
SHARES = RNG.random((5, 6))  # of five runs after six epochs


def runs(shares=SHARES):
    return [
        [{**epoch(i), "seconds": 1.0 + j, "validation_accuracy": share} for i, share in enumerate(row, 1)]
        for j, row in enumerate(shares)
    ]


def lines(figure):
    return [each for each in figure["data"] if each["line"]["width"] > 1]


def test_a_group_is_its_median_with_the_middle_half():
    figure = overlay_groups([Group("five", runs()), Group("one", runs()[:1])], "accuracy")
    low, high, middle, alone = figure["data"]
    quartiles = 100 * np.quantile(SHARES, [0.25, 0.5, 0.75], axis=0)
    for trace, expected in zip((low, middle, high), quartiles, strict=True):
        assert trace["y"] == pytest.approx(expected) and trace["x"] == [1, 2, 3, 4, 5, 6]
    assert high["fill"] == "tonexty" and "n = 5" in middle["customdata"][0]
    assert alone["y"] == pytest.approx(100 * SHARES[0]) and "n =" not in alone["customdata"][0]
    assert [each["line"]["color"] for each in figure["data"]] == [colour_of(0)] * 3 + [colour_of(1)]
    go.Figure(json.loads(json.dumps(figure)))


def test_what_too_few_of_a_group_have_is_not_drawn():
    shares = [*SHARES[:2, :3], *SHARES[2:3, :5], SHARES[3]]
    (line,) = lines(overlay_groups([Group("four", runs(shares))], "accuracy"))
    assert line["x"] == [1, 2, 3, 4, 5]  # after six there is one
    assert "n = 4" in line["customdata"][0] and "n = 2" in line["customdata"][-1]


def test_along_seconds_the_median_of_them_counts():
    (line,) = lines(overlay_groups([Group("five", runs())], "accuracy", "seconds"))
    assert line["x"] == [3.0 * i for i in range(1, 7)]  # of 1 to 5 seconds an epoch


def test_each_run_is_smoothed_before_the_median_is_taken():
    (line,) = lines(overlay_groups([Group("five", runs())], "accuracy", smoothing=0.6))
    expected = np.median([smoothed(row, 0.6) for row in 100 * SHARES], axis=0)
    assert line["y"] == pytest.approx(expected)


def test_a_group_of_one_is_the_run():
    one = lines(overlay_groups([Group("a", runs()[:1])], "loss"))[0]
    alone = overlay([type("Run", (), {"name": "a", "epochs": runs()[0]})()], "loss")["data"][0]
    assert (one["x"], one["y"]) == (alone["x"], alone["y"])


def sparsity(**layers):
    of = {
        name: {"exact": zeros / weights, "near": 0, "weights": weights}
        for name, (zeros, weights) in layers.items()
    }
    zeros, weights = (sum(each[i] for each in layers.values()) for i in (0, 1))
    return {"exact": zeros / weights, "near": 0, "weights": weights, "layers": of}


CNN = LayersOf("cnn", sparsity(conv1=(7, 288), conv2=(9000, 18432), fc=(1, 3)))
MLP = LayersOf("mlp", sparsity(hidden=(0, 100), fc=(50, 99)))


def test_layers_of_networks_of_another_shape_stand_in_their_order():
    assert layers_of([CNN, MLP]) == ["conv1", "conv2", "hidden", "fc"]
    assert layers_of([CNN, CNN]) == ["conv1", "conv2", "fc"]


def test_zeros_are_counted_again_from_their_share():
    for zeros, weights in ((0, 1), (1, 3), (333_333, 1_000_003), (49_999_999, 50_000_000)):
        assert counted_zeros(LayersOf("a", sparsity(fc=(zeros, weights))), "fc") == (zeros, weights)
    assert counted_zeros(CNN, WHOLE) == (9008, 18723) and counted_zeros(CNN, "hidden") is None


def test_each_run_has_its_colour_its_form_and_a_row_a_layer():
    figure = zeros_by_layer([CNN, MLP])
    one, two = figure["data"]
    assert one["x"] == pytest.approx([100 * 7 / 288, 100 * 9000 / 18432, 100 / 3, 100 * 9008 / 18723])
    assert [each["customdata"][-1] for each in (one, two)] == [
        [WHOLE, "9,008 of 18,723"],
        [WHOLE, "50 of 199"],
    ]
    assert [each["marker"]["color"] for each in (one, two)] == [colour_of(0), colour_of(1)]
    rows = figure["layout"]["yaxis"]["ticktext"]
    for trace in (one, two):
        for y, (layer, _) in zip(trace["y"], trace["customdata"], strict=True):
            assert rows[round(y)] == layer
    assert len(set(SYMBOLS)) == len(SYMBOLS) == len(COLOURS)
    go.Figure(json.loads(json.dumps(zeros_by_layer([CNN] * 8))))


def test_a_layer_that_all_runs_have_alike_hides_none_of_them():
    figure = zeros_by_layer([CNN] * 8)
    assert len({each["y"][0] for each in figure["data"]}) == 8


def test_two_matrices_less_each_other():
    ours, theirs = ([[9, 1], [0, 10]], [[6, 4], [0, 10]])
    figure = matrix_difference(ours, theirs, ["<a>", "b"], ("#111111", "#222222"))
    cells, texts = figure["data"]
    assert cells["z"] == [[3, -3], [0, 0]] and (cells["zmin"], cells["zmax"]) == (-3, 3)
    assert texts["text"][:2] == ["+3", "−3"] and texts["text"][2].strip() == ""
    assert texts["customdata"][1] == ["&lt;a&gt;", "b", "−3"] and texts["customdata"][2][2] == "0"
    assert cells["colorscale"][0][1] == "#222222" and cells["colorscale"][-1][1] == "#111111"
    same = matrix_difference(ours, ours, ["a", "b"], ("#111111", "#222222"))["data"][0]
    assert (same["zmin"], same["zmax"]) == (-1, 1)
    go.Figure(json.loads(json.dumps(figure)))


@pytest.mark.parametrize("images", [1, 7, 8, 9, 1000])
def test_the_places_of_images_that_are_right(images):
    right = RNG.random(images) < 0.4
    found = bits(np.packbits(right).tobytes().hex(), images)
    assert which(found, images) == list(np.nonzero(right)[0])
