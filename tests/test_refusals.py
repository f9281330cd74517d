"""Refusals in the words of the form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalogues import completed
from core.run.errors import SpecError
from core.run.spec import parse
from core.text.refusals import in_words


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("train.batch_size", "Batch size"),
        ("data.train_images", "Training images"),
        ("optimiser.lr", "Learning rate"),
        ("augment.ops[1].params.degrees", "Augmentation, operation 2, degrees"),
        ("augment.mix.p", "Augmentation, mix, p"),
        ("regularisers[0].strength", "Regularisers, number 1, strength"),
        ("model.params.kernel_size", "Architecture, kernel size"),
        ("seed", "Seed"),
        ("--edits", "--edits"),
        ("AUGURY_SLOTS", "AUGURY_SLOTS"),
    ],
)
def test_places_are_named_as_the_form_names_them(where, said):
    assert in_words(SpecError(where, "it is wrong.")) == f"{said}: it is wrong."


def test_what_has_no_place_is_a_sentence_of_its_own():
    assert in_words(SpecError("", "too many wait.")) == "Too many wait."


@pytest.mark.parametrize(
    "spec",
    [
        {"model": {"params": {"hidden": 10**9}}},
        {"augment": {"ops": [{"op": "Nothing"}]}},
        {"regularisers": [{"kind": "l1", "strength": 99.0}, {"kind": "nothing"}]},
        {"train": {"batch_size": 1}, "augment": {"mix": {"op": "RandomMixUpV2"}}},
    ],
)
def test_no_path_of_ours_is_left_in_a_real_one(spec):
    with pytest.raises(SpecError) as found:
        completed(parse(spec))
    place = in_words(found.value).split(":")[0]
    assert "." not in place and "[" not in place and "_" not in place and place[0].isupper()


@given(st.text(max_size=60), st.text(min_size=1, max_size=60))
def test_any_place_and_sentence_can_be_said(where, what):
    assert in_words(SpecError(where, what)).lower().endswith(SpecError(where, what).what[1:].lower())
