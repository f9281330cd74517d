import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.run.errors import SpecError
from core.run.spec import AugmentSpec, OpSpec, RunSpec, parse, with_setting


def test_a_spec_survives_json():
    spec = RunSpec(
        name="a", augment=AugmentSpec(ops=(OpSpec(op="RandomAffine", params={"degrees": [-9, 9]}),))
    )
    assert parse(spec.to_json()) == spec


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"train": {"epochs": 5000}}, "train.epochs: 5000 is above the largest allowed, 1000."),
        ({"train": {"batch_size": 0}}, "train.batch_size: 0 is below the smallest allowed, 1."),
        ({"train": {"epochs": 1.5}}, "train.epochs: 1.5 is not a whole number."),
        (
            {"train": {"device": "tpu"}},
            "train.device: 'tpu' is not allowed; it may be 'auto', 'cpu' or 'cuda'.",
        ),
        ({"data": {"side": 257}}, "data.side: 257 is above the largest allowed, 256."),
        ({"optimiser": {"lr": 0}}, "optimiser.lr: 0 is not above 0.0."),
        ({"nmae": 1}, "nmae: there is no such field; remove it, or check its spelling."),
        ({"version": 2}, "version: 2 is not allowed; it may be 1."),
        ({"seed": True}, "seed: True is not a whole number."),
        ({"regularisers": [{"strength": 1}]}, "regularisers[0].kind: this field is needed."),
        (
            {"augment": {"ops": [{"op": "A", "stream": 1}, {"op": "A", "stream": 1}]}},
            "two operations of one kind have the same stream",
        ),
        (
            {"augment": {"ops": [{"op": "A", "params": {"degrees": {}}}]}},
            "augment.ops[0].params.degrees",
        ),
    ],
)
def test_every_refusal_is_one_clear_line(change, says):
    with pytest.raises(SpecError) as refusal:
        parse(change)
    assert says in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"seed": NaN}', '{"optimiser": {"lr": Infinity}}'])
def test_what_is_no_spec_is_refused(text):
    with pytest.raises(SpecError):
        parse(text)


def test_a_huge_text_is_refused_before_it_is_read():
    with pytest.raises(SpecError, match="at most 65,536"):
        parse(json.dumps({"name": "a" * 70_000}))


def test_operations_of_one_kind_get_streams_of_their_own():
    ops = parse(
        {"augment": {"ops": [{"op": "A"}, {"op": "A", "stream": 0}, {"op": "B"}, {"op": "A"}]}}
    ).augment.ops
    assert [op.stream for op in ops] == [1, 0, 0, 2]


def test_settings_change_one_field():
    spec = with_setting(RunSpec(), "train.epochs=3")
    assert spec.train.epochs == 3
    assert with_setting(spec, "model.arch=rnn").model.arch == "rnn"
    assert with_setting(spec, "model.params.hidden=64").model.params == {"hidden": 64}


def test_settings_that_need_each_other_are_checked_together():
    for order in (("data.folds=5", "data.fold=2"), ("data.fold=2", "data.folds=5")):
        assert with_setting(RunSpec(), *order).data.model_dump()["fold"] == 2
    given = with_setting(RunSpec(), 'regularisers=[{"kind": "l1"}]', "regularisers.0.params.a=1")
    assert given.regularisers[0].params == {"a": 1}
    with pytest.raises(SpecError, match="say which"):
        with_setting(RunSpec(), "train.epochs=3", "data.folds=5")


@pytest.mark.parametrize(
    "setting", ["train.epochs", "train.epoch=3", "a.b=1", "seed.x=1", "augment.ops.0.p=1"]
)
def test_a_setting_that_fits_nothing_is_refused(setting):
    with pytest.raises(SpecError):
        with_setting(RunSpec(), setting)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["version", "name", "data", "augment", "ops", "op", "train", "epochs", "params", "p"]
                )
                | st.text(max_size=5),
                inner,
                max_size=4,
            )
        ),
        max_leaves=20,
    )
)
def test_anything_at_all_is_a_spec_or_one_refusal(value):
    try:
        spec = parse(json.dumps(value))
    except SpecError as refusal:
        assert "\n" not in str(refusal)
    else:
        assert parse(spec.to_json()) == spec
