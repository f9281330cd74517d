"""What the presets promise, trained for real: those that take seconds. The others are benchmarks."""

from core.catalogues import completed
from core.presets import PRESETS, preset
from core.train.loop import run


def last_epoch(spec):
    return next(event for event in run(completed(spec)) if event["event"] == "finished")["last"]


def test_every_preset_says_what_to_watch_and_can_be_run():
    for name, each in PRESETS.items():
        assert each.name == name and each.title and each.watch.endswith(".")
        assert completed(each.spec).name == each.spec.name


def test_lenet_stays_as_good_with_one_weight_in_twenty():
    sparse = preset("mlp-sparse")
    found = last_epoch(sparse)
    plain = last_epoch(sparse.model_copy(update={"regularisers": ()}))
    assert found["sparsity"]["exact"] >= 0.95 and plain["sparsity"]["exact"] == 0
    assert found["validation_accuracy"] >= plain["validation_accuracy"] - 0.015


def test_presets_that_are_compared_differ_in_one_thing():
    heart, augmented = preset("by-heart"), preset("by-heart-augmented")
    same = {"augment": heart.augment, "name": heart.name}
    assert augmented.model_copy(update=same) == heart and augmented.augment != heart.augment


def test_three_hundred_digits_are_learned_by_heart():
    found = last_epoch(preset("by-heart"))
    assert found["clean_accuracy"] == 1.0 and found["clean_images"] == 300
    assert found["clean_accuracy"] - found["validation_accuracy"] > 0.03
