"""The training benchmark's words follow from what each way prints."""

import sys

import pytest

from core.bench import training


def says(rate):
    return [sys.executable, "-S", "-c", f"print('a line before'); print('{{\"images_per_second\": {rate}}}')"]


def test_the_table_is_computed_from_what_each_way_prints(monkeypatch):
    ways = {"bare": ("bare", says(2000)), "app": ("app", says(1500)), "usual": ("usual", says(500))}
    monkeypatch.setattr(training, "WAYS", ways)
    measured = training.measure(2)
    assert measured["rates"] == {"bare": [2000, 2000], "app": [1500, 1500], "usual": [500, 500]}
    assert [row["ratio_to_bare"] for row in measured["rows"]] == [1, 0.75, 0.25]
    text = training.table(measured)
    assert "2 rounds" in text and text.endswith("The app to the usual way: 3.00.")


def test_a_way_that_fails_says_why(monkeypatch):
    command = [sys.executable, "-S", "-c", "raise SystemExit('no such thing')"]
    monkeypatch.setattr(training, "WAYS", {"bare": ("bare", command)})
    with pytest.raises(RuntimeError, match="no such thing"):
        training.measure(1)
