"""Edits as values: what they change, when, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalogues import completed
from core.models.dropout import DROPOUTS
from core.presets import preset
from core.run.edits import WHEN, apply, read_edits, values_at, when
from core.run.errors import SpecError
from core.run.spec import RunSpec, values_of

SPEC = completed(preset("all-three"))
STEEP = {"step": 7, "set": {"optimiser.lr": 0.25, "regularisers.0.strength": 0.5}}


def test_an_edit_gives_a_new_spec_and_leaves_the_old():
    before = SPEC.to_json()
    changed = apply(SPEC, STEEP)
    assert (changed.optimiser.lr, changed.regularisers[0].strength) == (0.25, 0.5)
    assert SPEC.to_json() == before
    back = apply(changed, {"step": 8, "set": values_at(SPEC, STEEP["set"])})
    assert back == SPEC


def test_a_range_of_an_operation_changes():
    path = "augment.ops.0.params.degrees"
    changed = apply(SPEC, {"step": 0, "set": {path: [-40, 40]}})
    assert values_at(changed, [path]) == {path: [-40, 40]}
    assert completed(changed).augment.ops[1:] == SPEC.augment.ops[1:]


@pytest.mark.parametrize(
    ("path", "time"),
    [
        ("optimiser.lr", "now"),
        ("regularisers.7.strength", "now"),
        ("augment.ops.12.params.degrees", "now"),
        ("augment.ops.0.stream", "needs a new run"),
        ("regularisers.0.params.patience", "next epoch"),
        ("regularisers.0.params.strength", "needs a new run"),
        ("regularisers.0.deep.strength", "needs a new run"),
        ("model.arch", "needs a new run"),
        ("train.epochs", "now"),
        ("train.batch_size", "next epoch"),
        ("train.device", "needs a new run"),
        ("seed", "needs a new run"),
        ("*", "needs a new run"),
        ("", "needs a new run"),
    ],
)
def test_when_a_change_takes_effect(path, time):
    assert when(path) == time


def test_every_kind_of_dropout_may_change_while_a_run_trains():
    for name in DROPOUTS:
        assert when(f"model.params.{name}") == "now"


def test_every_pattern_is_of_a_field_that_exists():
    whole = completed(
        RunSpec.model_validate(
            {
                "augment": {"ops": [{"op": "RandomAffine"}], "mix": {"op": "RandomMixUpV2"}},
                "regularisers": [{"kind": "early_stopping"}],
            }
        )
    )
    fields = set()

    def walk(value, path):
        fields.add(path)
        if isinstance(value, dict):
            for key, item in value.items():
                walk(item, (*path, key))
        elif isinstance(value, list):
            for i, item in enumerate(value):
                walk(item, (*path, str(i)))

    walk(values_of(whole), ())
    fields |= {("model", "params", name) for name in DROPOUTS}
    for pattern in WHEN:
        assert any(when(".".join(path)) == WHEN[pattern] for path in fields if len(path) > 1), pattern


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        ({"model.arch": "mlp"}, "needs_new_run", r"^model\.arch: it can't change while a run trains"),
        ({"optimiser.speed": 1}, "needs_new_run", "optimiser.speed"),
        ({"regularisers.9.strength": 1}, "unknown_field", "there is no such field; '9' was not found"),
        ({"optimiser.lr": 11.0}, "too_large", "above the largest allowed, 10"),
        ({"optimiser.lr": "fast"}, "wrong_type", "'fast' is not a number"),
    ],
)
def test_what_cannot_change_is_refused(change, code, says):
    with pytest.raises(SpecError, match=says) as refused:
        apply(SPEC, {"step": 0, "set": change})
    assert refused.value.code == code


def test_edits_are_read_in_the_order_of_their_steps():
    later, earlier = {"step": 9, "set": {"optimiser.lr": 1.0}}, {"step": 2, "set": {"augment.strength": 0.5}}
    assert read_edits([later, earlier]) == [earlier, later]
    assert read_edits('[{"event": "edit", "step": 9, "set": {"optimiser.lr": 1.0}, "was": {}}]') == [later]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text() | st.sampled_from(["step", "set"]), x),
    )
    | st.text()
)
def test_anything_at_all_is_edits_or_one_refusal(value):
    try:
        read_edits(value)
    except SpecError as refusal:
        assert "\n" not in str(refusal)


@pytest.mark.parametrize("text", ["[" * 200_000, "[" * 3000])
def test_deep_nesting_is_no_list_of_edits(text):
    with pytest.raises(SpecError, match="not valid JSON"):
        read_edits(text)


def test_a_place_in_a_list_has_few_digits():
    with pytest.raises(SpecError, match="no such field"):
        apply(RunSpec(), {"step": 1, "set": {f"augment.ops.{'9' * 5000}.p": 1.0}})
