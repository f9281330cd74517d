"""Equal jobs have equal digests, and no others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.run.digest import canonical, digest
from core.run.errors import SpecError
from core.run.spec import RunSpec

SPEC = RunSpec(name="a", seed=3, model={"arch": "mlp", "params": {"hidden": [16], "rate": 0.5}})


def test_it_is_64_hex_digits_and_stays_what_it_is():
    assert digest("train", RunSpec()) == digest("train", RunSpec())
    assert len(digest("train", SPEC)) == 64
    assert set(digest("train", SPEC)) <= set("0123456789abcdef")


def test_the_name_is_not_in_it():
    assert digest("train", SPEC) == digest("train", SPEC.model_copy(update={"name": "b"}))


@pytest.mark.parametrize(
    "changed",
    [
        digest("probe.cost", SPEC),
        digest("train", SPEC.model_copy(update={"seed": 4})),
        digest("train", SPEC, {"a": 1}),
        digest("train", SPEC, edits=[{"step": 1, "set": {"optimiser.lr": 0.1}}]),
        digest("train", SPEC, parents=["0" * 64]),
    ],
)
def test_all_else_is_in_it(changed):
    assert changed != digest("train", SPEC)


def test_order_matters_where_it_does():
    one, two = {"a": 1, "b": {"c": 2.0, "d": None}}, {"b": {"d": None, "c": 2}, "a": 1.0}
    assert digest("train", SPEC, one) == digest("train", SPEC, two)
    swapped = SPEC.model_copy(
        update={"model": SPEC.model.model_copy(update={"params": {"rate": 0.5, "hidden": [16]}})}
    )
    assert digest("train", swapped) == digest("train", SPEC)
    assert digest("train", SPEC, parents=["a", "b"]) != digest("train", SPEC, parents=["b", "a"])
    assert digest("train", SPEC, {"a": [1, 2]}) != digest("train", SPEC, {"a": [2, 1]})
    assert digest("train", SPEC, {"a": True}) != digest("train", SPEC, {"a": 1})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), {1, 2}, {1: 2}, object()])
def test_what_is_no_json_is_refused(value):
    for inputs in ({"a": value}, {"a": [{"b": value}]}):
        with pytest.raises(SpecError, match=r"A job's numbers must be finite|JSON values only|must be text"):
            digest("train", SPEC, inputs)


@given(st.dictionaries(st.text(), st.floats(allow_nan=False, allow_infinity=False) | st.integers()))
def test_no_two_numbers_are_written_alike(values):
    """What is written, read back, is equal: nothing is rounded."""
    import json

    assert json.loads(canonical(values)) == values
