"""Proximal operators against brute-force minimisation, and their properties."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.regularise import elastic_net_, soft_threshold_

numbers = st.floats(-10, 10, width=32)
amounts = st.floats(0, 5, width=32)


def minimised(x: float, objective) -> float:
    """The grid point w that minimises ``(w - x)²/2 + objective(w)``; the grid's spacing is 1e-3."""
    grid = torch.arange(-4000, 4001, dtype=torch.float64) / 1000
    return float(grid[(0.5 * (grid - x) ** 2 + objective(grid)).argmin()])


def soft_threshold(x: list[float], t: float | list[float]) -> list[float]:
    w = torch.tensor(x)
    soft_threshold_([w], t if isinstance(t, float) else [torch.tensor(t)])
    return w.tolist()


@pytest.mark.parametrize("per_weight", [False, True])
@pytest.mark.parametrize("t", [0.0, 0.1, 0.5, 2.0])
def test_soft_threshold_minimises_its_objective(t, per_weight):
    points = [-3.0, -0.51, -0.5, -0.25, 0.0, 0.05, 0.5, 0.7, 1.9, 3.0]
    expected = [minimised(x, lambda w: t * w.abs()) for x in points]
    thresholds = [t] * len(points) if per_weight else t
    assert soft_threshold(points, thresholds) == pytest.approx(expected, abs=1.1e-3)


@pytest.mark.parametrize("per_weight", [False, True])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("s", [0.1, 1.5])
def test_elastic_net_minimises_its_objective(s, l1_ratio, per_weight):
    points = [-3.0, -0.5, -0.02, 0.0, 0.3, 0.45, 2.5]

    def penalty(w):
        return s * (l1_ratio * w.abs() + (1 - l1_ratio) / 2 * w**2)

    w = torch.tensor(points)
    elastic_net_([w], [torch.full_like(w, s)] if per_weight else s, l1_ratio)
    assert w.tolist() == pytest.approx([minimised(x, penalty) for x in points], abs=1.1e-3)


def test_each_weight_has_its_own_threshold():
    assert soft_threshold([1.0, 1.0, -1.0], [0.25, 2.0, 0.5]) == [0.75, 0.0, -0.5]


def test_several_tensors_of_any_shape_and_memory_format():
    filters = torch.randn(4, 3, 5, 5).to(memory_format=torch.channels_last)
    matrix = torch.randn(7, 2)
    thresholds = [torch.rand_like(filters), torch.rand_like(matrix)]
    expected = [
        w.sign() * (w.abs() - t).clamp(min=0) for w, t in zip((filters, matrix), thresholds, strict=True)
    ]
    soft_threshold_([filters, matrix], thresholds)
    torch.testing.assert_close([filters, matrix], expected)


@settings(max_examples=100)
@given(st.lists(numbers, min_size=1, max_size=20), amounts, st.booleans())
def test_soft_threshold_shrinks_keeps_signs_and_never_overshoots(x, t, per_weight):
    shrunk = soft_threshold(x, [t] * len(x) if per_weight else t)
    for before, after in zip(x, shrunk, strict=True):
        assert after == 0 or math.copysign(1, after) == math.copysign(1, before)
        assert abs(after) <= abs(before)
        assert abs(before) - abs(after) <= t + 1e-6  # a float32 near 10 is that coarse
        assert (after == 0) == (abs(before) <= t)
        assert math.copysign(1, after) == 1 or after != 0  # never -0.0
    zeros = [w for w in shrunk if w == 0]
    assert soft_threshold(zeros or [0.0], t) == (zeros or [0.0])


@settings(max_examples=50)
@given(numbers, amounts, amounts)
def test_thresholds_of_consecutive_steps_add(x, first, second):
    once = soft_threshold([x], first + second)
    assert soft_threshold(soft_threshold([x], first), second) == pytest.approx(once, abs=1e-5)


@settings(max_examples=50)
@given(numbers, amounts, amounts, st.floats(0, 1))
def test_l1_then_elastic_net_is_the_step_of_their_sum(x, t, s, a):
    w = torch.tensor([x], dtype=torch.float64)
    soft_threshold_([w], t)
    elastic_net_([w], s, a)
    total = t + a * s
    expected = math.copysign(max(abs(x) - total, 0.0), x) / (1 + (1 - a) * s)
    assert float(w) == pytest.approx(expected, abs=1e-9)


def test_a_weight_that_is_no_number_stays_so():
    assert math.isnan(soft_threshold([math.nan], 0.1)[0])
    assert math.isnan(soft_threshold([math.nan], [0.1])[0])
