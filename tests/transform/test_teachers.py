"""Students in training: what their teachers are asked, and that a run that is cut has the same ones again."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from core.__main__ import main
from core.catalogues import completed
from core.jobs.making import give
from core.probe import cost, rate_range
from core.regularise.distillation import Distillation
from core.run.commands import Control
from core.run.errors import SpecError
from core.run.spec import parse
from core.train import loop
from core.train.batching import batches
from core.train.loop import begun, run
from core.train.session import open_session
from core.train.step import train_step
from core.train.teachers import Ensemble, open_network
from tests.train.small_runs import epochs, last
from tests.train.steered_runs import same_weights

DATA = {"name": "digits", "train_images": 160, "split_seed": 0}
TRAIN = {"epochs": 3, "batch_size": 32, "device": "cpu"}
NORM = {"channels": [4, 8], "hidden": 16, "batch_norm": True}


def spec(**changes):
    model = {"arch": "mlp", "params": {"hidden": [16, 8], "dropout": 0.2}}
    optimiser = {"kind": "adam", "lr": 0.01, "schedule": "cosine"}
    return completed(parse({"data": DATA, "model": model, "optimiser": optimiser, "train": TRAIN} | changes))


def student(regularisers=(), **changes):
    taught = {"kind": "distillation", "params": {"temperature": 3.0, "alpha": 0.7}}
    ops = [{"op": "RandomAffine", "p": 1.0}]
    augment = {"ops": ops, "mix": {"op": "RandomMixUpV2", "p": 1.0}}
    return spec(regularisers=[taught, *regularisers], augment=augment, **changes)


@pytest.fixture(scope="module")
def teachers(tmp_path_factory):
    """Two networks of different architectures, with their weights."""
    found = []
    for seed, model in enumerate(({"arch": "mlp", "params": {"hidden": [24]}}, {"params": NORM})):
        chosen, out = spec(model=model, seed=seed), tmp_path_factory.mktemp("teacher")
        for _ in run(chosen, out=out):
            pass
        found.append((chosen, out / "weights.safetensors"))
    return found


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


@pytest.mark.parametrize("bfloat16", [False, True])
def test_several_teachers_count_with_the_mean_of_their_softened_probabilities(teachers, bfloat16):
    sessions = [open_network(*each) for each in teachers]
    images = torch.rand(7, 1, 8, 8)
    by_hand = []
    for session in sessions:
        with torch.no_grad():
            logits = session.model((images - session.mean) / session.std)
        by_hand.append(softmax(logits.double().numpy() / 2.5))
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        soft = Ensemble(sessions)(images, 2.5)
    assert soft.dtype == torch.float32 and not soft.requires_grad
    np.testing.assert_allclose(soft.numpy(), np.mean(by_hand, 0), atol=1e-6)


def test_teachers_see_the_very_batch_and_its_shares_of_labels_count(teachers):
    """The loss of a step on mixed images, written out."""
    session = open_session(student(model={"arch": "mlp", "params": {"hidden": [16], "dropout": 0.0}}))
    seen, ask = [], Ensemble([open_network(*each) for each in teachers])

    def asked(images, temperature):
        seen.append(images)
        return ask(images, temperature)

    (regulariser,) = session.regularisation.of_type(Distillation)
    regulariser.teachers = asked
    batch = next(batches(session, 1))
    assert batch.targets.shape == (32, 10) and ((batch.targets > 0).sum(1) == 2).any()  # mixed
    weight = session.model.fc2.weight
    with torch.no_grad():
        z = session.model(session.normalised(batch.images)).double().numpy()
        inner = nn.Sequential(*list(session.model)[:-1])(session.normalised(batch.images)).double().numpy()
    session.model.train()
    loss = train_step(session, batch.images, batch.targets, 0).loss
    (images,) = seen
    assert torch.equal(images, batch.images)
    soft, shares = ask(batch.images, 3.0).double().numpy(), batch.targets.double().numpy()
    assert float(loss) == pytest.approx(-(shares * np.log(softmax(z))).sum(1).mean(), rel=1e-5)
    of_logits = (0.3 * (softmax(z) - shares) + 0.7 * 3.0 * (softmax(z / 3) - soft)) / 32
    np.testing.assert_allclose(weight.grad.numpy(), of_logits.T @ inner, atol=1e-6)


@pytest.mark.parametrize(
    "regularisers", [(), ({"kind": "ema"}, {"kind": "label_smoothing", "strength": 0.1}), ({"kind": "sam"},)]
)
def test_a_student_that_is_cut_within_an_epoch_is_the_student_that_never_was(
    tmp_path, monkeypatch, teachers, regularisers
):
    monkeypatch.setattr(loop, "STEP_SECONDS", 0.0)
    monkeypatch.setattr(loop, "STEP_SHARE", 1e9)
    chosen = student(regularisers)
    for name in ("whole", "cut"):
        give(tmp_path / name, teachers)
    whole = list(run(chosen, out=tmp_path / "whole"))
    seen, control = [], Control()
    for event in run(chosen, control, out=tmp_path / "cut"):
        seen.append(event)
        if event["event"] == "step" and event["step"] == 7:
            control.post({"command": "checkpoint"})
        if event["event"] == "step" and event["step"] == 9:
            break  # killed two steps after the checkpoint
    assert last(seen, "checkpoint")["step"] == 7
    seen += run(chosen, out=tmp_path / "cut", resume=True)
    assert epochs(seen) == epochs(whole) and same_weights(tmp_path / "whole", tmp_path / "cut")
    for number, (_, weights) in enumerate(teachers):  # who are as they were
        given = tmp_path / "cut" / f"from-{number}.safetensors"
        assert given.read_bytes() == weights.read_bytes()
        given.unlink()
    with pytest.raises(SpecError, match="needs a teacher"):
        next(run(chosen, out=tmp_path / "cut", resume=True))


def test_teachers_change_what_is_learned_and_do_not_change(tmp_path, teachers):
    give(tmp_path / "taught", teachers)
    give(tmp_path / "by one", teachers[:1])
    for name in ("taught", "by one"):
        assert list(run(student(), out=tmp_path / name))[-1]["state"] == "finished"
    for _ in run(spec(augment=student().augment.model_dump()), out=tmp_path / "alone"):
        pass
    folders = [tmp_path / name for name in ("taught", "by one", "alone")]
    assert not any(same_weights(folders[i], folders[j]) for i, j in ((0, 1), (1, 2), (0, 2)))
    session, _ = begun(student(), out=tmp_path / "taught")
    (regulariser,) = session.regularisation.of_type(Distillation)
    session.model.train()
    for batch in batches(session, 1):
        train_step(session, batch.images, batch.targets, batch.step)
    for asked, (_, weights) in zip(regulariser.teachers.sessions, teachers, strict=True):
        kept = load_file(weights)  # their batch norm has seen none of the student's batches
        assert all(torch.equal(value, kept[key]) for key, value in asked.model.state_dict().items())


def test_a_branch_of_a_student_has_its_teachers(tmp_path, teachers):
    give(tmp_path / "run", teachers)
    chosen = student(train=TRAIN | {"epochs": 4})
    (tmp_path / "spec.json").write_text(chosen.to_json())
    for _ in run(chosen, out=tmp_path / "run"):
        pass
    told = ["run", str(tmp_path / "spec.json"), "--from", f"{tmp_path / 'run'}@2"]
    assert main([*told, "--out", str(tmp_path / "branch")]) == 0
    assert same_weights(tmp_path / "run", tmp_path / "branch")
    shutil.rmtree(tmp_path / "run")
    (tmp_path / "branch" / "weights.safetensors").unlink()
    assert main([*told[:2], "--resume", "--out", str(tmp_path / "branch")]) == 0


def test_who_was_trained_on_the_images_that_judge_a_student_may_not_teach_it(tmp_path, teachers):
    (chosen, weights), _ = teachers
    elsewhere = chosen.data.model_copy(update={"split_seed": 9})
    give(tmp_path, [(chosen.model_copy(update={"data": elsewhere}), weights)])
    with pytest.raises(SpecError, match="was trained on images that judge another"):
        next(run(student(), out=tmp_path))


def test_where_no_teacher_can_be_it_is_said(tmp_path):
    """Whoever trains a few steps of a student's spec has none."""
    many = spec(regularisers=[{"kind": "distillation"}], train=TRAIN | {"batch_size": 8})
    with pytest.raises(SpecError, match="needs a teacher"):
        list(rate_range.run(many, {}, Control(), None))
    with pytest.raises(SpecError, match="needs a teacher"):
        cost.training_step(many)
    (tmp_path / "spec.json").write_text(many.to_json())
    assert main(["run", str(tmp_path / "spec.json"), "--out", str(tmp_path / "out")]) == 2
