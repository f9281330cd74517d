"""How studies decide, against closed forms, brute force and SciPy."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from core.study.rules.effects import factorial_effects, seeds_needed, single_effects
from core.study.rules.halving import Rung, brackets, epochs_spent, promoted, rungs
from core.study.rules.strength import choose_strength

ERRORS = st.integers(0, 40).map(lambda count: count / 40)  # ties are common, as with images


@given(st.data())
def test_the_one_standard_error_rule(data):
    size, folds = data.draw(st.integers(1, 7)), data.draw(st.integers(2, 6))
    powers = data.draw(st.permutations(range(-size, 0)))
    grid = [10.0**power for power in powers]
    errors = [data.draw(st.lists(ERRORS, min_size=folds, max_size=folds)) for _ in grid]
    found = choose_strength(grid, errors)
    mean = {each: np.mean(errors[i]) for i, each in enumerate(grid)}
    error = {each: stats.sem(errors[i]) for i, each in enumerate(grid)}  # SciPy's has n - 1, too
    assert found.grid == tuple(sorted(grid))
    assert found.mean == pytest.approx([mean[each] for each in sorted(grid)])
    assert found.standard_error == pytest.approx([error[each] for each in sorted(grid)])
    near = 1e-9  # the two ways of summing differ in the last bit
    assert mean[found.lambda_min] <= min(mean.values()) + near
    assert all(mean[each] > mean[found.lambda_min] - near for each in grid if each > found.lambda_min)
    assert found.lambda_1se >= found.lambda_min
    limit = mean[found.lambda_min] + error[found.lambda_min]
    assert mean[found.lambda_1se] <= limit + near
    assert all(mean[each] > limit - near for each in grid if each > found.lambda_1se)
    ends = {"smallest": min(grid), "largest": max(grid)}
    assert (found.edge != "") == (size > 1 and found.lambda_min in ends.values())
    assert not found.edge or ends[found.edge] == found.lambda_min


@pytest.mark.parametrize(
    ("errors", "lambda_min", "lambda_1se", "edge"),
    [
        ([[0.1, 0.3], [0.2, 0.2], [0.9, 0.9]], 2, 2, ""),  # ties go to the larger
        ([[0.10, 0.20], [0.19, 0.19], [0.9, 0.9]], 1, 2, "smallest"),  # 0.19 is within 0.15 + 0.05
        ([[0.5, 0.5], [0.3, 0.3], [0.1, 0.1]], 3, 3, "largest"),
        ([[0.1, 0.1], [0.1, 0.1], [0.1, 0.1]], 3, 3, "largest"),
        ([[0.1, 0.1], [0.3, 0.3], [0.1, 0.3]], 1, 1, "smallest"),  # not a smaller one, not one in between
    ],
)
def test_made_up_paths(errors, lambda_min, lambda_1se, edge):
    found = choose_strength([1, 2, 3], errors)
    assert (found.lambda_min, found.lambda_1se, found.edge) == (lambda_min, lambda_1se, edge)


SETTINGS = list(itertools.product((False, True), repeat=3))


def simulated(rng, seeds, effects=(0.0, 0.0, 0.0), together=0.0):
    """Accuracies in points: noise of the seed, noise of the run, and what the switches add."""

    def figure(setting):
        added = sum(each for each, on in zip(effects, setting, strict=True) if on)
        return added + together * (setting[0] and setting[1]) + rng.normal(0, 0.5)

    return [{each: base + figure(each) for each in SETTINGS} for base in rng.normal(90, 1, seeds)]


def test_an_effect_is_the_least_squares_one_and_its_interval_students():
    figures = simulated(np.random.default_rng(0), 5, (2.0, -1.0, 0.0), 0.8)
    main, pairs = factorial_effects(["a", "b", "c"], figures)
    signs = np.array([[1 if on else -1 for on in setting] for setting in SETTINGS])
    columns = [signs[:, i] for i in range(3)] + [
        signs[:, i] * signs[:, j] for i, j in ((0, 1), (0, 2), (1, 2))
    ]
    design = np.stack([np.ones(8), *columns], 1)
    fits = np.array([np.linalg.lstsq(design, [seed[s] for s in SETTINGS], rcond=None)[0] for seed in figures])
    for effect, values in zip([*main, *pairs], 2 * fits[:, 1:].T, strict=True):
        assert effect.mean == pytest.approx(values.mean())
        half = stats.t.ppf(1 - 0.05 / 6 / 2, 4) * stats.sem(values)
        assert (effect.low, effect.high) == pytest.approx((values.mean() - half, values.mean() + half))
    assert [each.names for each in pairs] == [("a", "b"), ("a", "c"), ("b", "c")]


def test_noise_alone_has_no_effect_and_two_points_are_found():
    """n = 5; of each kind 400 studies, drawn the same way every time."""
    rng = np.random.default_rng(3)
    wrong = sum(
        any(each.is_told for each in factorial_effects("abc", simulated(rng, 5))[0]) for _ in range(400)
    )
    assert wrong <= 0.05 * 400 + 2 * math.sqrt(400 * 0.05 * 0.95)  # two standard deviations above 5 %
    found = sum(
        factorial_effects("abc", simulated(rng, 5, (2.0, 0.0, 0.0)))[0][0].is_told for _ in range(100)
    )
    assert found >= 95


def test_one_at_a_time_is_paired_by_seed():
    rng = np.random.default_rng(2)
    without = rng.normal(90, 5, 6)  # seeds differ far more than the switch does
    with_it = [without + rng.normal(1.0, 0.1, 6), without + rng.normal(0.0, 0.1, 6)]
    helps, does_not = single_effects(["helps", "nothing"], with_it, without)
    assert helps.is_told and helps.needed is None and helps.mean == pytest.approx(1.0, abs=0.2)
    assert not does_not.is_told


@given(st.floats(0.05, 5), st.floats(0.05, 5))
def test_how_many_seeds_would_tell(effect, spread):
    needed = seeds_needed(effect, spread)
    half = [stats.t.ppf(0.975, n - 1) * spread / math.sqrt(n) for n in range(2, 1001)]
    first = next((n for n, each in enumerate(half, 2) if each < effect), None)
    assert needed == first


def test_the_plan_of_27():
    plan = rungs(27, 3, 1, 27)
    assert plan == (Rung(27, 1), Rung(9, 3), Rung(3, 9), Rung(1, 27))
    assert epochs_spent(plan) == 27 + 9 * 2 + 3 * 6 + 18 == 81


@given(st.integers(1, 300), st.integers(2, 5), st.integers(1, 5), st.integers(0, 60))
def test_a_plan_ends_at_the_full_budget_with_ever_fewer_settings(settings, eta, first, more):
    plan = rungs(settings, eta, first, first + more)
    assert plan[0].settings == settings and plan[-1].epochs == first + more
    for before, after in itertools.pairwise(plan):
        assert 1 <= after.settings <= max(1, before.settings // eta)
        assert before.epochs < after.epochs
    by_hand = sum(
        sum(1 for rung in plan if i < rung.settings and e <= rung.epochs) > 0
        for i in range(settings)
        for e in range(1, first + more + 1)
    )
    assert epochs_spent(plan) == by_hand


def test_the_best_go_on_and_equal_ones_in_their_order():
    assert promoted({"a": 0.5, "b": 0.9, "c": 0.9, "d": 0.1}, 3) == ["b", "c", "a"]


def test_hyperbands_brackets_are_the_papers():
    """Li et al. 2018, table 1: R = 81, η = 3."""
    found = brackets(81, 3)
    assert [[rung.settings for rung in bracket] for bracket in found] == [
        [81, 27, 9, 3, 1],
        [34, 11, 3, 1],
        [15, 5, 1],
        [8, 2],
        [5],
    ]
    assert [[rung.epochs for rung in bracket] for bracket in found] == [
        [1, 3, 9, 27, 81],
        [3, 9, 27, 81],
        [9, 27, 81],
        [27, 81],
        [81],
    ]
