"""A refusal carries a code and values beside its sentence, so that it can be said in another language."""

import pytest

from core.catalogues import completed
from core.run.errors import SpecError
from core.run.spec import parse, with_setting


@pytest.mark.parametrize(
    ("spec", "where", "code", "values"),
    [
        ({"train": {"epochs": 0}}, "train.epochs", "too_small", {"value": "0", "ge": 1}),
        ({"train": {"epochs": 2000}}, "train.epochs", "too_large", {"value": "2000", "le": 1000}),
        ({"optimiser": {"lr": 0}}, "optimiser.lr", "too_small", {"gt": 0}),
        ({"train": {"epochs": "many"}}, "train.epochs", "wrong_type", {"expected": "a whole number"}),
        ({"train": {"device": "tpu"}}, "train.device", "not_a_choice", {"value": "'tpu'"}),
        ({"name": "x" * 81}, "name", "too_long", {"max_length": 80}),
        ({"trian": {}}, "trian", "unknown_field", {}),
        ({"regularisers": [{}]}, "regularisers[0].kind", "missing", {}),
        ({"model": {"arch": "cmn"}}, "model.arch", "unknown_name", {"noun": "architecture", "name": "cmn"}),
        (
            {"model": {"params": {"hidden": 10**6}}},
            "model.params.hidden",
            "too_large",
            {"value": 10**6},
        ),
        ({"model": {"params": {"dropout": "no"}}}, "model.params.dropout", "wrong_type", {"value": "'no'"}),
        ({"model": {"params": {"depth": 3}}}, "model.params.depth", "unknown_field", {"name": "depth"}),
        (
            {"model": {"params": {"channels": [8] * 9}}},
            "model.params.channels",
            "wrong_length",
            {"length": 9, "low": 1},
        ),
    ],
)
def test_a_refusal_has_a_code_and_values(spec, where, code, values):
    with pytest.raises(SpecError) as refused:
        completed(parse(spec))
    assert (refused.value.where, refused.value.code) == (where, code)
    assert values.items() <= refused.value.values.items()


def test_so_has_a_field_that_does_not_exist_and_text_that_is_no_json():
    with pytest.raises(SpecError, match="'speed' was not found") as refused:
        with_setting(parse({}), "optimiser.speed.most=3")
    assert (refused.value.code, refused.value.values) == ("unknown_field", {"name": "speed"})
    with pytest.raises(SpecError) as refused:
        parse("{")
    assert refused.value.code == "not_json" and refused.value.where == ""


def test_a_refusal_that_stands_alone_has_none():
    assert (SpecError("a", "b").code, SpecError("a", "b").values) == ("", {})
