"""The figures that stand for a run, in words: with their n, their interval and their reason."""

import pytest

from core.catalogues import completed
from core.presets import preset
from core.run.spec import RegulariserSpec, RunSpec, TrainSpec
from core.text.advice import in_time, kept_too_early, unreached
from core.text.run_figures import figures, harder_while_learning, resumed_in_words
from core.text.shares import counted, gap, in_full
from tests.made_up_run import STARTED, epoch_event


def test_a_share_says_what_it_is_of():
    assert counted(16 / 18, 18) == "16 of 18; 67–97 %"
    assert counted(0.998, 10_000) == "9,980 of 10,000; 99.7–99.9 %"


def test_a_percentage_stands_beside_what_it_is_of():
    assert in_full(16 / 18, 18) == "88.9 % (16 of 18; 67–97)"
    assert in_full(0.9998, 10_000) == "100.0 % (9,998 of 10,000; 99.9–100.0)"
    assert "not kept" in in_full(0.5, None) and "not kept" in in_full(0.5, 0)


def test_a_gap_says_how_sure_it_is():
    assert gap(1.0, 300, 0.93, 1000) == ("+7.0", "5.1 to 8.8")
    assert gap(0.5, 10, 0.6, 10)[0] == "−10.0"


def shown(epoch, started=STARTED):
    return {each.label: (each.value, each.sure) for each in figures(epoch, started)}


def test_before_the_first_epoch_all_is_empty():
    assert {each for pair in shown(None, None).values() for each in pair} == {""}
    assert {value for value, _ in shown(None).values()} == {""}


def test_the_figures_of_an_epoch():
    images = STARTED["validation_images"]
    event = epoch_event(3) | {"clean_accuracy": 1.0, "clean_images": 40, "clean_loss": 0.1}
    found = shown(event)
    assert found["Validation accuracy"] == ("75.0 %", counted(0.75, images))
    assert found["Clean train"] == ("100.0 %", "40 of 40; 91–100 %")
    assert found["Gap"] == ("+25.0", f"points; {gap(1.0, 40, 0.75, images)[1]}")


def test_a_run_of_an_older_version_has_no_gap():
    found = shown(epoch_event(3, old=True))
    assert found["Clean train"] == found["Gap"] == ("", "") and found["Validation accuracy"][0] == "75.0 %"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("augmented", "on augmented images and with dropout"),
        ("baseline", "with dropout"),
        ("by-heart", ""),
    ],
)
def test_why_the_dotted_line_lies_below(name, said):
    event = epoch_event(3) | {"clean_accuracy": 0.9, "train_accuracy": 0.8}
    found = harder_while_learning(event, completed(preset(name)))
    assert said in found and bool(said) == bool(found)
    assert not harder_while_learning(event | {"train_accuracy": 0.95}, completed(preset(name)))


def risen(**changes):
    l1 = RegulariserSpec(kind="l1", strength=0.01, **changes)
    return completed(RunSpec(regularisers=(l1, RegulariserSpec(kind="l2")), train=TrainSpec(epochs=5)))


def test_a_strength_that_will_not_arrive_is_said():
    ((index, what),) = unreached(risen(schedule="linear", warmup_epochs=12))
    assert index == 0 and "rises over 12 epochs, and the run has 5: it will end at 0.0042 of 0.01" in what
    ((_, what),) = unreached(risen(schedule="step", warmup_epochs=12))
    assert "it will do nothing" in what


def test_one_that_arrives_is_not():
    assert unreached(risen(schedule="linear", warmup_epochs=5)) == unreached(risen()) == []
    assert [in_time(epochs) for epochs in (1, 5, 30)] == [1, 3, 20]


def test_a_best_epoch_that_may_be_too_early_is_said():
    def said(*regularisers):
        return kept_too_early(completed(RunSpec(regularisers=regularisers)))

    stopping = RegulariserSpec(kind="early_stopping")
    rising = RegulariserSpec(kind="pruning", warmup_epochs=5, schedule="cubic")
    assert "before Magnitude pruning is done" in said(stopping, rising)
    assert "before L1 (lasso) is done" in said(RegulariserSpec(kind="l1", release_epochs=5), stopping)
    assert said(stopping, RegulariserSpec(kind="l1", warmup_epochs=5)) == ""
    assert said(rising) == said(stopping) == said(stopping, RegulariserSpec(kind="pruning")) == ""


def test_a_run_that_was_cut_says_what_its_numbers_are():
    assert resumed_in_words((), ()) == ""
    same = "its numbers are, bit for bit, those of a run that was never cut."
    once = resumed_in_words((1320,), ("Trained on 300 images.",))
    assert once == f"It was cut, and went on after step 1,320: {same}"
    assert resumed_in_words((20, 320), ()).startswith("It was cut 2 times, and went on after step 320")
    assert resumed_in_words((20,), ("Resumed with 1 thread instead of 2: from epoch 3 on …",)) == ""
