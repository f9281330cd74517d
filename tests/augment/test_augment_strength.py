"""Every range and number follows the dial, and never leaves its bounds."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.augment.catalogue import OPERATIONS
from core.augment.check import completed_augment
from core.augment.pipeline import Pipeline
from core.augment.strength import scaled
from core.catalogue import Entry, Number, Range, completed_params
from core.run.spec import AugmentSpec, OpSpec


@st.composite
def entries(draw) -> tuple[Entry, dict]:
    """An entry with a range and a number, and values of theirs in bounds."""
    integer = draw(st.booleans())
    value = st.integers(-20, 20) if integer else st.floats(-20, 20)
    low, high = sorted((draw(value), draw(value)))
    between = st.integers(low, high) if integer else st.floats(low, high)
    neutral = draw(between)
    bounds = {"low": low, "high": high, "help": "", "integer": integer, "neutral": neutral}
    ends = sorted((draw(between), draw(between)))
    single = draw(between)
    entry = Entry(
        name="any",
        title="",
        help="",
        source="",
        parameters=(Range("range", (low, high), **bounds), Number("number", low, **bounds)),
    )
    return entry, {"range": ends, "number": single}


strengths = st.floats(0, 2)


@given(case=entries(), strength=strengths)
@settings(max_examples=200, deadline=None)
def test_bounds_and_order_hold(case, strength):
    entry, params = case
    result = scaled(entry, params, strength)
    completed_params(entry, result, "params")  # raises where a value is out of bounds, or low is above high
    exact = [p.neutral + strength * (params["number"] - p.neutral) for p in entry.parameters[1:]]
    limited = min(max(exact[0], entry.parameters[1].low), entry.parameters[1].high)
    assert abs(result["number"] - limited) <= (0.5 if entry.parameters[1].integer else 1e-9)


@given(case=entries(), first=strengths, second=strengths)
@settings(max_examples=200, deadline=None)
def test_more_is_further_from_neutral(case, first, second):
    entry, params = case
    neutral = entry.parameters[1].neutral
    less, more = (scaled(entry, params, strength)["number"] for strength in sorted((first, second)))
    assert abs(less - neutral) <= abs(more - neutral)
    assert (less - neutral) * (more - neutral) >= 0  # and on the same side


@given(case=entries())
@settings(max_examples=100, deadline=None)
def test_none_of_it_is_neutral_and_all_of_it_is_as_set(case):
    entry, params = case
    neutral = entry.parameters[1].neutral
    assert scaled(entry, params, 0) == {"range": [neutral, neutral], "number": neutral}
    assert scaled(entry, params, 1) == params


def test_half_and_double_in_numbers():
    entry = Entry(
        name="any",
        title="",
        help="",
        source="",
        parameters=(
            Range("degrees", (-10, 30), -45, 45, "", neutral=0),
            Range("factor", (0.8, 1.4), 0, 4, "", neutral=1),
            Number("bits", 3, 1, 8, "", integer=True, neutral=8),
            Number("amount", 0.3, 0, 1, ""),  # nothing says what its neutral value is
        ),
    )
    params = {"degrees": [-10.0, 30.0], "factor": [0.8, 1.4], "bits": 3, "amount": 0.3}
    assert scaled(entry, params, 0.5) == {
        "degrees": [-5, 15],
        "factor": [0.9, 1.2],
        "bits": 6,  # 5.5, rounded to even
        "amount": 0.3,
    }
    assert scaled(entry, params, 2) == {
        "degrees": [-20, 45],
        "factor": [pytest.approx(0.6), pytest.approx(1.8)],
        "bits": 1,
        "amount": 0.3,
    }


def test_a_pipeline_draws_within_the_scaled_ranges():
    """Uniform draws in a range scaled around 0 are the draws, scaled: the random numbers are the same."""
    images = torch.rand(8, 3, 9, 9)
    spec = completed_augment(
        AugmentSpec(ops=(OpSpec(op="RandomRotation", p=1.0), OpSpec(op="RandomSolarize"))), 3
    )
    drawn = {}
    for strength in (0.5, 1.0, 2.0):
        scaled_spec = spec.model_copy(update={"strength": strength})
        pipeline = Pipeline(scaled_spec, channels=3, side=9, seed=0)
        drawn[strength] = pipeline.draw(len(images), 0)
    neutral = next(p.neutral for p in OPERATIONS["RandomRotation"].parameters if p.name == "degrees")
    assert neutral == 0
    angles = {strength: draws.ops[0].params["degrees"] for strength, draws in drawn.items()}
    torch.testing.assert_close(angles[0.5], angles[1.0] / 2)
    torch.testing.assert_close(angles[2.0], angles[1.0] * 2)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("strength", [0.0, 0.3, 2.0])
def test_every_operation_runs_at_any_strength(strength, channels):
    images = torch.rand(3, channels, 11, 11, generator=torch.Generator().manual_seed(0))
    for name, entry in OPERATIONS.items():
        if entry.colour_only and channels == 1:
            continue
        spec = completed_augment(AugmentSpec(ops=(OpSpec(op=name),), strength=strength), channels)
        after = Pipeline(spec, channels=channels, side=11, seed=0)(images, 0)
        assert after.shape == images.shape and after.min() >= 0 and after.max() <= 1, name
