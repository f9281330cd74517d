"""The lab's figures are valid Plotly, hold the measured numbers, and say them in words."""

import json
import subprocess
import sys
from pathlib import Path

import plotly.graph_objects as go
import pytest
import torch

from core.figures import probes as figures
from core.preview.histograms import histograms

MEASURED = [
    {
        "title": "Plain images",
        "right": 90,
        "images": 100,
        "low": 0.825,
        "high": 0.945,
        "lost": 0,
        "won": 0,
        "mistakes": [],
    },
    {
        "title": "Horizontal flip",
        "right": 45,
        "images": 100,
        "low": 0.356,
        "high": 0.548,
        "lost": 50,
        "won": 5,
        "mistakes": [],
    },
]


def cost(part, title, draw, apply):
    return {
        "part": part,
        "title": title,
        "draw": draw,
        "apply": apply,
        "total": draw + apply,
        "device": "cpu",
    }


COSTS = [
    cost("operation", "Flip", 1.0, 2.0),
    cost("operation", "Affine", 2.0, 10.0),
    cost("whole", "All", 3.0, 12.0),
]
STEP = cost("training", "The rest of a training step", 0.0, 45.0)
BEFORE = torch.full((2, 3, 4, 4), 100, dtype=torch.uint8)
AFTER = torch.cat([BEFORE[:1], BEFORE[:1] * 0 + 255])


@pytest.mark.parametrize(
    "chart",
    [
        figures.accuracies(MEASURED),
        figures.accuracies(MEASURED[:1]),
        figures.costs(COSTS),
        figures.costs([*COSTS, STEP]),
        figures.value_histograms(*histograms(BEFORE, AFTER)),
        figures.value_histograms(*histograms(BEFORE[:, :1], AFTER[:, :1])),
    ],
)
def test_every_figure_is_valid_plain_and_knows_no_theme(chart):
    go.Figure(chart.figure)
    assert json.loads(json.dumps(chart.figure, allow_nan=False)) == chart.figure
    assert chart.figure["layout"]["paper_bgcolor"] == "rgba(0,0,0,0)"
    assert "template" not in chart.figure["layout"] and "font" not in chart.figure["layout"]
    assert chart.alt.endswith(".") and "\n" not in chart.alt


def test_bars_of_accuracy_have_the_intervals_of_their_fall_and_plain_a_line():
    chart = figures.accuracies(MEASURED)
    (bars,) = chart.figure["data"]
    assert bars["x"] == [90, 45] and bars["y"] == ["Plain images", "Horizontal flip"]
    assert (bars["error_x"]["array"][0], bars["error_x"]["arrayminus"][0]) == (0, 0)
    # Tango's interval of 50 lost and 5 won of 100, by hand from a profile likelihood: 32.7 to 55.9 points.
    assert 45 + bars["error_x"]["array"][1] == pytest.approx(90 - 32.74, abs=0.02)
    assert 45 - bars["error_x"]["arrayminus"][1] == pytest.approx(90 - 55.93, abs=0.02)
    assert chart.figure["layout"]["shapes"][0]["x0"] == 90
    assert "100 validation images" in chart.alt and "Horizontal flip 45 %" in chart.alt


def test_bars_of_cost_are_cut_in_two_and_stand_beside_the_step():
    drawing, applying, training = figures.costs([*COSTS, STEP]).figure["data"]
    assert drawing["x"] == [1, 2, 3] and applying["x"] == [2, 10, 12] and training["x"] == [45]
    assert drawing["y"] == ["Flip", "Affine", "All"]
    assert "augmentation takes 25 %" in figures.costs([*COSTS, STEP]).alt
    assert "Affine 12" in figures.costs(COSTS).alt and "step" not in figures.costs(COSTS).alt


def test_the_share_of_a_step_is_known_once_both_are():
    assert figures.share_of_step([*COSTS, STEP]) == 0.25
    assert figures.share_of_step(COSTS) is figures.share_of_step([STEP]) is None


def test_figures_need_neither_probes_nor_studies():
    code = "import sys, core.figures.probes, core.figures.strength_path\n"
    code += "assert not [name for name in sys.modules if name.startswith(('core.probe', 'core.study'))]"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_histograms_have_a_row_a_channel_and_name_what_was_clipped():
    chart = figures.value_histograms(*histograms(BEFORE, AFTER))
    assert [trace["name"] for trace in chart.figure["data"]] == [
        f"{colour}, {when}" for colour in ("red", "green", "blue") for when in ("before", "after")
    ]
    after = chart.figure["data"][1]
    assert len(after["x"]) == len(after["y"]) == 65 and after["x"][-1] == 256
    assert after["y"][25] == after["y"][63] == 50 and sum(after["y"][:64]) == 100
    assert len({trace["yaxis"] for trace in chart.figure["data"]}) == 3
    assert "50.0 % clipped to white (0.0 % before), 0.0 % to black (0.0 % before)" in chart.alt
    words = [note["text"] for note in chart.figure["layout"]["annotations"]]
    assert words == ["0: 0.0 → 0.0 %", "255: 0.0 → 50.0 %"] * 3
    assert chart.figure["layout"]["yaxis2"]["range"] == [0, 130]  # as high as the 100 % in the middle
    grey = figures.value_histograms(*histograms(BEFORE[:, :1], AFTER[:, :1]))
    assert [trace["name"] for trace in grey.figure["data"]] == ["grey, before", "grey, after"]
