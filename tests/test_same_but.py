"""The same run but for one thing."""

from __future__ import annotations

import pytest

from core.catalogues import completed
from core.presets import PRESETS
from core.run.changes import settings
from core.run.spec import parse
from core.text.same_but import same_but


@pytest.mark.parametrize("name", list(PRESETS))
def test_each_differs_in_one_part_and_all_have_one_exam(name):
    spec = completed(PRESETS[name].spec)
    found = same_but(spec)
    assert {each.part for each in found} >= {
        "Chance",
        "Augmentation",
        "Regularisation",
        "Network",
        "Training",
    }
    words = [each.words for each in found]
    assert len(set(words)) == len(words)
    before = settings(spec)
    for each in found:
        after = settings(each.spec)
        parts = {
            path.split(".")[0] for path in before.keys() | after.keys() if before.get(path) != after.get(path)
        }
        assert len(parts - {"data"}) == (each.part != "Chance"), (each.words, parts)
        assert each.spec.split_seed == spec.split_seed
        assert (each.spec.seed != spec.seed) == (each.part == "Chance")
        assert each.spec.name == ""


def test_what_a_run_has_is_taken_away_and_what_it_lacks_is_offered():
    all_three = [each.words for each in same_but(completed(PRESETS["all-three"].spec))]
    assert {"without augmentation", "without L1 (lasso)", "without dropout"} <= set(all_three)
    baseline = {each.words: each.spec for each in same_but(completed(PRESETS["baseline"].spec))}
    assert [each.kind for each in baseline["with L1 (lasso)"].regularisers] == ["l1"]
    halved = next(spec for words, spec in baseline.items() if words.startswith("half the learning rate"))
    assert halved.optimiser.lr == completed(PRESETS["baseline"].spec).optimiser.lr / 2


def test_what_is_not_the_change_stays():
    """A mix, a strength, dropout; and another seed is one for all that is drawn."""
    changes = {
        "augment": {"mix": {"op": "RandomMixUpV2"}, "strength": 0.5},
        "model": {"params": {"dropout": 0.3}},
        "seeds": {"order": 5, "weights": 6, "augment": 7, "dropout": 8},
    }
    spec = completed(parse(changes))
    found = {each.words: each.spec for each in same_but(spec)}
    augmented = found["shifted, turned, partly erased"].augment
    assert augmented.mix == spec.augment.mix and augmented.strength == 0.5 and augmented.ops
    assert found["recurrent network"].model.params["dropout"] == 0.3
    another = found["another seed, 1"]
    assert {another.seed_of(purpose) for purpose in ("order", "weights", "augment", "dropout")} == {1}
    assert another.split_seed == spec.split_seed


def test_what_these_images_do_not_allow_is_left_out():
    """A flip's arrows are grey: nothing that needs colour is there, and every spec is complete."""
    for each in same_but(completed(PRESETS["flips-lie"].spec)):
        assert completed(each.spec) == each.spec
