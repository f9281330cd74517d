"""Proximal operators against brute-force minimisation, and their properties."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.regularise.shrinkage import _threshold_together_, elastic_net_, soft_threshold_
from core.regularise.step_sizes import StepSizes

numbers = st.floats(-10, 10, width=32)
amounts = st.floats(0, 5, width=32)


def minimised(x: float, objective) -> float:
    """The grid point w that minimises ``(w - x)²/2 + objective(w)``; the grid's spacing is 1e-3."""
    grid = torch.arange(-4000, 4001, dtype=torch.float64) / 1000
    return float(grid[(0.5 * (grid - x) ** 2 + objective(grid)).argmin()])


def sized(*sizes: torch.Tensor) -> StepSizes:
    """Such step sizes, as an optimiser that keeps squares has them."""
    return StepSizes([size**-2 for size in sizes], 1.0, 0.0)


def soft_threshold(x: list[float], t: float | list[float]) -> list[float]:
    """By ``t``, or each by its own: under a metric, with the largest for λ."""
    w = torch.tensor(x)
    if isinstance(t, float):
        soft_threshold_([w], t)
    else:
        strength = max(t)
        sizes = torch.tensor(t) / strength if strength else torch.ones(len(t))
        elastic_net_([w], sized(sizes), strength, 1.0)
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
    if per_weight:  # λ·s is the same
        elastic_net_([w], sized(torch.full_like(w, 4 * s)), 0.25, l1_ratio)
    else:
        elastic_net_([w], s, 1.0, l1_ratio)
    assert w.tolist() == pytest.approx([minimised(x, penalty) for x in points], abs=1.1e-3)


def test_each_weight_has_its_own_threshold():
    assert soft_threshold([1.0, 1.0, -1.0], [0.25, 2.0, 0.5]) == [0.75, 0.0, -0.5]


def test_several_tensors_of_any_shape_and_memory_format():
    filters = torch.randn(4, 3, 5, 5).to(memory_format=torch.channels_last)
    matrix = torch.randn(7, 2)
    sizes = [torch.rand_like(filters), torch.rand_like(matrix)]
    expected = [w.sign() * (w.abs() - s).clamp(min=0) for w, s in zip((filters, matrix), sizes, strict=True)]
    elastic_net_([filters, matrix], sized(*sizes), 1.0, 1.0)
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


@settings(max_examples=100)
@given(numbers, st.floats(-6, 6).map(lambda decades: 10**decades), st.floats(1e-9, 10), st.floats(0, 1))
def test_a_metric_of_any_size_is_the_closed_form_to_the_last_digits(x, s, strength, a):
    w = torch.tensor([x])
    step = sized(torch.tensor([s], dtype=torch.float64))
    step.squares[0] = step.squares[0].float()
    s = float(step.squares[0]) ** -0.5
    elastic_net_([w], step, strength, a)
    expected = math.copysign(max(abs(x) - a * strength * s, 0.0), x) / (1 + (1 - a) * strength * s)
    coarse = 1e-36  # floats under that
    assert float(w) == pytest.approx(expected, rel=0, abs=4e-7 * abs(x) + coarse)


def test_on_a_device_the_numbers_are_the_same():
    """There the metric has tensors for numbers, and all weights are taken together."""
    draws = torch.Generator().manual_seed(0)
    x, squares = torch.randn(50, generator=draws), torch.rand(50, generator=draws)
    on_device = StepSizes([squares], torch.tensor(0.01), torch.tensor(1e-8))
    in_numbers = StepSizes([squares], 0.01, 1e-8)
    torch.testing.assert_close(on_device.sizes(squares, 3.0), in_numbers.sizes(squares, 3.0))
    for ratio in (1.0, 0.4):
        w, expected = x.clone(), x.clone()
        elastic_net_([w], on_device, 20.0, ratio)
        elastic_net_([expected], in_numbers, 20.0, ratio)
        torch.testing.assert_close(w, expected, rtol=1e-5, atol=1e-6)
        assert 0 < (w == 0).sum() < 50
    together, apart = x.clone(), x.clone()
    _threshold_together_([together], 0.3)
    soft_threshold_([apart], 0.3)
    assert torch.equal(together, apart)


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
    elastic_net_([w], s, 1.0, a)
    total = t + a * s
    expected = math.copysign(max(abs(x) - total, 0.0), x) / (1 + (1 - a) * s)
    assert float(w) == pytest.approx(expected, abs=1e-9)


def test_a_weight_that_is_no_number_stays_so():
    assert math.isnan(soft_threshold([math.nan], 0.1)[0])
    assert math.isnan(soft_threshold([math.nan], [0.1])[0])
