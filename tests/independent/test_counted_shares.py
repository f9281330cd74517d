"""Intervals of counted shares against SciPy's, published figures and simulation."""

import numpy as np
import pytest
from scipy.stats import binomtest

from core.measure.counted import difference, wilson


@pytest.mark.parametrize("of", [1, 2, 18, 500, 1000])
def test_the_score_interval_is_scipys(of):
    for count in {0, 1, of // 3, of - 1, of}:
        theirs = binomtest(count, of).proportion_ci(0.95, method="wilson")
        assert wilson(count, of) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_the_difference_is_the_one_in_newcombes_table():
    """Table II of the paper, column (a): 56 of 70 less 48 of 80; and (c): 9 of 10 less 3 of 10."""
    assert difference(56, 70, 48, 80) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert difference(9, 10, 3, 10) == pytest.approx((0.1705, 0.8090), abs=5e-5)


@pytest.mark.parametrize(("one", "other"), [(0.995, 0.93), (0.9, 0.88), (1.0, 0.97), (0.5, 0.5)])
def test_the_difference_holds_the_truth_in_nineteen_of_twenty(one, other):
    """Of 2,000 pairs of samples as large as those on a run's page."""
    rng = np.random.default_rng(0)
    counts, others = rng.binomial(500, one, 2000), rng.binomial(1000, other, 2000)
    ends = np.array(
        [difference(a, 500, b, 1000) for a, b in zip(counts.tolist(), others.tolist(), strict=True)]
    )
    covered = np.mean((ends[:, 0] <= one - other) & (one - other <= ends[:, 1]))
    assert 0.93 <= covered <= 0.97
