"""The training loop against plain code written here, and against itself under disturbance."""

import dataclasses
import json
import math
import time

import pytest
import torch
from safetensors.torch import load_file

from core.catalogues import completed
from core.data.catalogue import load_dataset
from core.data.split import split_dataset
from core.models.build import build_model
from core.randomness import derive
from core.run.commands import Control, StoppedError
from core.run.errors import SpecError
from core.run.events import MEASURED_TIMES
from core.run.spec import parse
from core.train import epoch as epoch_module
from core.train import loop
from core.train import pace as pacing
from core.train.batching import batches
from core.train.loop import run
from core.train.reports import step_event
from core.train.session import Session, epoch_order, open_session

SMALL = {
    "data": {"name": "digits", "train_images": 200},
    "model": {"arch": "cnn", "params": {"channels": [8], "hidden": 16}},
    "optimiser": {"kind": "adam", "lr": 0.01},
    "train": {"epochs": 2, "batch_size": 64, "device": "cpu"},
}
AUGMENTED = SMALL | {
    "augment": {"ops": [{"op": "RandomAffine", "p": 0.8}, {"op": "RandomErasing", "p": 0.5}]},
    "regularisers": [{"kind": "l1", "strength": 1e-3, "solver": "proximal", "warmup_epochs": 1}],
}


def spec(change=None, base=SMALL):
    return parse(base | (change or {}))


def events(of, kind):
    return [event for event in of if event["event"] == kind]


def epochs(of):
    return [
        {key: value for key, value in event.items() if key not in MEASURED_TIMES}
        for event in events(of, "epoch")
    ]


def test_the_stream_has_its_order_and_is_json():
    seen = list(run(spec(), watch=True))
    kinds = [event["event"] for event in seen]
    assert kinds[:2] == ["state", "started"] and kinds[-2:] == ["finished", "state"]
    assert kinds.count("epoch") == 2 and "step" in kinds and "batch" in kinds
    assert seen[0]["state"] == "running" and seen[-1] == {"event": "state", "state": "finished", "reason": ""}
    assert json.loads(json.dumps(seen, allow_nan=False)) == seen
    started = seen[1]
    assert started["train_images"] == 200 and started["steps_per_epoch"] == 4
    # conv 1·8·9 + 8, pooled to 4×4: fc 128·16 + 16, and 16·10 + 10
    assert started["parameters"] == 80 + 2064 + 170


def test_the_same_spec_gives_the_same_numbers_whatever_else_draws():
    first = epochs(run(spec(base=AUGMENTED)))
    torch.manual_seed(1)
    disturbed = []
    for event in run(spec(base=AUGMENTED)):
        torch.rand(7)  # somebody else uses the global generator
        disturbed.append(event)
    assert epochs(disturbed) == first
    assert epochs(run(spec({"seed": 1}, base=AUGMENTED))) != first


def test_it_leaves_the_global_generator_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    for _ in run(spec(base=AUGMENTED)):
        pass
    assert torch.equal(torch.rand(3), expected)


