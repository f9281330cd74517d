"""What is said of repeats: with its n, and never more than the numbers carry."""

import math

import pytest
from scipy import stats

from core.measure.mean import paired_difference, welch_difference
from core.text.repeats import (
    exam_alone,
    group_beside,
    lowest_and_highest,
    mean_and_spread,
    mean_in_words,
    uneven,
    which_moves_more,
)

SHARES = [0.90, 0.92, 0.94]


def test_a_mean_says_its_spread_and_its_n():
    assert (
        mean_and_spread(SHARES) == "92.00 ± 2.00 % (n = 3)" and lowest_and_highest(SHARES) == "90.00 to 94.00"
    )
    assert mean_and_spread(SHARES[:1]) == "90.00 % (n = 1)"
    low, high = stats.t.interval(0.95, 2, 92, 2 / math.sqrt(3))
    assert mean_in_words(SHARES) == f"{low:.2f} to {high:.2f}"
    assert mean_in_words(SHARES[:1]) == mean_in_words([0.9, 0.9]) == ""
    assert mean_in_words([0.999, 0.95, 0.9]).endswith("to 100.00")  # no share is above


def test_an_exam_alone_moves_a_share_as_the_binomial_distribution_says():
    assert exam_alone(0.9, 400) == pytest.approx(stats.binom(400, 0.9).std() / 400)


CALM, WILD = [0.900, 0.901, 0.899, 0.900, 0.9005], [0.95, 0.80, 0.90, 0.85, 0.99]


def test_what_moves_more_is_named_only_if_it_is_more_than_chance():
    said = which_moves_more({"all": SHARES, "weights": CALM, "split": WILD})
    assert said.startswith(
        "The split moves it more than the initialisation does (F test of their variances, p = "
    )
    assert "n = 5 and 5" in said
    unsure = which_moves_more({"order": CALM, "weights": [0.900, 0.902, 0.898]})
    assert "can't be told with n = 3 and 5" in unsure and "p = " in unsure
    assert "can't be told" in which_moves_more({"order": CALM, "weights": [0.9, 0.9]})
    assert which_moves_more({"all": WILD, "order": CALM}) == which_moves_more({"order": CALM}) == ""


def test_the_most_and_the_least_of_three_are_picked_so_that_they_need_more():
    one, other = [0.90, 0.91, 0.92, 0.93], [0.82, 0.96, 0.88, 0.95]
    p = stats.f.sf(stats.tvar(other) / stats.tvar(one), 3, 3) * 2
    assert 0.05 / 3 < p < 0.05
    two = {"order": one, "split": other}
    assert "moves it more" in which_moves_more(two)
    assert "can't be told" in which_moves_more(two | {"weights": [0.90, 0.92, 0.94, 0.96]})


def test_two_groups_differ_or_it_can_not_be_told():
    clear = paired_difference([0.95, 0.94, 0.96], [0.90, 0.892, 0.911])
    said, how = group_beside(clear, "A", "B", 3, 3)
    assert said.startswith("“A” is on average 4.90 points above “B” (95 %: ") and "n = 3" in said
    assert said.endswith("more than the noise of seeds.") and "Paired by seed: 3 times" in how
    unclear = welch_difference(SHARES, [0.93, 0.95])
    said, how = group_beside(unclear, "A", "B", 3, 2)
    assert "2.00 points below" in said and "can't be told with n = 3 and 2" in said and "Welch" in how
    assert "−" in said and "-" not in said
    still = welch_difference([0.9, 0.9], [0.8, 0.8])
    assert "do not vary" in group_beside(still, "A", "B", 2, 2)[0]
    assert "the same as" in group_beside(welch_difference(SHARES, SHARES), "A", "B", 3, 3)[0]


def test_an_uneven_difference_is_a_surprise_or_not():
    assert "very same images" in uneven(0, 0, 1.0, False)
    assert "8 images" in uneven(3, 5, 0.73, False) and "73.0 % of all tries: no surprise" in uneven(
        3, 5, 0.73, False
    )
    assert "fewer than 0.01 % of all tries: more than chance" in uneven(3, 25, 2.7e-5, True)
    assert "0.39 %" in uneven(3, 15, 0.0039, True)


@pytest.mark.parametrize(("p", "beyond"), [(0.0501, True), (0.049, False)])
def test_where_test_and_interval_disagree_neither_is_claimed(p, beyond):
    said = uneven(22, 10, p, beyond)
    assert "on the border" in said and "no surprise" not in said and "more than" not in said
