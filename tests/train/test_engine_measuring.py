"""What epochs say of the weights, when, and what happens at strengths that can't be right."""

import json
import math

import numpy as np
import pytest
import torch

from core.catalogues import completed
from core.layers.weights import regularised_weights
from core.measure.pacing import prunable_at_end, prunable_every
from core.models.catalogue import ARCHITECTURES
from core.models.summary import summarise
from core.regularise.catalogue import REGULARISERS
from core.run.events import MEASURED_TIMES
from core.run.spec import parse
from core.text.advice import advise
from core.train.evaluation import evaluate
from core.train.loop import run
from core.train.measuring import measured, thorough_every
from core.train.session import open_session
from core.train.step import train_step

SMALL = {
    "data": {"name": "digits", "train_images": 200},
    "model": {"arch": "cnn", "params": {"channels": [8], "hidden": 16}},
    "optimiser": {"kind": "adam", "lr": 0.01},
    "train": {"epochs": 5, "batch_size": 64, "device": "cpu"},
}


def spec(*regularisers, **change):
    return completed(parse(SMALL | {"regularisers": list(regularisers)} | change))


def epochs(of):
    return [event for event in of if event["event"] == "epoch"]


def test_penalties_and_strengths_are_told_apart():
    l1, l2 = {"kind": "l1", "strength": 1e-3, "warmup_epochs": 4}, {"kind": "l2", "strength": 1e-2}
    decay = {"kind": "weight_decay", "strength": 0.1}
    seen = list(run(spec(l1, l2, decay)))
    for event in [each for each in seen if each["event"] in ("step", "epoch")]:
        assert event["penalties"].keys() == {"l1", "l2"}  # decay is no term of the loss
        assert event["penalty"] == pytest.approx(sum(event["penalties"].values()), rel=1e-5)
        rising = min(event["epoch"] / 4, 1) * 1e-3
        assert event["strengths"] == pytest.approx({"l1": rising, "l2": 1e-2, "weight_decay": 0.1})
    assert epochs(run(spec()))[0]["penalties"] == {}


def test_costly_measures_come_as_often_as_they_may_and_with_the_last(monkeypatch):
    monkeypatch.setattr("core.train.measuring.thorough_every", lambda _: 2)
    monkeypatch.setattr("core.train.measuring.prunable_every", lambda *_: 3)
    monkeypatch.setattr("core.train.measuring.prunable_at_end", lambda *_: True)
    seen = epochs(run(spec()))
    assert ["gini" in event["sparsity"] for event in seen] == [False, True, False, True, True]
    assert ["prunable" in event for event in seen] == [False, False, True, False, True]
    assert all("hoyer" in event["sparsity"] and event["weights"] for event in seen)
    assert max(len(json.dumps(event, allow_nan=False)) for event in seen) < 20_000
    for event in seen[2::2]:
        prunable = event["prunable"]
        assert event["sparsity"]["exact"] <= prunable["low"] <= prunable["share"] <= prunable["high"] <= 1


def test_measuring_leaves_the_training_alone(monkeypatch):
    def figures(of):
        left_out = (*MEASURED_TIMES, "prunable", "sparsity")
        return [{key: value for key, value in event.items() if key not in left_out} for event in epochs(of)]

    regulariser = {"kind": "l1", "strength": 1e-3}
    seldom = figures(run(spec(regulariser)))
    monkeypatch.setattr("core.train.measuring.thorough_every", lambda _: 1)
    monkeypatch.setattr("core.train.measuring.prunable_every", lambda *_: 1)
    assert figures(run(spec(regulariser))) == seldom


@pytest.mark.parametrize(
    ("epochs", "every", "at_end"),
    # 359 validation images to 200: 4.49 epochs' worth of time for each look. 1.5 % of the run is to be had,
    # and 5 % after the last epoch.
    [(5, 0, False), (89, 0, False), (90, 0, True), (299, 0, True), (300, 300, True), (1000, 334, True)],
)
def test_the_prunable_share_is_paced_evenly(epochs, every, at_end):
    session = open_session(spec(train={"epochs": epochs, "batch_size": 64, "device": "cpu"}))
    images = len(session.train), len(session.validation)
    assert images == (200, 359)
    assert prunable_every(epochs, *images) == every and prunable_at_end(epochs, *images) == at_end


@pytest.mark.parametrize(("cost", "every"), [(0.01, 1), (0.03, 5), (0.05, 5), (0.06, 0)])
def test_thorough_measures_are_paced_evenly(monkeypatch, cost, every):
    monkeypatch.setattr("core.measure.weight_measures.WeightMeasures.thorough_cost", lambda *_: cost)
    assert thorough_every(open_session(spec())) == every  # of 5 epochs, 1 % of whose time is to be had


