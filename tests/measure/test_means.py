"""Means of a few runs, their differences and spreads, against SciPy."""

import math

import numpy as np
import pytest
from scipy import special, stats

from core.measure.band import middle
from core.measure.beta import below_f, incomplete_beta, t_quantile, within_t
from core.measure.mean import paired_difference, same_spread, welch_difference
from core.measure.paired import chance

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("a", [0.5, 1.0, 2.5, 40.0])
@pytest.mark.parametrize("b", [0.5, 1.0, 3.7, 200.0])
def test_the_incomplete_beta_function(a, b):
    for x in (0.0, 1e-9, 0.01, 0.3, 0.5, 0.9, 1 - 1e-9, 1.0):
        assert incomplete_beta(a, b, x) == pytest.approx(special.betainc(a, b, x), rel=1e-11, abs=1e-15)


@pytest.mark.parametrize("freedom", [1, 1.3, 2, 4.71, 9, 250])
def test_students_distribution_with_any_degrees_of_freedom(freedom):
    assert t_quantile(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-10)
    for sure in (0.5, 0.99, 0.9999):
        expected = stats.t.ppf((1 + sure) / 2, freedom)
        assert t_quantile(freedom, sure) == pytest.approx(expected, rel=1e-9)
    assert within_t(1.5, freedom) == pytest.approx(1 - 2 * stats.t.sf(1.5, freedom), rel=1e-11)


@pytest.mark.parametrize(("ratio", "freedom", "other"), [(0.2, 4, 4), (1.0, 2, 9), (7.5, 1, 3), (9.6, 4, 4)])
def test_fishers_distribution(ratio, freedom, other):
    assert below_f(ratio, freedom, other) == pytest.approx(stats.f.cdf(ratio, freedom, other), rel=1e-11)


@pytest.mark.parametrize(("count", "other"), [(2, 2), (3, 5), (5, 5), (10, 2)])
def test_a_difference_of_two_means_has_welchs_interval(count, other):
    ours, theirs = RNG.normal(0.9, 0.02, count), RNG.normal(0.88, 0.005, other)
    found = welch_difference(list(ours), list(theirs))
    test = stats.ttest_ind(ours, theirs, equal_var=False)
    interval = test.confidence_interval(0.95)
    assert found[:3] == pytest.approx((ours.mean() - theirs.mean(), interval.low, interval.high), abs=1e-12)
    assert found.is_beyond_noise == (test.pvalue < 0.05) and found.pairs == 0


@pytest.mark.parametrize("count", [2, 3, 10])
def test_a_difference_of_pairs_has_students_interval(count):
    ours = RNG.normal(0.9, 0.02, count)
    theirs = ours - RNG.normal(0.01, 0.001, count)
    found = paired_difference(list(ours), list(theirs))
    interval = stats.ttest_rel(ours, theirs).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=1e-12)
    assert found.pairs == count and found.difference == pytest.approx((ours - theirs).mean())


def test_pairs_see_what_two_means_do_not():
    ours = [0.90, 0.80, 0.70]
    theirs = [0.89, 0.788, 0.691]
    assert paired_difference(ours, theirs).is_beyond_noise
    assert not welch_difference(ours, theirs).is_beyond_noise


def test_values_that_do_not_vary_say_nothing_of_chance():
    assert 0.9 - 0.7 != 0.5 - 0.3  # binary fractions: pairs that are as far apart look as if they were not
    for found in (paired_difference([0.9, 0.5], [0.7, 0.3]), welch_difference([0.9, 0.9], [0.7, 0.7])):
        assert not found.is_known and not found.is_beyond_noise and math.isinf(found.high)
        assert found.difference == pytest.approx(0.2)
    assert same_spread([0.5, 0.5], [0.1, 0.2]) is None


def test_two_spreads_are_compared_by_the_f_test():
    ours, theirs = RNG.normal(0, 1, 5), RNG.normal(0, 9, 7)
    ratio = ours.var(ddof=1) / theirs.var(ddof=1)
    expected = 2 * min(stats.f.cdf(ratio, 4, 6), stats.f.sf(ratio, 4, 6))
    assert same_spread(list(ours), list(theirs)) == pytest.approx(expected)
    assert same_spread(list(theirs), list(ours)) == pytest.approx(expected)


@pytest.mark.parametrize(("lost", "won"), [(0, 0), (0, 1), (3, 3), (2, 9), (31, 12), (400, 451)])
def test_the_chance_of_so_uneven_a_difference_is_the_exact_binomial_one(lost, won):
    expected = stats.binomtest(lost, lost + won).pvalue if lost + won else 1.0
    assert chance(lost, won) == chance(won, lost) == pytest.approx(expected, rel=1e-12)


def test_it_is_no_trouble_with_as_many_images_as_are_compared():
    assert chance(10_000, 10_000) == 1.0 and 0 < chance(9_700, 10_300) < 1e-4


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
def test_the_middle_half_is_numpys(count):
    values = RNG.random(count)
    assert middle(list(values)) == (*map(pytest.approx, np.quantile(values, [0.25, 0.5, 0.75])), count)
