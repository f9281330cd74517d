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


def test_l2_stands_in_l1s_place_and_all_else_is_alike():
    l1, l2 = preset("l1-sparse"), preset("l2-small")
    assert l2.model_copy(update={"name": l1.name, "regularisers": l1.regularisers}) == l1
    ((of_l1,), (of_l2,)) = l1.regularisers, l2.regularisers
    assert (of_l1.strength, of_l1.warmup_epochs) == (of_l2.strength, of_l2.warmup_epochs)


def test_three_hundred_digits_are_learned_by_heart():
    found = last_epoch(preset("by-heart"))
    assert found["clean_accuracy"] == 1.0 and found["clean_images"] == 300
    assert found["clean_accuracy"] - found["validation_accuracy"] > 0.03
