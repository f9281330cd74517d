"""What can be changed while a run trains: every dial's path is one that an edit takes."""

import pytest

from core.catalogues import completed
from core.run.edits import apply, when
from core.run.spec import parse
from core.steerable import dial_at, dials
from core.text.edits import edit_in_words, when_in_words

SPEC = completed(
    parse(
        {
            "augment": {
                "ops": [{"op": "RandomAffine"}, {"op": "RandomErasing"}],
                "mix": {"op": "RandomMixUpV2"},
            },
            "regularisers": [
                {"kind": "l1", "strength": 1e-3},
                {"kind": "early_stopping"},
                {"kind": "clipping"},
                {"kind": "sam"},
            ],
        }
    )
)


DEGREES = "augment.ops.0.params.degrees"


@pytest.mark.parametrize("dial", dials(SPEC), ids=lambda dial: dial.path)
def test_a_dial_changes_its_field_and_no_other(dial):
    value = dial.parameter.default
    value = list(value) if isinstance(value, tuple) else value
    changed = completed(apply(SPEC, {"step": 0, "set": {dial.path: value}}))
    assert dial_at(changed, dial.path).value in (value, dial.parameter.default)
    others = [(one.path, one.value) for one in dials(changed) if one.path != dial.path]
    assert others == [(one.path, one.value) for one in dials(SPEC) if one.path != dial.path]
    assert dial.when == when(dial.path) != "needs a new run"


def test_the_issues_list_is_all_there():
    paths = {dial.path for dial in dials(SPEC)}
    assert paths >= {
        "optimiser.lr", "regularisers.0.strength", "model.params.dropout", "augment.strength",
        "augment.ops.0.params.degrees", "augment.ops.1.p", "augment.ops.0.enabled", "augment.mix.p",
        "train.batch_size", "train.epochs", "regularisers.1.params.patience",
        "regularisers.2.params.norm", "regularisers.3.strength",
    }  # fmt: skip
    assert not any(path.startswith(("data", "seed")) or path.endswith("solver") for path in paths)


def test_epochs_go_no_lower_than_the_one_under_way():
    (epochs,) = [dial for dial in dials(SPEC, 4) if dial.path == "train.epochs"]
    assert epochs.parameter.low == 4


def test_a_strength_that_was_released_has_no_dial_any_more():
    spec = completed(parse({"regularisers": [{"kind": "l1", "release_epochs": 3}]}))
    paths = [{dial.path for dial in dials(spec, epoch)} for epoch in (3, 4)]
    assert paths[0] - paths[1] == {"regularisers.0.strength"}


def test_an_edit_in_words():
    event = {
        "event": "edit", "step": 1320, "epoch": 2.5,
        "set": {"optimiser.lr": 3e-4, "regularisers.0.strength": 0.01, DEGREES: [-5, 5]},
        "was": {"optimiser.lr": 0.001, "regularisers.0.strength": 0.001, DEGREES: [-9, 9]},
    }  # fmt: skip
    assert edit_in_words(event, SPEC) == (
        "learning rate 0.001 → 0.0003, λ of L1 0.001 → 0.01, affine: degrees -9 to 9 → -5 to 5"
    )
    assert when_in_words(event) == "after step 1,320, epoch 2.50"
    gone = {"set": {"regularisers.7.strength": 1.0}, "was": {}, "step": 1}
    assert edit_in_words(gone, SPEC) == "Regularisers, number 8, strength None → 1"