def test_a_plain_loop_written_by_hand_gives_the_same_loss():
    """No dropout, no augmentation: what remains is textbook, so another loop must agree."""
    chosen = completed(
        spec({"model": {"arch": "cnn", "params": {"channels": [8], "hidden": 16, "dropout": 0}}})
    )
    seen = list(run(chosen))

    split = split_dataset(load_dataset(chosen.data), chosen.data, derive(chosen.seed, "split"))
    model = build_model(chosen.model, channels=1, side=8, num_classes=10, seed=derive(chosen.seed, "weights"))
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01, foreach=False, fused=False)

    def inputs(images):
        return (images.double().div(255) - split.mean[0]).div(split.std[0]).float()

    for epoch in (1, 2):
        order = torch.randperm(200, generator=torch.Generator().manual_seed(derive(0, "order", epoch)))
        total = 0.0
        for index in order.split(64):
            loss = torch.nn.functional.cross_entropy(
                model(inputs(split.train.images[index])), split.train.labels[index]
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.item() * len(index)  # the last batch has 8 images, the others 64
        with torch.no_grad():
            logits = model(inputs(split.validation.images))
        ours = events(seen, "epoch")[epoch - 1]
        assert ours["train_loss"] == pytest.approx(total / 200, rel=1e-3)
        assert ours["validation_accuracy"] == pytest.approx(
            (logits.argmax(1) == split.validation.labels).float().mean().item(), abs=0.01
        )
        assert ours["validation_loss"] == pytest.approx(
            torch.nn.functional.cross_entropy(logits, split.validation.labels).item(), rel=1e-2
        )


def test_the_network_learns():
    change = {
        "data": {"name": "digits"},
        "model": {"params": {"channels": [8], "hidden": 32, "dropout": 0.1}},
    }
    last = events(run(spec(change | {"train": {"epochs": 5}})), "epoch")[-1]
    assert last["validation_accuracy"] > 0.9  # guessing gives 0.1


def test_the_result_is_the_last_epoch_where_nothing_chooses_another():
    seen = list(run(spec({"train": {"epochs": 4, "batch_size": 64}})))
    (finished,) = events(seen, "finished")
    assert finished["result"] == finished["last"] and finished["last"]["epoch"] == 4


def test_stop_works_within_one_batch():
    control = Control()
    seen = []
    for event in run(spec({"train": {"epochs": 1000, "batch_size": 1}}), control):
        seen.append(event)
        if event["event"] == "step":
            control.stop.set()
    assert [event["event"] for event in seen] == ["state", "started", "step", "state"]
    assert seen[-1]["state"] == "stopped"


def test_a_loss_that_is_no_number_stops_the_run_and_says_what_to_try():
    # Each step multiplies the weights by 1 − 10·100.
    wild = {"optimiser": {"kind": "sgd", "lr": 10.0}, "regularisers": [{"kind": "l2", "strength": 100.0}]}
    seen = list(run(spec(wild | {"train": {"epochs": 50, "batch_size": 64}})))
    assert seen[-1]["state"] == "failed"
    assert "at step" in seen[-1]["reason"] or "after epoch" in seen[-1]["reason"]
    assert "lower learning rate" in seen[-1]["reason"]
    assert all(math.isfinite(event["train_loss"]) for event in events(seen, "epoch"))
    assert not events(seen, "finished")


def test_a_spec_that_cannot_run_is_refused_before_the_first_event():
    with pytest.raises(SpecError, match=r"data\.train_images"):
        next(run(spec({"data": {"name": "digits", "train_images": 5000}})))
    if not torch.cuda.is_available():
        with pytest.raises(SpecError, match="no CUDA device"):
            next(run(spec({"train": {"device": "cuda"}})))
    with pytest.raises(SpecError, match="bfloat16"):
        next(run(spec({"train": {"device": "cpu", "precision": "bfloat16"}})))


def test_a_last_batch_of_one_image_is_left_out():
    change = {"data": {"name": "digits", "train_images": 65}, "train": {"epochs": 1, "batch_size": 64}}
    seen = list(
        run(spec(change | {"model": {"params": {"channels": [8], "hidden": 16, "batch_norm": True}}}))
    )
    assert events(seen, "started")[0]["steps_per_epoch"] == 1
    assert seen[-1]["state"] == "finished"


def test_the_saved_weights_are_the_networks(tmp_path):
    seen = list(run(spec(), out=tmp_path))
    saved = parse((tmp_path / "spec.json").read_text())
    assert saved == completed(spec())
    model = build_model(saved.model, channels=1, side=8, num_classes=10, seed=99)
    model.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    split = split_dataset(load_dataset(saved.data), saved.data, derive(saved.seed, "split"))
    with torch.no_grad():
        inputs = (split.validation.images.float() / 255 - split.mean[0]) / split.std[0]
        right = (model.eval()(inputs).argmax(1) == split.validation.labels).float().mean().item()
    assert right == pytest.approx(events(seen, "epoch")[-1]["validation_accuracy"], abs=1e-6)


@pytest.mark.parametrize("kind", ["sgd", "adam", "adamw", "rmsprop"])
def test_a_resumed_run_repeats_the_uninterrupted_one(tmp_path, monkeypatch, kind):
    monkeypatch.setenv("AUGURY_CHECKPOINT_SECONDS", "0")
    whole = AUGMENTED | {"optimiser": {"kind": kind}, "train": {"epochs": 4, "batch_size": 64}}
    uninterrupted = epochs(run(spec(base=whole)))
    control = Control()
    for event in run(spec(base=whole), control, out=tmp_path):
        if event["event"] == "epoch" and event["epoch"] == 2:
            control.stop.set()
    resumed = list(run(spec(base=whole), out=tmp_path, resume=True))
    assert epochs(resumed) == uninterrupted[2:]
    assert events(resumed, "finished")[0]["epochs"] == 4


def test_what_cannot_be_resumed_is_refused(tmp_path):
    with pytest.raises(SpecError, match="no checkpoint"):
        next(run(spec(), out=tmp_path, resume=True))
    for _ in run(spec(), out=tmp_path):
        pass
    with pytest.raises(SpecError, match="another spec"):
        next(run(spec({"seed": 3}), out=tmp_path, resume=True))
    for path in tmp_path.rglob("*.safetensors"):  # while one of them is whole, that one is taken
        path.write_bytes(b"\x00" * 64)
    with pytest.raises(SpecError, match="damaged"):
        next(run(spec(), out=tmp_path, resume=True))


def test_who_stops_while_an_epoch_is_judged_has_the_weights_of_the_one_before(tmp_path, monkeypatch):
    judged, clean = [], epoch_module.clean

    def stopped_then(session):
        judged.append(session)
        if len(judged) == 2:
            raise StoppedError
        return clean(session)

    for _ in run(spec({"train": SMALL["train"] | {"epochs": 1}}), out=tmp_path / "one"):
        pass
    monkeypatch.setattr(epoch_module, "clean", stopped_then)
    told = list(run(spec(), out=tmp_path / "two"))
    assert told[-1]["state"] == "stopped" and "of epoch 1, the last that ended" in told[-1]["reason"]
    one, two = (load_file(tmp_path / name / "weights.safetensors") for name in ("one", "two"))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_what_is_asked_while_the_last_epoch_is_judged_is_refused_not_forgotten(tmp_path, monkeypatch):
    control, clean = Control(), epoch_module.clean

    def asked_then(session):
        for command in ({"command": "edit", "set": {"train.epochs": 6}}, {"command": "checkpoint"}):
            control.post(command)
        return clean(session)

    monkeypatch.setattr(epoch_module, "clean", asked_then)
    one = spec({"train": SMALL["train"] | {"epochs": 1}})
    refused = events(run(one, control, out=tmp_path), "refused")
    assert [each["command"] for each in refused] == ["edit", "checkpoint"]
    assert all("branch from it" in each["reason"] for each in refused)


def test_the_batch_shown_is_the_batch_trained_on():
    import base64
    import io

    import numpy as np
    from PIL import Image

    from core.preview.results import first_batch

    chosen = completed(spec(base=AUGMENTED))
    batch = events(run(chosen, watch=True), "batch")[0]
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(batch["images"]))))  # (8, 8·8)
    images, names = first_batch(chosen, load_dataset(chosen.data), batch["count"])
    assert np.array_equal(picture, np.concatenate(list(images[:, 0].numpy()), axis=1))
    assert list(names) == batch["labels"]


