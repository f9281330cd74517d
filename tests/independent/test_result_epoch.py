"""One epoch stands for a run: the weights that are saved are judged here by hand, and what is told, listed
and drawn is compared with that."""

import numpy as np
import pytest
from safetensors.numpy import load_file

from core.catalogues import completed
from core.data.catalogue import load_dataset
from core.data.split import split_dataset
from core.figures.training import accuracy
from core.randomness import derive
from core.run.commands import Control
from core.run.figures import result_of
from core.run.history import HistoryBuilder, summary
from core.run.spec import parse
from core.train import loop
from core.train.loop import run

SPEC = {
    "data": {"name": "digits", "train_images": 150},
    "model": {"arch": "mlp", "params": {"hidden": [24]}},
    "optimiser": {"kind": "adam", "lr": 0.03},
    "train": {"epochs": 25, "batch_size": 16, "device": "cpu"},
    "regularisers": [
        {"kind": "early_stopping", "params": {"monitor": "loss", "patience": 6, "restore_best": True}}
    ],
}


def judged(folder, spec):
    """Accuracy and mean cross-entropy of the saved weights on the validation images, in NumPy and float64."""
    split = split_dataset(load_dataset(spec.data), spec.data, derive(spec.seed, "split"))
    train, validation = split.train, split.validation
    weights = {
        name: value.astype(np.float64) for name, value in load_file(folder / "weights.safetensors").items()
    }
    layers = ["fc1", "fc2"]
    pixels = np.asarray(train.images, np.float64) / 255
    h = (np.asarray(validation.images, np.float64) / 255 - pixels.mean()) / pixels.std()
    h = h.reshape(len(h), -1)
    for i, layer in enumerate(layers):
        h = h @ weights[f"{layer}.weight"].T + weights[f"{layer}.bias"]
        h = np.maximum(h, 0) if i < len(layers) - 1 else h
    labels = np.asarray(validation.labels)
    top = h.max(1, keepdims=True)
    losses = top[:, 0] + np.log(np.exp(h - top).sum(1)) - h[np.arange(len(h)), labels]
    return (h.argmax(1) == labels).mean(), losses.mean()


def told(events):
    folded = HistoryBuilder()
    for event in events:
        folded.add(event)
    return folded.history()


def test_after_early_stopping_the_saved_epoch_is_the_one_that_is_told_listed_and_marked(tmp_path):
    spec = completed(parse(SPEC))
    events = list(run(spec, out=tmp_path))
    history = told(events)
    losses = [event["validation_loss"] for event in history.epochs]
    accuracies = [event["validation_accuracy"] for event in history.epochs]
    chosen = losses.index(min(losses)) + 1
    assert chosen < len(losses) and accuracies[chosen - 1] != max(accuracies)  # three different epochs
    right, loss = judged(tmp_path, spec)
    (finished,) = (event for event in events if event["event"] == "finished")
    for figures in (history.result, finished["result"], result_of(summary(history))):
        assert figures["epoch"] == chosen
        assert figures["validation_accuracy"] == pytest.approx(right, abs=1e-12)
        assert figures["validation_loss"] == pytest.approx(loss, rel=1e-5)
    (mark,) = accuracy(history, "run")["layout"]["shapes"]
    assert mark["x0"] == mark["x1"] == chosen


def test_a_run_that_is_stopped_within_an_epoch_keeps_the_last_that_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "STEP_SECONDS", 0.0)
    monkeypatch.setattr(loop, "STEP_SHARE", 1e9)  # every step is told
    spec = completed(parse(SPEC | {"regularisers": []}))
    control, events = Control(), []
    for event in run(spec, control, out=tmp_path):
        events.append(event)
        if len([each for each in events if each["event"] == "epoch"]) == 3 and event["event"] == "step":
            control.post({"command": "stop"})
    history = told(events)
    assert history.state == "stopped" and len(history.epochs) == 3
    right, loss = judged(tmp_path, spec)
    assert history.result["validation_accuracy"] == pytest.approx(right, abs=1e-12)
    assert history.result["validation_loss"] == pytest.approx(loss, rel=1e-5)
    assert "those of epoch 3, the last that ended" in history.reason
