"""Averaged weights against sums in float64 over every step, and batch norm's statistics against batches."""

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from core.catalogues import completed
from core.data.catalogue import load_dataset
from core.data.split import split_dataset
from core.randomness import derive
from core.train.evaluation import evaluation_weights
from core.train.loop import run
from core.train.session import epoch_order, open_session
from core.train.step import train_step
from tests.train.small_runs import EPOCHS, WITH_NORM, ema, epochs, judged_by_hand, spec, swa


def trained_by_hand(chosen):
    """The parameters after each step of a run without averages, by name; no dropout seed is left out."""
    session = open_session(completed(chosen))
    session.model.train()
    trail = []
    for step in range(session.clock.num_steps):
        epoch, i = divmod(step, session.clock.steps_per_epoch)
        index = epoch_order(session.spec, len(session.train), epoch + 1)[i * 64 : (i + 1) * 64]
        train_step(session, *session.batch(index, step), step)
        trail.append({name: p.detach().double().clone() for name, p in session.model.named_parameters()})
    return trail


def test_the_running_mean_is_the_weighted_mean_of_every_step(tmp_path):
    decay, chosen = 0.95, spec(ema(0.95))
    seen = list(run(chosen, out=tmp_path))
    trail = trained_by_hand(spec())
    shares = [decay ** (len(trail) - 1 - i) for i in range(len(trail))]
    saved = load_file(tmp_path / "weights.safetensors")
    for name, value in saved.items():
        expected = sum(s * step[name] for s, step in zip(shares, trail, strict=True)) / sum(shares)
        torch.testing.assert_close(value.double(), expected, rtol=1e-5, atol=1e-6)
    loss, accuracy = judged_by_hand(chosen, saved)
    assert epochs(seen)[-1]["validation_loss"] == pytest.approx(loss, rel=1e-5)
    assert epochs(seen)[-1]["validation_accuracy"] == pytest.approx(accuracy, abs=1e-9)


def test_swa_is_the_mean_of_the_weights_at_the_ends_of_epochs(tmp_path):
    # Half of four epochs done is the end of the second: three ends are averaged, after 8, 12 and 16 steps.
    seen = list(run(spec(swa(0.5)), out=tmp_path))
    trail = trained_by_hand(spec())
    saved = load_file(tmp_path / "weights.safetensors")
    for name, value in saved.items():
        expected = (trail[7][name] + trail[11][name] + trail[15][name]) / 3
        torch.testing.assert_close(value.double(), expected, rtol=1e-5, atol=1e-6)
    plain, averaged = epochs(run(spec())), epochs(seen)
    assert averaged[:2] == plain[:2]  # before it starts; and a mean of one is that one
    assert averaged[2]["validation_loss"] != plain[2]["validation_loss"]
    assert averaged[3]["validation_loss"] == pytest.approx(judged_by_hand(spec(), saved)[0], rel=1e-5)


def test_batch_norm_takes_its_statistics_from_the_averaged_network(tmp_path):
    chosen = completed(spec(ema(), model=WITH_NORM))
    list(run(chosen, out=tmp_path))
    saved = load_file(tmp_path / "weights.safetensors")
    split = split_dataset(load_dataset(chosen.data), chosen.data, derive(chosen.seed, "split"))
    order = epoch_order(chosen, 200, EPOCHS)
    means, variances = [], []
    for index in order.split(64):  # 200 images are four batches, the last of 8
        images = (split.train.images[index] / 255 - split.mean[0]) / split.std[0]
        maps = nn.functional.conv2d(images, saved["conv1.weight"], padding=1).transpose(0, 1).flatten(1)
        means.append(maps.mean(1))
        variances.append(maps.var(1, unbiased=True))
    torch.testing.assert_close(saved["norm1.running_mean"], torch.stack(means).mean(0), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(saved["norm1.running_var"], torch.stack(variances).mean(0), rtol=1e-4, atol=0)


def test_outside_an_evaluation_the_network_is_the_one_that_trains():
    session = open_session(completed(spec(ema(), model=WITH_NORM)))
    for step in range(3):
        index = epoch_order(session.spec, 200, 1)[step * 64 : (step + 1) * 64]
        train_step(session, *session.batch(index, step), step)
    before = {name: value.clone() for name, value in session.model.state_dict().items()}
    with pytest.raises(KeyError), evaluation_weights(session, 1):
        inside = session.model.state_dict()
        assert not any(torch.equal(inside[name], before[name]) for name in before)
        raise KeyError  # whatever happens
    assert all(torch.equal(value, before[name]) for name, value in session.model.state_dict().items())
    assert session.model.norm1.momentum == 0.1
