"""Training on mixed images: the loss by hand, and the rules that hold for every run."""

import json
import re

import pytest
import torch
from torch.nn import functional as F

from core.augment.mixing import Mixer
from core.augment.ops.mixes import MIXES
from core.catalogues import bounded, completed
from core.data.catalogue import load_dataset
from core.data.split import split_dataset
from core.models.build import build_model
from core.randomness import derive
from core.run.commands import Control
from core.run.errors import SpecError
from core.run.events import MEASURED_TIMES
from core.run.spec import parse
from core.train.loop import run

LABELLED = [name for name, entry in MIXES.items() if not entry.needs_masks]
SMALL = {
    "data": {"name": "digits", "train_images": 200},
    "augment": {"mix": {"op": "RandomMixUpV2"}},
    "model": {"arch": "cnn", "params": {"channels": [8], "hidden": 16, "dropout": 0}},
    "optimiser": {"kind": "adam", "lr": 0.01},
    "train": {"epochs": 2, "batch_size": 64, "device": "cpu"},
}


def spec(**change):
    return parse(SMALL | change)


def mixed_by(name, **params):
    return {"augment": {"mix": {"op": name, "params": params}}}


def events(of, kind):
    return [event for event in of if event["event"] == kind]


def epochs(of):
    return [
        {key: value for key, value in event.items() if key not in MEASURED_TIMES}
        for event in events(of, "epoch")
    ]


def by_hand(chosen):
    """The first batch of a run with one batch an epoch: logits of the untrained network, both labels, λ."""
    split = split_dataset(load_dataset(chosen.data), chosen.data, derive(chosen.seed, "split"))
    index = torch.randperm(200, generator=torch.Generator().manual_seed(derive(chosen.seed, "order", 1)))
    mixer = Mixer(chosen.augment.mix, channels=1, side=8, seed=chosen.seed)
    draws = mixer.draw(200, 0)
    images, labels = split.train.images[index] / 255, split.train.labels[index]
    own = torch.tensor([draws.describe(i).weight for i in range(200)])
    partner = torch.tensor([draws.describe(i).parts[-1][0] for i in range(200)])
    mixed = own.view(-1, 1, 1, 1) * images + (1 - own).view(-1, 1, 1, 1) * images[partner]
    model = build_model(chosen.model, channels=1, side=8, num_classes=10, seed=derive(chosen.seed, "weights"))
    with torch.no_grad():
        logits = model((mixed - split.mean[0]) / split.std[0])
    return logits, labels, labels[partner], own


def test_the_loss_of_a_step_is_both_labels_cross_entropies_weighed_by_their_shares():
    chosen = completed(spec(train={"epochs": 1, "batch_size": 200, "device": "cpu"}))
    seen = list(run(chosen))
    logits, label, other, own = by_hand(chosen)
    loss = own * F.cross_entropy(logits, label, reduction="none")
    loss += (1 - own) * F.cross_entropy(logits, other, reduction="none")
    assert ((own > 0.5) & (own < 1)).sum() > 150
    assert events(seen, "step")[0]["loss"] == pytest.approx(loss.mean().item(), rel=1e-5)
    assert events(seen, "epoch")[0]["train_loss"] == pytest.approx(loss.mean().item(), rel=1e-5)


def test_the_train_accuracy_counts_the_heavier_label():
    chosen = completed(
        spec(
            **mixed_by("RandomMixUpV2", lambda_val=[0.6, 0.9]),
            train={"epochs": 1, "batch_size": 200, "device": "cpu"},
        )
    )
    logits, _, other, own = by_hand(chosen)
    assert (own[own < 1 - 1e-6] < 0.5).all()  # so the other's label is the heavier one
    right = (logits.argmax(1) == other).float().mean().item()
    assert events(run(chosen), "epoch")[0]["train_accuracy"] == pytest.approx(right)


@pytest.mark.parametrize("name", LABELLED)
def test_it_learns_from_mixed_images(name):
    seen = epochs(run(spec(data={"name": "digits"}, **mixed_by(name))))
    assert len(seen) == 2
    assert json.loads(json.dumps(seen, allow_nan=False)) == seen
    assert seen[-1]["train_loss"] < seen[0]["train_loss"]
    assert seen[-1]["validation_accuracy"] > 0.4  # guessing gives 0.1


def test_a_mix_changes_the_numbers_and_the_same_spec_repeats_them():
    first = epochs(run(spec()))
    torch.manual_seed(1)
    assert epochs(run(spec())) == first
    assert epochs(run(spec(augment={}))) != first
    assert epochs(run(spec(**mixed_by("PatchMix")))) != first
    never = {"augment": {"mix": {"op": "RandomMixUpV2", "p": 0.0}}}
    for ours, plain in zip(epochs(run(spec(**never))), epochs(run(spec(augment={}))), strict=True):
        assert ours["train_loss"] == pytest.approx(plain["train_loss"], rel=1e-4)


def test_at_strength_0_a_run_is_one_without_a_mix():
    mixed = epochs(run(spec(augment={"strength": 0.0, "mix": {"op": "RandomCutMixV2"}})))
    for ours, plain in zip(mixed, epochs(run(spec(augment={}))), strict=True):
        assert ours["train_loss"] == pytest.approx(plain["train_loss"], rel=1e-4)


def test_a_resumed_run_repeats_the_uninterrupted_one(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_CHECKPOINT_SECONDS", "0")
    whole = spec(augment={"ops": [{"op": "RandomAffine"}], "mix": {"op": "RandomCutMixV2", "p": 0.5}})
    control = Control()
    for event in run(whole, control, out=tmp_path):
        if event["event"] == "epoch":
            control.stop.set()
    assert epochs(run(whole, out=tmp_path, resume=True)) == epochs(run(whole))[1:]


def test_the_labels_of_a_batch_show_what_it_was_mixed_of():
    chosen = spec(**mixed_by("PatchMix", patch_size=0.5))  # a quarter of the image is another's
    (batch, *_) = events(run(chosen, watch=True), "batch")
    assert all(re.fullmatch(r"\d|\d 0\.75 \+ \d 0\.25", label) for label in batch["labels"])
    assert any("+" in label for label in batch["labels"])
    (plain, *_) = events(run(spec(augment={}), watch=True), "batch")
    for label, own in zip(batch["labels"], plain["labels"], strict=True):
        assert label[0] == own


def test_what_cannot_be_mixed_is_refused_before_the_first_event():
    transplantation = spec(**mixed_by("RandomTransplantation"))
    with pytest.raises(SpecError, match=r"^augment\.mix\.op: RandomTransplantation needs masks .*; choose "):
        next(run(transplantation))
    assert bounded(transplantation) == transplantation  # a form can show it
    alone = spec(train={"epochs": 1, "batch_size": 1, "device": "cpu"})
    with pytest.raises(SpecError, match=r"^train\.batch_size: RandomMixUpV2 mixes the images of a batch"):
        next(run(alone))


def test_a_run_that_failed_leaves_its_spec_and_no_weights(tmp_path):
    for _ in run(spec(augment={}), out=tmp_path):
        pass
    assert (tmp_path / "weights.safetensors").exists()
    # Each step multiplies the weights by 1 − 10·100.
    wild = spec(
        augment={},
        optimiser={"kind": "sgd", "lr": 10.0},
        regularisers=[{"kind": "l2", "strength": 100.0}],
        train={"epochs": 50, "batch_size": 64, "device": "cpu"},
    )
    assert list(run(wild, out=tmp_path))[-1]["state"] == "failed"
    assert not (tmp_path / "weights.safetensors").exists()
    assert parse((tmp_path / "spec.json").read_text()) == completed(wild)
