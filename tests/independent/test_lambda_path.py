"""Which λ a path stars, against SciPy and counting, and how often it is right where the truth is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import isotonic_regression

from core.measure.path_star import against, isotonic, star

LAMBDAS = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
IMAGES = 1000


def row(strength, right):
    packed = np.packbits(right).tobytes().hex()
    return {"strength": strength, "accuracy": right.mean(), "images": len(right), "right": packed}


@given(st.lists(st.integers(-50, 50).map(lambda i: i / 8), min_size=1, max_size=12))
def test_falls_are_made_to_rise_as_scipy_does(values):
    assert isotonic(values) == pytest.approx(isotonic_regression(values).x, abs=1e-9)


@pytest.mark.parametrize("images", [1, 7, 8, 359, 1000])
def test_images_are_compared_one_by_one(images):
    random = np.random.default_rng(images)
    before, after = random.random(images) < 0.8, random.random(images) < 0.6
    found = against(row(0.0, before), row(1e-3, after))
    assert found.lost == np.sum(before & ~after) and found.won == np.sum(after & ~before)
    assert found.images == images and found.share == pytest.approx(before.mean() - after.mean())
    low, high = found.interval
    assert -1 <= low <= found.share <= high <= 1


def path(falls, images=IMAGES):
    """Rows in which each λ has so many images wrong that λ = 0 has right; below 0, so many more right."""
    places, most = np.arange(images), round(0.9 * images)
    rights = [places < most, *(places < most - round(fall * images) for fall in falls)]
    return [row(strength, right) for strength, right in zip((0.0, *LAMBDAS), rights, strict=False)]


@pytest.mark.parametrize(
    ("falls", "starred"),
    [
        ([0, 0, 0, 0, 0, 0, 0, 0], 3e-2),
        ([0, 0, 0, 0.002, 0.004, 0.030, 0.2, 0.8], 3e-4),  # of 1e-3 a quarter is the cliff beside it
        ([0.005], 1e-5),  # half a point exactly
        ([0.006], None),
        ([0.1, 0.2, 0.3], None),
        ([0.02, 0.019, 0.02, 0.023, 0.04], None),  # a step at once
        ([0, 0, 0.05, 0.004, 0.06, 0.2], 1e-5),  # what lies behind a far worse λ is luck
        ([-0.02, -0.03, -0.03, -0.03, 0.1], 1e-4),  # a gain is no cost
    ],
)
def test_the_star_of_paths_one_can_tell_by_eye(falls, starred):
    found = star(path(falls))
    assert (found and found["strength"]) == starred
    assert star(path(falls)[::-1]) == found  # in whatever order they came


def test_what_can_not_be_compared_is_no_star():
    zero, *others = path([0, 0, 0])
    assert star(others) is None and star([zero]) is None and star([]) is None
    for damage in ({"accuracy": None}, {"right": "xyz"}, {"right": None}, {"images": 9}, {"images": 2000}):
        assert star([zero, others[0], others[1], others[2] | damage])["strength"] == 3e-5
        assert star([zero | damage, *others]) is None


# True accuracies, of which 1e-3 is the largest within half a point of the first. How many images are answered
# otherwise than at λ = 0 is as in real paths (docs/LOG.md).
TRUE = np.array([0.95, 0.95, 0.95, 0.948, 0.946, 0.944, 0.935, 0.80])
DIFFER = np.maximum([0.003, 0.005, 0.006, 0.010, 0.020, 0.035, 0.060, 0.30], 0.95 - TRUE)
RIGHT = 4


def drawn(random):
    """A path's rows, whose images are drawn."""
    zero = random.random(IMAGES) < 0.95
    rows = [row(0.0, zero)]
    for strength, accuracy, differ in zip(LAMBDAS, TRUE, DIFFER, strict=True):
        lost, won = (differ + 0.95 - accuracy) / 2, (differ - 0.95 + accuracy) / 2
        turned = random.random(IMAGES) < np.where(zero, lost / 0.95, won / 0.05)
        rows.append(row(strength, zero ^ turned))
    return rows


def test_the_star_is_within_a_grid_step_in_nine_paths_of_ten_and_seldom_costs_more_than_half_a_point():
    random = np.random.default_rng(0)
    found = [star(drawn(random)) for _ in range(1000)]
    steps = np.array([LAMBDAS.index(each["strength"]) - RIGHT if each else -9 for each in found])
    assert np.mean(np.abs(steps) <= 1) > 0.87
    assert np.mean(steps > 0) < 0.25  # nearly all of them cost 0.6 points in truth
    assert np.mean(steps > 1) < 0.02