def test_the_prunable_share_is_what_every_share_on_all_images_says(monkeypatch):
    """By brute force: masks of NumPy, probabilities of torch's softmax, all validation images at once."""
    monkeypatch.setattr("core.train.measuring.prunable_every", lambda *_: 1)
    session = open_session(spec())
    for step, index in enumerate(torch.arange(200).split(50) * 20):
        train_step(session, *session.batch(index, step), step)
    judged = evaluate(session, session.validation)
    found = measured(session, 1, judged, last=False)["prunable"]

    layers = regularised_weights(session.model)
    parts = [part for layer in layers.values() for part in layer]
    kept = [part.detach().clone() for part in parts]
    sizes = np.sort(np.concatenate([part.abs().flatten().numpy() for part in kept]))
    images = session.normalised(session.validation.images.float() / 255)

    @torch.no_grad()
    def right_class(cutoff):
        for part, original in zip(parts, kept, strict=True):
            part.copy_(torch.from_numpy(np.where(np.abs(original.numpy()) <= cutoff, 0, original.numpy())))
        logits = session.model(images)
        return torch.softmax(logits.double(), 1).gather(1, session.validation.labels[:, None])[:, 0].numpy()

    whole = right_class(-1)
    assert 0.4 < whole.mean() < 1  # it has learnt
    passes = [(whole - right_class(size)).mean() <= 0.02 for size in sizes[::20]]
    largest = 20 * (len(passes) - 1 - passes[::-1].index(True)) / len(sizes)
    assert passes.index(False) > 20 and found["share"] == pytest.approx(largest, abs=1 / 64)
    cutoff = sizes[round(found["share"] * len(sizes)) - 1]
    falls = whole - right_class(cutoff)
    assert falls.mean() <= 0.02
    for end, errors in (("low", 1.96), ("high", -1.96)):
        falls = whole - right_class(sizes[round(found[end] * len(sizes)) - 1])
        assert falls.mean() + errors * falls.std() / math.sqrt(len(falls)) == pytest.approx(0.02, abs=0.004)
    numbers = {name: sum(part.numel() for part in parts) for name, parts in layers.items()}
    cut = {name: round(found["layers"][name] * count) for name, count in numbers.items()}
    assert sum(cut.values()) == round(found["share"] * sum(numbers.values())) > 0
    assert found["accuracy"] == pytest.approx(judged.accuracy, abs=0.1)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_multiply_adds_of_a_network_that_exists(arch):
    params = {"patch": 4} if arch == "attention" else {}
    chosen = spec(model={"arch": arch, "params": params})
    summary = summarise(chosen.model, channels=1, side=8, num_classes=10)
    assert open_session(chosen).multiply_adds == summary.multiply_adds > 0


def test_an_absurd_strength_zeroes_everything_and_the_advice_says_so():
    chosen = spec({"kind": "l1", "strength": 100.0})
    seen = list(run(chosen))
    assert seen[-1]["state"] == "finished"
    event = epochs(seen)[-1]
    assert event["sparsity"]["exact"] == 1.0 and event["validation_loss"] == pytest.approx(math.log(10), 0.02)
    json.dumps(seen, allow_nan=False)
    said = advise(event, chosen)
    assert said == "Every weight is zero: λ = 100 of L1 (lasso) is too strong. Try 0.0001."


def test_the_advice_offers_a_warm_up_where_one_may_do():
    chosen = spec({"kind": "l1", "strength": 2e-3}, {"kind": "label_smoothing"})
    layers = {
        "conv1": {"exact": 0.2, "near": 0.5, "weights": 72},
        "fc1": {"exact": 1.0, "near": 1.0, "weights": 5},
    }
    event = {
        "validation_loss": 2.3,
        "penalty": 0.5,
        "sparsity": {"exact": 0.4, "near": 0.6, "layers": layers},
    }
    assert advise(event, chosen) == (
        "Every weight of fc1 is zero, so nothing of the image gets through: λ = 0.002 of L1 (lasso) is too "
        "strong. Try 0.0001, or let it rise over the first 4 epochs."
    )
    warm = spec({"kind": "l1", "strength": 5e-5, "warmup_epochs": 3})
    assert advise(event, warm).endswith("Try 5e-6.")
    layers["fc1"]["exact"] = 0.99
    assert advise(event, chosen) == ""
    much = advise(event | {"penalty": 4600.0}, chosen)
    assert much.startswith("The penalty is 2,000 times the data loss, which no longer counts: λ = 0.002 of")
    learnt = event | {"validation_loss": 0.1, "penalty": 20.0}  # it may well be large where all is learnt
    assert advise(learnt, chosen) == ""


def test_strength_0_is_the_plain_run_and_the_advice_says_so():
    chosen = spec({"kind": "l1", "strength": 0.0}, {"kind": "l2", "strength": 0.0})
    event, plain = epochs(run(chosen))[-1], epochs(run(spec()))[-1]
    assert event["sparsity"] == plain["sparsity"] and event["validation_loss"] == plain["validation_loss"]
    assert event["penalty"] == 0.0 and event["penalties"] == {"l1": 0.0, "l2": 0.0}
    assert advise(event, chosen) == "L1 (lasso) and L2 in the loss (ridge) at strength 0 change nothing."
    assert advise(plain, spec()) == ""


@pytest.mark.parametrize(
    "kind", [kind for kind, entry in REGULARISERS.items() if entry.default_strength is not None]
)
@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_the_largest_strength_of_every_kind_ends_with_a_sentence_or_goes_on(kind, optimiser):
    strength = REGULARISERS[kind].strength_max
    chosen = spec(
        {"kind": kind, "strength": strength},
        optimiser={"kind": optimiser},
        train={"epochs": 3, "batch_size": 64, "device": "cpu"},
    )
    seen = list(run(chosen))
    assert seen[-1]["state"] == "finished" or "weaker regulariser" in seen[-1]["reason"]
    json.dumps(epochs(seen), allow_nan=False)
    for event in epochs(seen):
        advise(event, chosen)
