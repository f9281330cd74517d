"""What an epoch says of the training images themselves, and of each of its batches."""

import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

from core.catalogues import completed
from core.data.catalogue import load_dataset
from core.data.split import split_dataset
from core.measure.paired import bits
from core.models.build import build_model
from core.randomness import derive
from core.run.history import build_history
from core.train.clean import CLEAN_IMAGES
from core.train.loop import run
from tests.train.small_runs import epochs, spec

AUGMENTED = {"augment": {"ops": [{"op": "RandomAffine", "p": 1.0}, {"op": "RandomErasing", "p": 1.0}]}}
DROPOUT = {"model": {"arch": "cnn", "params": {"channels": [8], "hidden": 16, "dropout": 0.5}}}


def many(count):
    return {"data": {"name": "digits", "train_images": count}}


@pytest.mark.parametrize(("images", "used"), [(200, 200), (900, CLEAN_IMAGES)])
def test_clean_train_is_the_saved_network_on_plain_training_images(tmp_path, images, used):
    chosen = completed(spec(**many(images), **AUGMENTED, **DROPOUT))
    told = epochs(run(chosen, out=tmp_path))[-1]
    split = split_dataset(load_dataset(chosen.data), chosen.data, derive(chosen.seed, "split"))
    model = build_model(chosen.model, channels=1, side=8, num_classes=10, seed=1)
    model.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    pixels = (split.train.images[:used].float() / 255 - split.mean[0]) / split.std[0]
    with torch.no_grad():
        logits = model.eval()(pixels)
    labels = split.train.labels[:used]
    assert told["clean_images"] == used == len(labels)
    assert told["clean_accuracy"] == pytest.approx(float((logits.argmax(1) == labels).float().mean()))
    assert told["clean_loss"] == pytest.approx(float(F.cross_entropy(logits, labels)), rel=1e-4)


def test_the_batches_of_an_epoch_are_all_there_and_their_mean_is_its_train_loss():
    chosen = completed(spec(**many(256)))
    for number, event in enumerate(epochs(run(chosen)), 1):
        batches = event["batch_losses"]
        assert batches["steps"] == [4 * number - 3, 4 * number - 2, 4 * number - 1, 4 * number]
        assert sum(batches["losses"]) / 4 == pytest.approx(event["train_loss"], rel=1e-6)


def test_a_long_epoch_keeps_its_ends_its_lowest_and_its_highest():
    chosen = completed(spec(**many(1000), train={"epochs": 1, "batch_size": 2, "device": "cpu"}))
    (event,) = epochs(run(chosen))
    every = [float(each["loss"]) for each in run(chosen) if each["event"] == "step"]
    batches = event["batch_losses"]
    assert batches["steps"][0] == 1 and batches["steps"][-1] == 500 and len(batches["steps"]) <= 100
    assert max(batches["losses"]) >= max(every) and min(batches["losses"]) <= min(every)


def test_the_same_spec_draws_the_same_line_however_many_steps_were_told():
    told = list(run(completed(spec(**many(256)))))
    fewer = [event for event in told if event["event"] != "step"]
    lines = [build_history(enumerate(each, 1)).history().loss for each in (told, fewer)]
    assert lines[0] == lines[1] and len(lines[0].x) == 16 and lines[0].x[0] == 0.25


def test_an_epoch_says_which_validation_images_are_right(tmp_path):
    chosen = completed(spec(**many(200)))
    told = epochs(run(chosen, out=tmp_path))[-1]
    split = split_dataset(load_dataset(chosen.data), chosen.data, derive(chosen.seed, "split"))
    model = build_model(chosen.model, channels=1, side=8, num_classes=10, seed=1)
    model.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    with torch.no_grad():
        logits = model.eval()((split.validation.images.float() / 255 - split.mean[0]) / split.std[0])
    right = "".join("1" if each else "0" for each in logits.argmax(1) == split.validation.labels)
    found = bits(told["right"], len(right))
    assert f"{found:0{-(-len(right) // 8) * 8}b}"[: len(right)] == right
    assert found.bit_count() / len(right) == told["validation_accuracy"]


def test_of_very_many_images_it_does_not(monkeypatch):
    monkeypatch.setattr("core.train.epoch.MOST_COMPARED", 10)
    assert "right" not in epochs(run(completed(spec(**many(200)))))[-1]
