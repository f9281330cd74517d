"""A run that fails says at which rate and gradient, and leaves the last weights that were any good."""

import re

import pytest
import torch
from safetensors.torch import load_file

from core.catalogues import completed
from core.train.batching import batches
from core.train.divergence import DivergedError
from core.train.evaluation import Judgement, evaluate
from core.train.loop import run
from core.train.session import open_session
from core.train.step import refuse_divergence, train_step
from tests.train.small_runs import SMALL, WITH_NORM, ema, epochs, spec

# Each step multiplies the weights by about 1 - 10·100.
WILD = {"optimiser": {"kind": "sgd", "lr": 10.0, "params": {"momentum": 0.0}}}
TIMES_999 = {"kind": "l2", "strength": 100.0}


def wild(num_epochs, batch_size=200):
    train = {"epochs": num_epochs, "batch_size": batch_size, "device": "cpu"}
    return spec(TIMES_999, **WILD, train=train)


def same_weights(one, other):
    one, other = (load_file(folder / "weights.safetensors") for folder in (one, other))
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def gradient_norm(chosen, steps):
    """Of step ``steps``, from 1, by hand."""
    session = open_session(completed(chosen))
    session.model.train()
    for step in range(steps):
        (batch,) = batches(session, step + 1)  # one an epoch
        train_step(session, batch.images, batch.targets, batch.step)
    return torch.cat([p.grad.double().flatten() for p in session.model.parameters()]).norm().item()


def test_a_run_that_diverges_says_where_and_keeps_the_last_good_epoch(tmp_path):
    seen = list(run(wild(50), out=tmp_path / "wild"))
    said = re.fullmatch(
        r"The (validation )?loss became \S+ (?:after epoch \d+, )?at step (\d+), at a learning rate of 10; "
        r"the norm of the gradient of step (\d+) was (\S+)\. Try a lower learning rate, such as 1 instead of "
        r"10, or a weaker regulariser\. The weights saved are those of epoch (\d+), "
        r"the last that ended\.",
        seen[-1]["reason"],
    )
    assert said and seen[-1]["state"] == "failed"
    validation, step, of_step, norm, epoch = said.groups()
    assert int(of_step) == (int(step) if validation else int(step) - 1)
    assert float(norm) == pytest.approx(gradient_norm(wild(50), int(of_step)), rel=0.01)
    assert int(epoch) == len(epochs(seen)) >= 2
    list(run(wild(int(epoch)), out=tmp_path / "good"))
    assert same_weights(tmp_path / "wild", tmp_path / "good")
    assert all(value.isfinite().all() for value in load_file(tmp_path / "wild/weights.safetensors").values())


def test_a_run_that_diverges_at_once_leaves_no_weights_and_says_so(tmp_path):
    (tmp_path / "weights.safetensors").write_bytes(b"those of an earlier run")
    seen = list(run(wild(2, batch_size=4), out=tmp_path))
    assert not epochs(seen)
    assert seen[-1]["reason"].endswith("No weights are saved, for no epoch had ended.")
    assert not (tmp_path / "weights.safetensors").exists()
    assert "weights" not in list(run(wild(2, batch_size=4)))[-1]["reason"]  # nor is a folder asked for


def test_a_resumed_run_that_diverges_at_once_keeps_what_it_was_resumed_from(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_CHECKPOINT_SECONDS", "0")

    def averaged(num_epochs):
        return spec(ema(), model=WITH_NORM, train=SMALL["train"] | {"epochs": num_epochs})

    list(run(averaged(2), out=tmp_path / "good"))
    for event in run(averaged(4), out=tmp_path / "cut"):
        if event["event"] == "epoch" and event["epoch"] == 2:
            break
    nothing = Judgement(torch.tensor([float("nan")]), *[torch.zeros(1, dtype=torch.int64)] * 3)
    monkeypatch.setattr("core.train.epoch.evaluate", lambda *_: nothing)
    seen = list(run(averaged(4), out=tmp_path / "cut", resume=True))
    assert re.match(
        r"The validation loss became nan after epoch 3, at step 12, at a learning rate of 0\.01; the norm of "
        r"the gradient of step 12 was [\d.]+\. Try a lower learning rate, such as 0\.001 instead of 0\.01, ",
        seen[-1]["reason"],
    )
    assert seen[-1]["reason"].endswith("those of epoch 2, the last that ended.")
    assert same_weights(tmp_path / "cut", tmp_path / "good")


def test_a_run_without_memory_keeps_the_last_epoch_too(tmp_path, monkeypatch):
    list(run(spec(train=SMALL["train"] | {"epochs": 1}), out=tmp_path / "good"))
    judged = iter([evaluate])

    def once(*arguments):
        for real in judged:
            return real(*arguments)
        raise torch.OutOfMemoryError

    monkeypatch.setattr("core.train.epoch.evaluate", once)
    seen = list(run(spec(), out=tmp_path / "full"))
    assert "ran out of memory" in seen[-1]["reason"]
    assert seen[-1]["reason"].endswith("those of epoch 1, the last that ended.")
    assert same_weights(tmp_path / "full", tmp_path / "good")


def test_losses_that_are_looked_at_late_name_the_first_bad_step():
    session = open_session(completed(spec(optimiser={"kind": "sgd", "lr": 0.2, "schedule": "cosine"})))
    losses = torch.tensor([1.0, 2.0, float("inf"), float("nan"), 0.0])
    refuse_divergence(session, losses, 1, 4)
    for batch in batches(session, 1, 1):
        train_step(session, batch.images, batch.targets, batch.step)
    next(session.model.parameters()).grad.fill_(float("nan"))
    # Step 7 of 16 is 6/16 of the way down a cosine: 0.2·(1 + cos(0.375π))/2.
    says = r"became inf at step 7, at a learning rate of 0\.138; the gradient of step 8 was not finite\."
    with pytest.raises(DivergedError, match=says):
        refuse_divergence(session, losses, 3, 4)