def test_batches_made_ahead_are_those_made_one_by_one():
    session = open_session(completed(spec(base=AUGMENTED)))
    order, per_epoch = epoch_order(session.spec, len(session.train), 2), session.clock.steps_per_epoch
    made = list(batches(session, 2))
    assert [batch.step for batch in made] == list(range(per_epoch, 2 * per_epoch))
    assert torch.equal(torch.cat([batch.index for batch in made]), order)
    for batch in reversed(made):
        images, targets = session.batch(batch.index, batch.step)
        assert torch.equal(batch.images, images) and torch.equal(batch.targets, targets)


@pytest.mark.parametrize(("side", "ahead"), [(8, 8), (64, 4), (128, 1), (256, 1)])
def test_fewer_batches_are_made_ahead_the_larger_they_are(side, ahead, monkeypatch):
    session = open_session(completed(spec()))
    images, labels = torch.zeros(640, 1, side, side, dtype=torch.uint8), torch.zeros(640, dtype=torch.long)
    session.train = dataclasses.replace(session.train, images=images, labels=labels)
    session.clock = dataclasses.replace(session.clock, images=640)
    taken = []
    monkeypatch.setattr(Session, "batch", lambda self, index, step: (taken.append(step), index))
    next(batches(session, 1))
    assert taken == list(range(ahead))
    taken.clear()
    assert len(list(batches(session, 1, 9))) == 9 and taken == list(range(9))  # and none in vain


def test_what_is_dear_to_tell_is_told_less_often(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(pacing.time, "perf_counter", lambda: now[0])
    pace = pacing.Pace(0.1, share=0.01)

    def waits():
        began = now[0]
        while not pace.due():
            now[0] += 0.001
        return now[0] - began

    assert waits() == 0
    pace.took(0.0005)  # within its share
    assert waits() == pytest.approx(0.1, abs=0.002)
    pace.took(0.005)
    assert waits() == pytest.approx(0.5, abs=0.002)
    assert waits() == pytest.approx(0.1, abs=0.002)


def test_steps_are_told_less_often_if_telling_is_slow(monkeypatch):
    monkeypatch.setattr(loop, "STEP_SECONDS", 0.0)
    monkeypatch.setattr(loop, "STEP_SHARE", 1e9)  # as if telling took no time at all
    assert len(events(run(spec({"train": {"epochs": 1, "batch_size": 20}})), "step")) == 10
    monkeypatch.undo()
    monkeypatch.setattr(loop, "STEP_SECONDS", 0.0)
    told = step_event

    def slow(*arguments):
        time.sleep(0.05)
        return told(*arguments)

    monkeypatch.setattr("core.train.epoch.step_event", slow)  # 0.05 s in ten: the run is over long before
    assert len(events(run(spec({"train": {"epochs": 1, "batch_size": 20}})), "step")) == 1
