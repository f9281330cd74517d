"""Times against a clock that is wound by hand, and once against the real one."""

import json
from types import SimpleNamespace

import pytest
import torch

from core.augment.ops.mixes import MIXES
from core.probe import cost
from core.probe.cost import BATCH, FEW, TRAINING, WHOLE, Cost, measure, run, training_step
from core.run.commands import Control
from core.run.errors import SpecError
from core.run.spec import AugmentSpec, DataSpec, MixSpec, ModelSpec, OpSpec, RunSpec, TrainSpec

IMAGES = torch.randint(0, 256, (32, 1, 16, 16), dtype=torch.uint8)
TWO = AugmentSpec(ops=(OpSpec(op="RandomRotation"), OpSpec(op="RandomInvert"), OpSpec(op="RandomRotation")))


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass only when a test says so."""
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(cost, "time", SimpleNamespace(perf_counter=lambda: now.seconds))
    return now


def test_medians_of_rounds_without_the_first(clock, monkeypatch):
    """An operation draws in 1 ms and applies in 3; the first time it takes 0.1 s, and once a whole one."""

    class Slow:
        def __init__(self, spec, **_):
            self.num_ops = len(spec.ops)
            self.groups = [(i,) for i in range(self.num_ops)]
            self.delays = iter([0.1, 0.0, 1.0, 0.0])

        def draw(self, batch_size, step):
            self.delay = next(self.delays)
            clock.seconds += self.delay + 1e-3 * self.num_ops

        def apply(self, images, draws):
            clock.seconds += self.delay + 3e-3 * self.num_ops

    monkeypatch.setattr(cost, "Pipeline", Slow)
    *_, found = measure(TWO, IMAGES, seed=0, device="cpu", seconds=0.001)
    assert [part.title for part in found.parts] == ["Rotation", "Invert", "Rotation 2"]
    for part in found.parts:
        assert (part.draw, part.apply) == pytest.approx((1e3 / 32, 3e3 / 32))
    assert found.whole.total == pytest.approx(3 * 4e3 / 32)
    assert found.done == 1 and found.device == "cpu"


def test_it_measures_for_as_long_as_it_is_told_and_says_how_far_it_is(clock, monkeypatch):
    class Steady:
        groups = ((0,),)

        def __init__(self, spec, **_):
            pass

        def draw(self, batch_size, step):
            clock.seconds += 1 / 32

        def apply(self, images, draws):
            clock.seconds += 1 / 32

    monkeypatch.setattr(cost, "Pipeline", Steady)
    one = AugmentSpec(ops=(OpSpec(op="RandomInvert"),))
    done = [found.done for found in measure(one, IMAGES, seed=0, device="cpu", seconds=1.0)]
    assert done == [k / 8 for k in range(1, 9)]  # a round takes 4/32 s: alone, and the whole


def test_on_the_real_clock():
    """A bend is dearer than an inversion, and is in the whole."""
    spec = AugmentSpec(
        ops=(
            OpSpec(op="RandomInvert", p=1.0),
            OpSpec(op="RandomThinPlateSpline", p=1.0),
            OpSpec(op="RandomErasing", enabled=False),
        )
    )
    *_, found = measure(spec, IMAGES, seed=0, device="cpu", seconds=0.1)
    inverting, bending = found.parts
    assert 0 < inverting.total < bending.total < 3 * found.whole.total  # on a busy machine, too
    assert all(part.draw > 0 and part.apply > 0 for part in found.parts)


def test_what_is_fused_is_one_and_a_mix_is_timed_too():
    ops = (OpSpec(op="RandomInvert"), OpSpec(op="RandomRotation"), OpSpec(op="RandomAffine"))

    def titles(spec):
        return [part.title for part in next(measure(spec, IMAGES, seed=0, device="cpu")).parts]

    mix = MixSpec(op="RandomMixUpV2", p=1.0)
    assert titles(AugmentSpec(ops=ops, mix=mix)) == ["Invert", "Rotation + Affine", MIXES[mix.op].title]
    assert titles(AugmentSpec(ops=ops, fuse=False)) == ["Invert", "Rotation", "Affine"]
    mixing = next(measure(AugmentSpec(mix=mix), IMAGES, seed=0, device="cpu"))
    assert mixing.parts[0].apply > 0 and mixing.whole.apply > 0


def test_a_pipeline_that_does_not_fit_is_refused():
    with pytest.raises(SpecError, match="one channel"):
        next(measure(AugmentSpec(ops=(OpSpec(op="RandomHue"),)), IMAGES, seed=0, device="cpu"))


SMALL = RunSpec(
    data=DataSpec(name="arrows", train_images=400),
    augment=AugmentSpec(ops=(OpSpec(op="RandomThinPlateSpline", p=1.0),)),
    model=ModelSpec(params={"channels": [4], "hidden": 16}),
    train=TrainSpec(batch_size=50, device="cpu"),
)


def test_training_steps_are_the_engines_own_without_augmentation(clock, monkeypatch):
    durations = iter([9.0, 0.1, 0.3, 0.2])
    seen = []
    real = cost.train_step

    def step(session, images, targets, k):
        clock.seconds += next(durations)
        seen.append(k)
        assert session.pipeline is None and session.model.training
        place = (session.train.images.float() / 255 == images[7]).flatten(1).all(1).nonzero()
        assert session.train.labels[int(place)] == targets[7] and len(images) == 50
        return real(session, images, targets, k)

    monkeypatch.setattr(cost, "train_step", step)
    state = torch.get_rng_state()
    assert training_step(SMALL, seconds=0.5) == pytest.approx(0.2e6 / 50)
    assert len(seen) == 4
    assert torch.equal(torch.get_rng_state(), state)


# The job


def job(spec=SMALL, images=None, control=None):
    return list(run(spec, {"images": images or {"data": True}}, control or Control(), None))


def test_a_job_has_a_row_for_each_part_and_for_the_training_step():
    *found, final = job()
    assert final == {"event": "state", "state": "finished", "reason": ""}
    rows = [event for event in found if event["event"] == "row"]
    assert [row["part"] for row in rows] == ["operation", "whole", "training"]
    assert [row["title"] for row in rows] == ["Thin-plate bend", WHOLE, TRAINING]
    for row in rows:
        assert row["total"] == row["draw"] + row["apply"] > 0 and row["device"] == "cpu"
    done = [event["done"] / event["of"] for event in found if event["event"] == "progress"]
    assert done == sorted(done) and 0 < done[0] < done[-1] == 0.5
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.parametrize(
    ("images", "shape"),
    [
        ({"data": True}, (BATCH, 3, 32, 32)),
        ({"photos": 48}, (BATCH, 3, 48, 48)),
        ({"photos": 224}, (FEW, 3, 224, 224)),
    ],
)
def test_the_images_are_those_that_are_asked_for_and_few(monkeypatch, images, shape):
    seen = []

    def nothing(spec, images, **_):
        seen.append(images)
        yield cost.Costs((), Cost(WHOLE, 1.0, 1.0), "cpu", 1.0)

    monkeypatch.setattr(cost, "measure", nothing)
    monkeypatch.setattr(cost, "training_step", lambda *_, **__: 1.0)
    job(images=images)
    (batch,) = seen
    assert batch.shape == shape and batch.dtype == torch.uint8
    assert len({image.numpy().tobytes() for image in batch}) > 1


@pytest.mark.parametrize("training", [False, True])
def test_a_stop_is_heard_after_a_round_and_after_a_step(monkeypatch, training):
    control, steps = Control(), []
    real = cost.train_step

    def step(*given):
        steps.append(given[-1])
        control.stop.set()
        return real(*given)

    monkeypatch.setattr(cost, "train_step", step)
    if not training:
        control.stop.set()
    found = job(control=control)
    assert found[-1]["state"] == "stopped" and len(steps) == int(training)
    assert [event for event in found if event["event"] == "row" and event["part"] == "training"] == []
    assert len([event for event in found if event["event"] == "progress"]) == 1 or training


@pytest.mark.parametrize(
    ("images", "where"),
    [({}, "inputs.images"), ({"photos": 4096}, "inputs.images.photos"), ({"own": "x"}, "inputs.images.own")],
)
def test_images_of_no_use_are_refused(images, where):
    with pytest.raises(SpecError) as error:
        next(run(SMALL, {"images": images}, Control(), None))
    assert error.value.where == where


def test_operations_that_do_not_fit_and_specs_that_can_not_be_run_are_refused_in_a_sentence():
    hue = SMALL.model_copy(
        update={"data": DataSpec(name="digits"), "augment": AugmentSpec(ops=(OpSpec(op="RandomHue"),))}
    )
    with pytest.raises(SpecError, match="one channel"):
        job(hue)
    with pytest.raises(SpecError, match="too many"):
        job(SMALL.model_copy(update={"data": DataSpec(name="arrows", train_images=999_999)}))
