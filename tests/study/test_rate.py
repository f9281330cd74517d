"""A learning-rate range test, and what is made of it."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalogues import completed
from core.figures.study.rate import chart, sentences
from core.probe.rate_range import run
from core.run.commands import Control
from core.run.errors import SpecError
from core.run.spec import parse
from core.study.rules.rate import rate_range

SPEC = completed(
    parse(
        {
            "data": {"name": "digits"},
            "model": {"arch": "mlp", "params": {"hidden": [16]}},
            "optimiser": {"kind": "sgd"},
            "train": {"batch_size": 16, "device": "cpu"},
        }
    )
)


def tried(**inputs):
    return list(run(SPEC, inputs, Control(), None))


def test_the_rates_rise_evenly_and_the_suggested_one_trains(monkeypatch):
    events = tried(low=1e-4, high=10.0, steps=80)
    rows = [event for event in events if event["event"] == "row"]
    assert events[-1]["state"] == "finished" and len(rows) <= 80
    ratios = [b["rate"] / a["rate"] for a, b in pairwise(rows)]
    assert ratios == pytest.approx([1e5 ** (1 / 79)] * len(ratios))
    found = rate_range([row["rate"] for row in rows], [row["smooth"] for row in rows])
    assert 1e-4 < found.begins <= found.least <= 10 and found.suggested == pytest.approx(
        found.least / 10, rel=0.3
    )
    assert "is suggested" in sentences(rows)[0] and chart(rows).figure["layout"]["shapes"]
    assert [
        e for e in tried(low=1e-4, high=10.0, steps=80) if e["event"] == "row"
    ] == rows  # again, to the bit


def test_the_running_mean_is_that_of_kingma_and_ba():
    rows = [event for event in tried(low=1e-6, high=1e-5, steps=20) if event["event"] == "row"]
    weights = [0.1 * 0.9 ** (19 - i) for i in range(20)]
    mean = sum(w * row["loss"] for w, row in zip(weights, rows, strict=True)) / sum(weights)
    assert rows[-1]["smooth"] == pytest.approx(mean)


def test_what_can_not_be_tried_is_refused():
    with pytest.raises(SpecError, match="below the last"):
        tried(low=1.0, high=0.1)
    few = SPEC.model_copy(update={"train": SPEC.train.model_copy(update={"batch_size": 1024})})
    with pytest.raises(SpecError, match="smaller batches"):
        list(run(few, {}, Control(), None))
    stopped = Control()
    stopped.end()
    with pytest.raises(Exception):  # noqa: B017  while the images load
        list(run(SPEC, {}, stopped, None))


@given(st.lists(st.floats(0.01, 100), min_size=10, max_size=40))
def test_a_suggestion_lies_within_what_was_tried(smooth):
    rates = [10 ** (i / 10 - 3) for i in range(len(smooth))]
    found = rate_range(rates, smooth)
    if found is None:
        assert smooth.index(min(smooth)) == 0 or max(smooth[: smooth.index(min(smooth)) + 1]) == min(smooth)
        return
    assert rates[0] <= found.begins <= found.least <= rates[-1] and rates[0] < found.steepest <= found.least
    assert found.least == rates[smooth.index(min(smooth))] and math.isfinite(found.suggested)


def test_a_parabola_in_the_logarithm():
    rates = [10 ** (i / 20 - 4) for i in range(81)]
    smooth = [1 + (math.log10(rate) + 1) ** 2 for rate in rates]  # least at 0.1
    assert (
        rate_range(rates, smooth).suggested == pytest.approx(0.01)
        and rate_range(rates[:5], smooth[:5]) is None
    )
