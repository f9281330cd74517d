"""The curves on the landing page are of the very runs that its lessons start."""

import base64
import re

import pytest

from core.catalogues import completed
from core.figures.parts import SPARSITY, TRAIN, VALIDATION
from core.presets import LESSONS, preset
from core.run.digest import digest
from pages.features.start import expected
from pages.features.start.expected import curves, measured


def test_they_were_measured_of_todays_presets():
    today = {name: completed(preset(name)) for name in LESSONS}
    advice = "run `python -m tests.make_lessons`"
    assert {name: run["digest"] for name, run in measured().items()} == {
        name: digest("train", spec.choices()) for name, spec in today.items()
    }, advice
    for name, run in measured().items():  # another entry in a catalogue changes no curve
        assert {key: run["versions"][key].split("+")[0] for key in ("torch", "kornia")} == {
            key: today[name].versions[key].split("+")[0] for key in ("torch", "kornia")
        }, advice


@pytest.mark.parametrize("name", LESSONS)
def test_a_curve_has_a_point_an_epoch_and_says_its_n(name):
    spec = completed(preset(name))
    first, validation = curves(name, zeros=bool(spec.regularisers))
    assert len(first.shares) == len(validation.shares) == spec.train.epochs
    assert all(0 <= share <= 1 for line in (first, validation) for share in line.shares)
    assert measured()[name]["seed"] == spec.seed
    assert re.fullmatch(r"validation [0-9.]+ % of 1,000", validation.last)
    assert first.name == ("exact zeros" if spec.regularisers else "clean train")


def test_a_picture_draws_the_shares_from_the_top_of_its_axis_to_the_bottom(monkeypatch):
    run = {
        "clean": [0.5, 0.75, 1.0],
        "validation": [0.5, 0.5, 0.5],
        "zeros": [0.0, 0.5, 1.0],
        "clean_images": 10,
        "validation_images": 20,
        "weights": 30,
    }
    monkeypatch.setattr(expected, "measured", lambda: {"it": run})
    drawn = expected._expected.__wrapped__("it", zeros=False)
    assert 'alt="Expected after 3 epochs: clean train 100 % of 10, validation 50 % of 20."' in drawn
    svg = base64.b64decode(re.search(r"base64,([^\"]+)", drawn)[1]).decode()
    lines = dict(re.findall(r'points="([^"]+)" stroke="([^"]+)"', svg))
    assert {colour: points for points, colour in lines.items()} == {
        TRAIN: "0.0,40.0 50.0,20.0 100.0,0.0",
        VALIDATION: "0.0,40.0 50.0,40.0 100.0,40.0",
    }
    drawn = expected._expected.__wrapped__("it", zeros=True)
    svg = base64.b64decode(re.search(r"base64,([^\"]+)", drawn)[1]).decode()
    assert f'points="0.0,40.0 50.0,20.0 100.0,0.0" stroke="{SPARSITY}"' in svg
