"""Curves of several runs over each other, and what differs between runs."""

import pandas as pd
import pytest

from core.catalogues import filled
from core.figures.overlay import AXES, COLOURS, MEASURES, Curves, colour_of, overlay, smoothed
from core.run.spec import parse
from core.text.side_by_side import NONE, differing
from tests.jobs.fake_engine import epoch

RUNS = [
    Curves("one", [{**epoch(i), "seconds": 2.0, "validation_accuracy": i / 10} for i in (1, 2, 3)]),
    Curves("two", [{**epoch(i), "seconds": 3.0, "validation_accuracy": i / 5} for i in (1, 2)]),
]


@pytest.mark.parametrize(("by", "x"), [("epoch", [1, 2, 3]), ("seconds", [2, 4, 6])])
def test_a_line_a_run_along_what_is_asked(by, x):
    figure = overlay(RUNS, "accuracy", by)
    one, two = figure["data"]
    assert (one["x"], one["y"]) == (x, pytest.approx([10, 20, 30])) and two["y"] == pytest.approx([20, 40])
    assert figure["layout"]["xaxis"]["title"]["text"] == AXES[by]
    assert figure["layout"]["yaxis"]["title"]["text"] == MEASURES["accuracy"].label


def test_a_run_has_one_colour_in_every_picture_and_no_two_have_the_same():
    for of in MEASURES:
        assert [each["line"]["color"] for each in overlay(RUNS, of)["data"]] == [colour_of(0), colour_of(1)]
    assert len(set(COLOURS)) == len(COLOURS) == 8


def test_each_colour_is_seen_on_both_grounds():
    def luminance(colour):
        shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in shares)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    for ground in ("#FFFFFF", "#181714"):
        for colour in COLOURS:  # WCAG 2.2, 1.4.11
            low, high = sorted((luminance(colour), luminance(ground)))
            assert (high + 0.05) / (low + 0.05) >= 3, (colour, ground)


def test_smoothing_is_the_exponentially_weighted_mean_and_says_so():
    values = [3.0, 1.0, None, 4.0, 1.0, 5.0]
    expected = pd.Series(values).ewm(alpha=0.3, adjust=True, ignore_na=True).mean()
    mine = smoothed(values, 0.7)
    assert mine[2] is None  # a gap stays one
    assert [each for each in mine if each is not None] == pytest.approx(list(expected.drop(2)))
    figure = overlay(RUNS, "loss", smoothing=0.5)
    assert len(figure["data"]) == 4 and "smoothed 0.5" in figure["layout"]["yaxis"]["title"]["text"]
    assert "smoothed" not in overlay(RUNS, "loss")["layout"]["yaxis"]["title"]["text"]


def test_what_differs_is_told_with_what_each_run_has():
    one = filled(parse({"seed": 1, "regularisers": [{"kind": "l1", "strength": 0.01}]}))
    two = filled(parse({"seed": 2, "train": {"epochs": 3}}))
    rows = dict(differing([one, two]))
    assert rows["Seed"] == ["1", "2"] and rows["Budget, epochs"][1] == "3"
    assert ["0.01", NONE] in rows.values()
    assert differing([one, one]) == []
