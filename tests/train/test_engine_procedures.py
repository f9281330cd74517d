"""Label smoothing and weight averages against plain computations written here; whole runs resumed."""

import math

import pytest
import torch
from safetensors.torch import load_file

from core.augment.mixing import Mixer
from core.catalogues import completed
from core.data.catalogue import load_dataset
from core.data.split import split_dataset
from core.models.build import build_model
from core.randomness import derive
from core.run.commands import Control
from core.run.errors import SpecError
from core.train.loop import run
from core.train.session import epoch_order
from tests.train.small_runs import (
    SMALL,
    WITH_NORM,
    ema,
    epochs,
    last,
    spec,
    stopping,
    swa,
    train_figures,
)


@pytest.mark.parametrize("average", [ema(), swa(0.0)], ids=["ema", "swa"])
@pytest.mark.parametrize("model", [SMALL["model"], WITH_NORM], ids=["plain", "batch norm"])
def test_an_average_leaves_the_training_alone(average, model):
    # Proximal steps and batch norm's own statistics are of the weights that train, too.
    l1 = {"kind": "l1", "strength": 1e-3}
    averaged = list(run(spec(average, l1, model=model)))
    plain = list(run(spec(l1, model=model)))
    assert train_figures(averaged) == train_figures(plain)
    assert [e["penalties"] for e in epochs(averaged)] == [e["penalties"] for e in epochs(plain)]
    assert epochs(averaged)[-1]["validation_loss"] != epochs(plain)[-1]["validation_loss"]
    notes = last(averaged, "started")["notes"]
    assert any("mean of the weights" in note for note in notes) and any("zero" in note for note in notes)


@pytest.mark.parametrize("mixed", [False, True], ids=["labels", "mixed"])
def test_the_smoothed_loss_by_hand(mixed):
    """The first epoch of one batch: the loss of the untrained network, from its logarithms."""
    change = {
        "model": {"arch": "cnn", "params": {"channels": [8], "hidden": 16, "dropout": 0}},
        "train": {"epochs": 1, "batch_size": 200},
        "augment": {"mix": {"op": "RandomMixUpV2"} if mixed else None},
    }
    chosen = completed(spec({"kind": "label_smoothing", "strength": 0.2}, **change))
    seen = list(run(chosen))
    split = split_dataset(load_dataset(chosen.data), chosen.data, derive(chosen.seed, "split"))
    index = epoch_order(chosen, 200, 1)
    images, labels = split.train.images[index] / 255, split.train.labels[index]
    shares = torch.zeros(200, 10).scatter_(1, labels[:, None], 1.0)
    if mixed:
        draws = Mixer(chosen.augment.mix, channels=1, side=8, seed=chosen.seed).draw(200, 0)
        own = torch.tensor([[draws.describe(i).weight] for i in range(200)])
        partner = torch.tensor([draws.describe(i).parts[-1][0] for i in range(200)])
        images = own[:, :, None, None] * images + (1 - own[:, :, None, None]) * images[partner]
        shares = own * shares + (1 - own) * shares[partner]
    model = build_model(chosen.model, channels=1, side=8, num_classes=10, seed=derive(chosen.seed, "weights"))
    with torch.no_grad():
        logarithms = model((images - split.mean[0]) / split.std[0]).log_softmax(1)
    expected = -((0.8 * shares + 0.02) * logarithms).sum(1).mean().item()
    assert epochs(seen)[0]["train_loss"] == pytest.approx(expected, rel=1e-5)
    # Its least: 0.82 of one class and 0.02 of nine others, as far as a network can tell.
    least = -(0.82 * math.log(0.82) + 9 * 0.02 * math.log(0.02))
    assert any(f"below {least:.3f};" in note for note in last(seen, "started")["notes"])


def test_smoothing_rises_over_its_warm_up_and_none_changes_no_bit():
    plain = epochs(run(spec()))
    nothing = epochs(run(spec({"kind": "label_smoothing", "strength": 0.0})))
    assert [e | {"strengths": {}} for e in nothing] == plain
    late = {"kind": "label_smoothing", "strength": 0.3, "warmup_epochs": 2, "schedule": "step"}
    smoothed = epochs(run(spec(late)))
    assert [e["strengths"]["label_smoothing"] for e in smoothed] == [0.0, 0.3, 0.3, 0.3]
    assert [e["train_loss"] for e in smoothed[:2]] == [e["train_loss"] for e in plain[:2]]
    assert smoothed[2]["train_loss"] > plain[2]["train_loss"]
    with pytest.raises(SpecError, match=r"strength: 0\.6 .*0\.5"):
        completed(spec({"kind": "label_smoothing", "strength": 0.6}))


@pytest.mark.parametrize(
    "regularisers",
    [
        [ema()],
        [swa(0.25)],
        [ema(), stopping(patience=100), {"kind": "l1", "strength": 1e-3}],
        [{"kind": "l0"}],
        [{"kind": "group_lasso", "strength": 3e-3}],
        [{"kind": "label_smoothing", "warmup_epochs": 3}, {"kind": "l0"}, swa(0.25)],
    ],
    ids=["ema", "swa", "ema, stopping, l1", "l0", "group lasso", "smoothing, l0, swa"],
)
def test_a_resumed_run_repeats_the_uninterrupted_one(tmp_path, monkeypatch, regularisers):
    monkeypatch.setenv("AUGURY_CHECKPOINT_SECONDS", "0")
    chosen = spec(*regularisers, model=WITH_NORM)
    uninterrupted = list(run(chosen, out=tmp_path / "whole"))
    control = Control()
    for event in run(chosen, control, out=tmp_path / "cut"):
        if event["event"] == "epoch" and event["epoch"] == 2:
            control.stop.set()
    resumed = list(run(chosen, out=tmp_path / "cut", resume=True))
    assert epochs(resumed) == epochs(uninterrupted)[2:]
    assert resumed[-1] == uninterrupted[-1]
    whole = load_file(tmp_path / "whole" / "weights.safetensors")
    cut = load_file(tmp_path / "cut" / "weights.safetensors")
    assert whole.keys() == cut.keys() and all(torch.equal(whole[name], cut[name]) for name in whole)


def test_two_averages_are_refused():
    with pytest.raises(SpecError, match=r"regularisers\[1\].*leave one"):
        completed(spec(ema(), swa()))
