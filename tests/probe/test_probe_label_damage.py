"""Label damage: a network that is really trained on arrows, on which flips must lie and noise not."""

import base64
import io
import json
import shutil
import time
import uuid

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from core.augment.catalogue import OPERATIONS
from core.augment.ops.mixes import MIXES
from core.probe import label_damage
from core.probe.label_damage import (
    PLAIN,
    WHOLE,
    Accuracy,
    Mistake,
    measured,
    open_trained,
    plan,
    stratified,
)
from core.probe.label_warnings import label_warnings
from core.probe.trained_run import WEIGHTS, latest_run
from core.run.commands import Control
from core.run.errors import SpecError
from core.run.events import MAX_EVENT_BYTES
from core.run.spec import AugmentSpec, DataSpec, MixSpec, ModelSpec, OpSpec, OptimiserSpec, RunSpec, TrainSpec
from core.store.store import Store, run_folder
from core.train import loop as engine

ARROWS = RunSpec(
    data=DataSpec(name="arrows"),
    augment=AugmentSpec(ops=(OpSpec(op="RandomInvert", p=0.1),)),
    model=ModelSpec(params={"channels": [16, 32], "hidden": 64}),
    optimiser=OptimiserSpec(lr=2e-3),
    train=TrainSpec(epochs=3, batch_size=32, device="cpu"),
)
PIPELINE = AugmentSpec(
    ops=(
        OpSpec(op="RandomHorizontalFlip", p=0.5),
        OpSpec(op="RandomVerticalFlip", enabled=False),
        OpSpec(op="RandomGaussianNoise", p=0.2, params={"std": 0.02}),
    )
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder a run left, and its last epoch."""
    folder = tmp_path_factory.mktemp("arrows")
    epochs = [event for event in engine.run(ARROWS, out=folder) if event["event"] == "epoch"]
    return folder, epochs[-1]


@pytest.fixture(scope="module")
def trained(run):
    return open_trained(ARROWS, run[0])


@pytest.fixture(scope="module")
def found(trained):
    return {each.title: each for each in measured(trained, PIPELINE, seed=3)}


def test_plain_accuracy_is_what_the_run_reported(run, found):
    plain = found[PLAIN]
    assert plain.share == run[1]["validation_accuracy"] > 0.7
    assert plain.images == 800 and plain.mistakes == ()


def test_a_flip_lies_on_arrows_and_a_little_noise_does_not(found):
    plain, flip, noise, whole = found.values()
    assert [flip.title, noise.title, whole.title] == ["Horizontal flip", "Gaussian noise", WHOLE]
    assert flip.share < plain.share - 0.2
    assert abs(noise.share - plain.share) < 0.05
    assert flip.share < whole.share < plain.share  # only every other image is flipped there


def test_the_flip_s_accuracy_is_that_of_mirrored_images(trained, found):
    images = trained.validation.images.flip(3).float() / 255
    with torch.inference_mode():
        answers = trained.model(trained.normalised(images)).argmax(1)
    right = int((answers == trained.validation.labels).sum())
    assert abs(found["Horizontal flip"].right - right) <= 1  # batches of another size round differently


def test_mistakes_are_mirrored_arrows_the_network_knew_plain(trained, found):
    mistakes = found["Horizontal flip"].mistakes
    assert len(mistakes) == 4
    for mistake in mistakes:
        assert torch.equal(mistake.after, mistake.before.flip(2))
        assert {mistake.label, mistake.answer} == {"left", "right"}
        same = (trained.validation.images == mistake.before).flatten(1).all(1)
        place = int(same.nonzero())
        assert trained.validation.classes[trained.validation.labels[place]] == mistake.label
        with torch.inference_mode():
            logits = trained.model(trained.normalised(torch.stack([mistake.before, mistake.after]) / 255))
        names = [trained.validation.classes[i] for i in logits.argmax(1)]
        assert names == [mistake.label, mistake.answer]
        assert mistake.confidence == pytest.approx(float(logits[1].softmax(0).max()), abs=1e-4)
    sure = [mistake.confidence for mistake in mistakes]
    assert sure == sorted(sure, reverse=True) and sure[-1] > 0.9


def test_it_comes_one_by_one_and_the_same_again(trained, found):
    few = list(measured(trained, PIPELINE, seed=3, num_images=100, num_mistakes=2))
    again = measured(trained, PIPELINE, seed=3, num_images=100, num_mistakes=2)
    for first in few:
        second = next(again)
        assert (first.title, first.right, first.images) == (second.title, second.right, 100)
    assert [len(each.mistakes) for each in few][:2] == [0, 2]


def test_a_network_is_opened_whatever_else_of_its_spec_is_gone(run):
    gone = ARROWS.model_copy(
        update={
            "augment": AugmentSpec(ops=(OpSpec(op="OldFlip"),)),
            "optimiser": OptimiserSpec(kind="oldgrad"),
        }
    )
    assert open_trained(gone, run[0]).validation.channels == 3


def test_a_plan_has_a_row_for_each_operation_that_is_on_and_one_for_all():
    spec = AugmentSpec(
        ops=(
            OpSpec(op="RandomErasing"),
            OpSpec(op="RandomErasing"),
            OpSpec(op="RandomInvert", enabled=False),
        ),
        choose=1,
        strength=0.5,
    )
    rows = plan(spec)
    assert [title for title, _ in rows] == [PLAIN, "Erasing", "Erasing 2", WHOLE]
    for op, (_, row) in zip(spec.ops, rows[1:3], strict=False):
        assert row == AugmentSpec(ops=(op.model_copy(update={"p": 1.0}),), strength=0.5)
    assert rows[3][1] == AugmentSpec(ops=spec.ops[:2], choose=1, strength=0.5)
    certain = AugmentSpec(ops=(OpSpec(op="RandomErasing", p=1.0),))
    assert len(plan(certain)) == 2  # alone it is the whole
    assert plan(AugmentSpec()) == [(PLAIN, AugmentSpec())]


def test_what_does_not_fit_the_images_is_refused(run, tmp_path):
    few = DataSpec(name="mnist5k", train_images=100)
    grey = RunSpec(
        data=few, model=ModelSpec(params={"channels": [4]}), train=TrainSpec(epochs=1, device="cpu")
    )
    list(engine.run(grey, out=tmp_path))
    colour = AugmentSpec(ops=(OpSpec(op="RandomHue"),))
    with pytest.raises(SpecError, match="one channel"):
        next(measured(open_trained(grey, tmp_path), colour, seed=0))


@pytest.mark.parametrize("content", [None, b"", b"no weights at all", "other"])
def test_weights_that_can_not_be_used_are_one_sentence(run, tmp_path, content):
    spec = ARROWS
    if content == "other":
        spec = ARROWS.model_copy(update={"model": ModelSpec(params={"channels": [8], "hidden": 64})})
        content = (run[0] / WEIGHTS).read_bytes()
    if content is not None:
        (tmp_path / WEIGHTS).write_bytes(content)
    with pytest.raises(SpecError, match=r"^The run's weights can't be read; train once more") as error:
        open_trained(spec, tmp_path)
    assert str(tmp_path) not in str(error.value)


def test_a_run_made_on_other_hardware_or_with_bfloat16_opens_here(run):
    elsewhere = ARROWS.train.model_copy(update={"device": "cuda", "precision": "bfloat16"})
    session = open_trained(ARROWS.model_copy(update={"train": elsewhere}), run[0], device="cpu")
    assert session.device.type == "cpu" and not session.model.training


def test_the_latest_run_on_these_images_that_left_weights(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path))
    store = Store(f"sqlite:///{tmp_path / 'augury.db'}")
    began = time.time()

    def add(after: float, state: str, weights: bool, arch: str = "cnn", kind: str = "train", **fields) -> str:
        run_id = uuid.uuid4().hex
        spec = RunSpec(data=DataSpec(**fields), model=ModelSpec(arch=arch))
        store.create(run_id, spec, began + after, kind=kind)
        store.set_state(run_id, state)
        if weights:
            run_folder(run_id).mkdir(parents=True)
            (run_folder(run_id) / WEIGHTS).touch()
        return run_id

    add(1, "finished", True, name="arrows")
    wanted = add(2, "finished", True, name="arrows", train_images=500)
    add(3, "finished", False, name="arrows")
    add(4, "failed", True, name="arrows")
    other = add(5, "finished", True, name="digits")
    add(5.5, "finished", True, name="digits", arch="gone")
    add(5.6, "finished", True, name="digits", kind="study.path_point")
    own = add(6, "finished", True, name="folder", path="a.zip", side=32)
    runs = store.runs()
    store.close()
    for dataset, expected in (
        (DataSpec(name="arrows"), wanted),
        (DataSpec(name="digits", validation_share=0.5), other),
        (DataSpec(name="folder", path="a.zip", side=32), own),
    ):
        assert latest_run(runs, dataset).id == expected
    assert latest_run(runs, DataSpec(name="folder", path="a.zip", side=64)) is None
    assert latest_run(runs, DataSpec(name="mnist5k")) is latest_run([], DataSpec()) is None


# The job


@pytest.fixture
def kept_run(run, tmp_path, monkeypatch):
    """The inputs for the network of `run`, which lies where runs lie."""
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path))
    run_id = uuid.uuid4().hex
    shutil.copytree(run[0], run_folder(run_id))
    return {"weights_of": run_id, "augment": PIPELINE.model_dump(mode="json"), "seed": 3}


def test_a_job_has_a_row_for_each_pipeline_with_pictures_of_mistakes(kept_run, found):
    *events, final = label_damage.run(ARROWS, kept_run, Control(), None)
    assert final["state"] == "finished"
    rows = [event for event in events if event["event"] == "row"]
    for row, known in zip(rows, found.values(), strict=True):
        assert (row["title"], row["right"], row["images"]) == (known.title, known.right, known.images)
        assert row["low"] < known.share < row["high"] <= 1
        assert row["lost"] - row["won"] == rows[0]["right"] - row["right"]
        assert (row["lost"], row["won"]) == (known.lost, known.won)
        for told, mistake in zip(row["mistakes"], known.mistakes, strict=True):
            assert pixels(told["before"]) == mistake.before.numpy().tobytes()
            assert pixels(told["after"]) == mistake.after.numpy().tobytes()
            assert told["label"] == mistake.label and told["answer"] == mistake.answer
            assert told["confidence"] == mistake.confidence
    progress = [event for event in events if event["event"] == "progress"]
    assert [(each["done"], each["of"]) for each in progress] == [(0, 1), (1, 4), (2, 4), (3, 4), (4, 4)]
    assert json.loads(json.dumps(events, allow_nan=False)) == events


def pixels(uri: str) -> bytes:
    """What a data URI shows, channels first."""
    image = Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))
    return np.asarray(image).transpose(2, 0, 1).tobytes()


@pytest.mark.parametrize("batches", [0, 1, 13, 14])
def test_a_stop_is_heard_once_a_batch(kept_run, monkeypatch, batches):
    """Of 800 images there are 13 batches a pipeline."""
    control, asked = Control(), []
    real = label_damage.open_trained

    def opened(*given):
        session = real(*given)
        model = session.model

        def ask(images):
            asked.append(len(images))
            if len(asked) == batches:
                control.stop.set()
            return model(images)

        session.model = ask
        return session

    monkeypatch.setattr(label_damage, "open_trained", opened)
    if not batches:
        control.stop.set()
    *events, final = label_damage.run(ARROWS, kept_run, control, None)
    assert final["state"] == "stopped" and len(asked) == batches
    assert len([event for event in events if event["event"] == "row"]) == max(0, batches - 1) // 13


def test_a_row_has_room_in_an_event_whatever_the_images():
    torch.manual_seed(0)
    noise = torch.randint(0, 256, (2, 3, 95, 95), dtype=torch.uint8)  # as PNG larger than itself
    mistakes = tuple(Mistake(noise[0], noise[1], "a", "b", 1 - i / 10) for i in range(4))
    row = label_damage._row(Accuracy("x", 5, 10, 1, 1, mistakes))
    assert [told["confidence"] for told in row["mistakes"]] == [1.0, 0.9]
    assert len(json.dumps(row)) < MAX_EVENT_BYTES


@pytest.mark.parametrize("inputs", [{}, {"weights_of": "../../etc"}, {"weights_of": "0" * 32, "augment": 3}])
def test_inputs_of_no_use_are_refused(inputs):
    with pytest.raises(SpecError, match="inputs"):
        next(label_damage.run(ARROWS, inputs, Control(), None))


@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_is_that_of_newcombe_s_table(right, total, low, high):
    """Newcombe 1998, Two-sided confidence intervals for the single proportion, table I, method 3."""
    row = label_damage._row(Accuracy("x", right, total, 0, 0, ()))
    assert (row["low"], row["high"]) == pytest.approx((low, high), abs=5e-5)
    row = label_damage._row(Accuracy("x", total - right, total, 0, 0, ()))
    assert (row["low"], row["high"]) == pytest.approx((1 - high, 1 - low), abs=5e-5)


@given(labels=st.lists(st.integers(0, 4), min_size=1, max_size=200), limit=st.integers(1, 120))
@settings(max_examples=50, deadline=None)
def test_a_part_has_every_class_in_proportion(labels, limit):
    places = stratified(torch.tensor(labels), limit)
    size = min(limit, len(labels))
    assert len(places) == len(set(places.tolist())) == size
    taken = [labels[i] for i in places.tolist()]
    for label in set(labels):
        assert abs(taken.count(label) - labels.count(label) * size / len(labels)) < 1


def test_declared_is_what_the_catalogue_warns_of_once():
    harmless = next(name for name, entry in OPERATIONS.items() if not entry.can_lie)
    spec = AugmentSpec(
        ops=(
            OpSpec(op="RandomHorizontalFlip"),
            OpSpec(op=harmless),
            OpSpec(op="RandomVerticalFlip", enabled=False),
            OpSpec(op="RandomRotation"),
            OpSpec(op="RandomRotation"),
        ),
        mix=MixSpec(op="RandomMixUpV2"),
    )
    (flip, mirrored), (rotation, turned), (_, mixed) = label_warnings(spec)
    assert (flip, rotation) == ("Horizontal flip", "Rotation") and mixed == MIXES["RandomMixUpV2"].can_lie
    assert "mirrored" in mirrored.lower() and turned == OPERATIONS["RandomRotation"].can_lie
