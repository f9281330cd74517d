"""Specs that train in a moment, and what to read of their runs."""

import torch
from torch import nn

from core.catalogues import completed
from core.data.catalogue import load_dataset
from core.data.split import split_dataset
from core.models.build import build_model
from core.randomness import derive
from core.run.events import MEASURED_TIMES
from core.run.spec import parse

EPOCHS = 4
SMALL = {
    "data": {"name": "digits", "train_images": 200},
    "model": {"arch": "cnn", "params": {"channels": [8], "hidden": 16}},
    "optimiser": {"kind": "adam", "lr": 0.01},
    "train": {"epochs": EPOCHS, "batch_size": 64, "device": "cpu"},
}
WITH_NORM = {"arch": "cnn", "params": {"channels": [8], "hidden": 16, "batch_norm": True}}


def spec(*regularisers, **change):
    return parse(SMALL | {"regularisers": list(regularisers)} | change)


def ema(decay=0.95):
    return {"kind": "ema", "params": {"decay": decay}}


def swa(start=0.5):
    return {"kind": "swa", "params": {"start": start}}


def stopping(**params):
    return {"kind": "early_stopping", "params": params}


def untimed(figures):
    return {key: value for key, value in figures.items() if key not in MEASURED_TIMES}


def epochs(of):
    return [untimed(event) for event in of if event["event"] == "epoch"]


def train_figures(of):
    return [(event["train_loss"], event["train_accuracy"]) for event in epochs(of)]


def last(of, kind):
    return [event for event in of if event["event"] == kind][-1]


def judged_by_hand(chosen, weights):
    """Validation loss and accuracy of a fresh network that is given ``weights``."""
    chosen = completed(chosen)
    split = split_dataset(load_dataset(chosen.data), chosen.data, derive(chosen.seed, "split"))
    model = build_model(chosen.model, channels=1, side=8, num_classes=10, seed=1)
    model.load_state_dict(weights)
    with torch.no_grad():
        logits = model.eval()((split.validation.images / 255 - split.mean[0]) / split.std[0])
    labels = split.validation.labels
    loss = nn.functional.cross_entropy(logits, labels).item()
    return loss, (logits.argmax(1) == labels).double().mean().item()
