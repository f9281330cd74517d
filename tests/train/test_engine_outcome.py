"""A run that ends without having learnt anything says so, and one that has learnt a little does not."""

import json

import pytest
import torch

from core.run.events import read_event
from core.run.spec import OptimiserSpec
from core.train.loop import run
from core.train.outcome import warnings
from tests.train.small_runs import last, spec

ADAM = OptimiserSpec(kind="adam", lr=0.3)
# 25 of 100 images are of the largest of four classes: chance strays by 2·√(0.25·0.75/100) = 0.0866.
LABELS = torch.arange(100) % 4
LOWER = "try a lower learning rate, such as 0.03 instead of 0.3."


def said(accuracy, train_loss=1.0, validation_loss=1.0, labels=LABELS, classes=4):
    losses = {"train_loss": train_loss, "validation_loss": validation_loss}
    return warnings(labels, classes, ADAM, losses | {"validation_accuracy": accuracy})


@pytest.mark.parametrize(("accuracy", "warns"), [(0.1, True), (0.25, True), (0.33, True), (0.34, False)])
def test_chance_is_the_largest_class_and_its_noise(accuracy, warns):
    sentence = (
        f"After the last epoch the network can't be told from chance: it names {100 * accuracy:.1f} % of "
        "the 100 validation images correctly, where always naming the largest class gives 25.0 %; try "
        "another learning rate, a weaker regulariser, or more epochs."
    )
    assert said(accuracy) == [sentence] * warns


def test_the_largest_class_counts_not_the_number_of_classes():
    mostly_one = torch.tensor([3] * 80 + [0, 1] * 10)
    assert "gives 80.0 %" in said(0.87, labels=mostly_one)[0] and said(0.89, labels=mostly_one) == []
    assert said(1.0, labels=torch.zeros(50, dtype=torch.long)) == []  # nothing can be better than that


def test_a_wild_loss_is_ten_times_that_of_guessing():
    assert said(0.9, 13.8, 13.8) == []  # 10·ln 4 = 13.86
    wild = "where guessing gives ln(4) = 1.4"
    assert said(0.9, 1.0, 13.9) == [f"After the last epoch the validation loss is 13.9, {wild}; {LOWER}"]
    assert said(0.9, 2e7, 13.9) == [f"After the last epoch the training loss is 2e+07, {wild}; {LOWER}"]
    both = said(0.2, 1.0, 99.0)
    assert len(both) == 1 and "told from chance" in both[0] and both[0].endswith(f"is 99, {wild}; {LOWER}")


def test_a_run_at_far_too_high_a_rate_is_finished_with_a_warning():
    seen = list(run(spec(optimiser={"kind": "adamw", "lr": 10.0})))
    assert seen[-1]["state"] == "finished"
    event = last(seen, "finished")
    (warning,) = event["warnings"]
    assert "can't be told from chance" in warning and "ln(10) = 2.3; try a lower learning rate" in warning
    assert "such as 1 instead of 10." in warning
    assert read_event(json.dumps(event)) == event


def test_a_run_that_learns_has_no_warnings():
    assert last(run(spec()), "finished")["warnings"] == []
