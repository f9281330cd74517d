"""Every interval on a page covers what it claims to, in 93 to 97 % of simulated draws (NumPy's and
SciPy's)."""

from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import norm
from torch import nn

from core.catalogues import filled
from core.data.dataset import Dataset
from core.measure.paired import fall, fall_interval
from core.probe.label_damage import WHOLE, Accuracy, _row, measured
from core.run.spec import parse

DRAWS = 2000


def coverage(covered):
    return np.mean(covered)


@cache
def wilson(right, images):
    row = _row(Accuracy("x", right, images, 0, 0, ()))
    return row["low"], row["high"]


@pytest.mark.parametrize("images", [300, 1000])
@pytest.mark.parametrize("share", [0.5, 0.8, 0.95, 0.98])
def test_of_an_accuracy(images, share):
    draws = np.random.default_rng(0).binomial(images, share, DRAWS)
    ends = [wilson(int(right), images) for right in draws]
    assert 0.93 <= coverage([low <= share <= high for low, high in ends]) <= 0.97


@pytest.mark.parametrize("images", [300, 1000])
@pytest.mark.parametrize(
    ("lost", "won"), [(0.019, 0.005), (0.3, 0.01), (0.05, 0.05), (0.02, 0.02), (0.6, 0.002)]
)
def test_of_a_fall_on_the_same_images(images, lost, won):
    draws = np.random.default_rng(1).multinomial(images, [lost, won, 1 - lost - won], DRAWS)
    ends = [fall_interval(int(a), int(b), images) for a, b, _ in draws]
    assert 0.93 <= coverage([low <= lost - won <= high for low, high in ends]) <= 0.97


def test_a_fall_is_seen_where_two_intervals_overlap():
    """2 % of the right answers lost, 10 % of the wrong ones won, on 1,000 images: McNemar's test sees it in
    85 %."""
    draws = np.random.default_rng(2).multinomial(1000, [0.019, 0.005, 0.976], DRAWS)
    assert np.mean([fall_interval(int(a), int(b), 1000)[0] > 0 for a, b, _ in draws]) > 0.75
    assert fall(19, 5, 1000) == pytest.approx(0.014)


class Lightness(nn.Module):
    """Class 1 for images that are light."""

    def forward(self, images):
        light = images.mean((1, 2, 3)) - 0.5
        return torch.stack([-light, light], 1)


def test_where_operations_are_chosen_images_are_so_many_draws():
    """One of two operations, one of which turns every answer round: the share of right answers must scatter
    as a coin's, and did so as that of a few batches."""
    images = torch.full((240, 1, 8, 8), 200, dtype=torch.uint8)
    trained = SimpleNamespace(
        validation=Dataset(images, torch.ones(240, dtype=torch.long), ("dark", "light")),
        model=Lightness(),
        normalised=lambda batch: batch,
        device=torch.device("cpu"),
    )
    ops = [{"op": "RandomInvert", "p": 1.0}, {"op": "RandomHorizontalFlip", "p": 1.0}]
    augment = filled(parse({"augment": {"ops": ops, "choose": 1}})).augment
    right = []
    for seed in range(30):
        (whole,) = (row for row in measured(trained, augment, seed=seed) if row.title == WHOLE)
        right.append(whole.right)
    deviation = np.std(right, ddof=1) / np.sqrt(240 * 0.25)
    assert 0.6 < deviation < 1.5  # √(χ²₂₉/29), 99.9 %: 0.63 to 1.46
    assert abs(np.mean(right) / 240 - 0.5) < 0.03


def likeliest(lost, won, images, fall):
    """The share of images won that is likeliest at an assumed fall, by SciPy's search over all."""
    low, high = max(0.0, -fall) + 1e-13, (1 - fall) / 2 - 1e-13

    def unlikely(share):
        terms = (lost, share + fall), (won, share), (images - lost - won, 1 - 2 * share - fall)
        return -sum(count * np.log(max(each, 1e-300)) for count, each in terms if count)

    found = minimize_scalar(unlikely, bounds=(low, high), method="bounded", options={"xatol": 1e-13}).x
    return min((low, found, high), key=unlikely)


def by_search(lost, won, images):
    """The falls that a score test at 5 % does not reject, by SciPy's root finding."""

    def score(fall):
        share = likeliest(lost, won, images, fall)
        return (lost - won - images * fall) / np.sqrt(images * (2 * share + fall * (1 - fall)))

    found = (lost - won) / images
    return (
        brentq(lambda fall: score(fall) - norm.ppf(0.975), -1 + 1e-9, found - 1e-9),
        brentq(lambda fall: score(fall) + norm.ppf(0.975), found + 1e-9, 1 - 1e-9),
    )


@pytest.mark.parametrize(
    ("lost", "won", "images"),
    [(20, 5, 1000), (600, 10, 1000), (30, 0, 1000), (0, 1, 44), (5, 5, 50), (300, 50, 400), (50, 100, 1000)],
)
def test_the_interval_of_a_fall_is_tangos_by_search(lost, won, images):
    assert fall_interval(lost, won, images) == pytest.approx(by_search(lost, won, images), abs=1e-6)
