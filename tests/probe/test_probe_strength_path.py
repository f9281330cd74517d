"""A path's points are runs: the same numbers, from one warm start, in the order λ gives them."""

import json
import math
import os
import shutil
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from core.__main__ import main
from core.catalogues import completed
from core.regularise.catalogue import REGULARISERS
from core.run.commands import Control
from core.run.errors import SpecError
from core.run.spec import (
    AugmentSpec,
    DataSpec,
    ModelSpec,
    OpSpec,
    OptimiserSpec,
    RegulariserSpec,
    RunSpec,
    TrainSpec,
)
from core.study import path_plan, strength_path, warm_start
from core.study.path_plan import quick, strengths
from core.study.strength_path import path_events
from core.train.batching import batches
from core.train.loop import run
from core.train.session import open_session
from core.train.step import train_step

WARM, EACH = 4, 4
TINY = RunSpec(
    name="Tiny",
    seed=3,
    data=DataSpec(name="digits", train_images=600),
    augment=AugmentSpec(ops=(OpSpec(op="RandomRotation", params={"degrees": [-5, 5]}),)),
    model=ModelSpec(params={"channels": [4], "hidden": 16}),
    regularisers=(RegulariserSpec(kind="l1", strength=1e-3, solver="proximal", warmup_epochs=50),),
    optimiser=OptimiserSpec(kind="adam", lr=5e-3, schedule="cosine"),
    train=TrainSpec(epochs=80, batch_size=32, device="cpu"),
)


def rows(events):
    return [event for event in events if event["event"] == "row"]


def points(spec=TINY, lambdas=(0.0, 1e-4, 1e-3, 1e-2, 1e-1)):
    return rows(path_events(spec, regulariser=0, lambdas=lambdas, warm_epochs=WARM, epochs_each=EACH))


@pytest.fixture(scope="module")
def path():
    return points()


def last_epoch(spec):
    return [event for event in run(spec) if event["event"] == "epoch"][-1]


def figures(point):
    return point["accuracy"], point["exact"], point["near"]


def figures_of(epoch):
    return epoch["validation_accuracy"], epoch["sparsity"]["exact"], epoch["sparsity"]["near"]


def test_zero_is_the_run_without_a_regulariser(path):
    train = TINY.train.model_copy(update={"epochs": WARM + EACH})
    plain = last_epoch(TINY.model_copy(update={"regularisers": (), "train": train}))
    assert figures(path[0]) == figures_of(plain)
    assert path[0]["exact"] == 0


@pytest.mark.parametrize("kind", ["l1", "elastic_net", "l2", "weight_decay"])
def test_a_point_is_the_run_in_which_the_strength_steps_in_after_the_warm_start(kind):
    """Bit for bit, so the copy is whole: network, norms, optimiser, draws."""
    regulariser = RegulariserSpec(kind=kind, strength=3e-3)
    train = TINY.train.model_copy(update={"epochs": WARM + EACH})
    stepped = regulariser.model_copy(update={"schedule": "step", "warmup_epochs": WARM})
    whole = last_epoch(TINY.model_copy(update={"regularisers": (stepped,), "train": train}))
    (point,) = points(TINY.model_copy(update={"regularisers": (regulariser,)}), lambdas=[3e-3])
    assert figures(point) == figures_of(whole)


def test_more_strength_makes_more_zeros(path):
    exact = [point["exact"] for point in path]
    assert all(less < more for less, more in pairwise(exact)) and exact[-1] > 0.8


def test_a_point_says_which_images_are_right(path):
    """As a run's own network says of the same images, one by one."""
    train = TINY.train.model_copy(update={"epochs": WARM + EACH})
    session = open_session(completed(TINY.model_copy(update={"regularisers": (), "train": train})))
    for epoch in range(1, WARM + EACH + 1):
        session.model.train()
        for batch in batches(session, epoch):
            train_step(session, batch.images, batch.targets, batch.step)
    images = session.normalised(session.validation.images.float() / 255)
    right = session.model.eval()(images).argmax(1) == session.validation.labels
    assert path[0]["images"] == len(right) == 359
    told = np.unpackbits(np.frombuffer(bytes.fromhex(path[0]["right"]), np.uint8), count=359)
    assert told.tolist() == right.int().tolist() and 0 < told.mean() == path[0]["accuracy"]
    assert all(each["right"] != path[0]["right"] for each in path[3:])


def test_groups_are_counted():
    killed = points(TINY, [10.0])[0]
    assert killed["exact"] == killed["groups"] == 1.0 and points(TINY, [0.0])[0]["groups"] == 0


def test_a_point_does_not_depend_on_the_others(path):
    """Every λ starts from the warm start and not from the λ before it, so order changes nothing."""
    again = points(lambdas=[1e-2, 1e-4])
    assert [figures(point) for point in again] == [figures(path[3]), figures(path[1])]


def test_the_other_regularisers_stay_and_are_strong_by_the_end_of_the_warm_start():
    lasso = TINY.regularisers[0]
    decay = RegulariserSpec(kind="weight_decay", strength=50.0, warmup_epochs=40)
    both = TINY.model_copy(update={"regularisers": (lasso, decay)})
    decayed = quick(both, 0, warm_epochs=WARM).regularisers[1]
    assert (decayed.strength, decayed.warmup_epochs) == (50.0, WARM)
    assert points(both, [0.0])[0]["near"] > points(TINY, [0.0])[0]["near"]


def test_progress_rises_to_the_end_and_says_what_is_trained(monkeypatch):
    monkeypatch.setattr(strength_path, "PROGRESS_SECONDS", 0)
    found = path_events(TINY, regulariser=0, lambdas=[1e-4, 1e-3], warm_epochs=1, epochs_each=1)
    progress = [event for event in found if event["event"] == "progress"]
    assert [each["done"] / each["of"] for each in progress] == pytest.approx([k / 57 for k in range(1, 58)])
    assert [each["strength"] for each in progress] == [None] * 19 + [1e-4] * 19 + [1e-3] * 19
    assert progress[0]["what"] == "Warm start, without it" and progress[-1]["what"] == "λ = 0.001"
    assert progress[0]["seconds_left"] is None and progress[-1]["seconds_left"] == 0


@pytest.mark.parametrize("after", [0, 2])
def test_a_stop_is_heard_within_a_batch(monkeypatch, after):
    monkeypatch.setattr(strength_path, "PROGRESS_SECONDS", 0)
    control, left = Control(), None
    for event in path_events(TINY, control, regulariser=0, lambdas=[1e-4, 1e-3, 1e-2]):
        if left is not None:
            left += event["event"] != "state"
        elif event["event"] == "progress" and event["strength"] == (None, 1e-3)[after > 0]:
            control.stop.set()
            left = 0
    assert event["state"] == "stopped" and left == 0


def test_a_strength_that_diverges_is_one_point_without_an_accuracy():
    wild = TINY.model_copy(
        update={
            "regularisers": (RegulariserSpec(kind="l2", strength=1.0),),
            "optimiser": OptimiserSpec(kind="sgd", lr=5.0, params={"momentum": 0.0}),
            "augment": AugmentSpec(),
        }
    )
    tame = wild.model_copy(update={"optimiser": OptimiserSpec(kind="sgd", lr=0.05)})
    found = points(tame, [1e-4, 100.0])
    assert found[0]["accuracy"] is not None and found[1]["accuracy"] is None


def test_a_network_that_diverges_by_itself_says_so_before_any_strength():
    wild = OptimiserSpec(kind="sgd", lr=10.0, params={"momentum": 0.99})
    wild = TINY.model_copy(update={"optimiser": wild, "model": ModelSpec(arch="mlp")})
    *_, final = path_events(wild, regulariser=0)
    assert final["state"] == "failed" and "lower learning rate" in final["reason"]


@pytest.mark.parametrize(
    "kind", [kind for kind, entry in REGULARISERS.items() if entry.default_strength is not None]
)
def test_the_grid_is_log_spaced_around_the_default_on_the_dial(kind):
    entry, grid = REGULARISERS[kind], strengths(kind)
    assert len(set(grid)) == 8 and grid == tuple(sorted(grid))
    assert entry.strength_low <= grid[0] <= entry.default_strength <= grid[-1] <= entry.strength_high
    steps = [math.log10(b / a) for a, b in pairwise(grid)]
    assert max(steps) - min(steps) < 0.25 and max(steps) < 0.6


def test_the_grid_of_l1_is_round():
    assert strengths("l1") == (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)


def test_what_a_path_does_not_read_does_not_change_it():
    plain = quick(TINY, 0)
    chosen = TINY.regularisers[0].model_copy(update={"strength": 0.02, "warmup_epochs": 7})
    other = TINY.model_copy(update={"name": "Another", "regularisers": (chosen,)})
    other = other.model_copy(update={"train": TINY.train.model_copy(update={"epochs": 2})})
    assert quick(other, 0) == plain == quick(plain, 0)
    assert quick(TINY.model_copy(update={"seed": 4}), 0) != plain
    penalty = TINY.regularisers[0].model_copy(update={"solver": "penalty"})
    assert quick(TINY.model_copy(update={"regularisers": (penalty,)}), 0) != plain


def test_larger_sets_are_cut_to_the_budget(home):
    small = TINY.model_copy(update={"data": DataSpec(name="digits", train_images=120)})
    (whole,) = points(small, [1e-3])
    for data in (TINY.data, DataSpec(name="digits")):
        (cut,) = job(plan(TINY.model_copy(update={"data": data}), images=120), 1e-3)
        assert figures(cut) == figures(whole)


L1 = RegulariserSpec(kind="l1")


@pytest.mark.parametrize(
    ("regularisers", "regulariser", "lambdas", "says"),
    [
        ((), 0, None, "the spec has none"),
        ((L1,), 1, None, "there are 1"),
        ((L1,), -1, None, "there are 1"),
        ((RegulariserSpec(kind="early_stopping"),), 0, None, "has no strength"),
        ((L1,), 0, [-1.0], "from 0 to 100"),
        ((L1,), 0, [math.nan], "from 0 to 100"),
    ],
)
def test_what_is_no_path_is_refused_in_a_sentence(regularisers, regulariser, lambdas, says):
    with pytest.raises(SpecError, match=says):
        next(
            path_events(
                TINY.model_copy(update={"regularisers": regularisers}),
                regulariser=regulariser,
                lambdas=lambdas,
            )
        )


# The jobs of a path


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path))
    return tmp_path


def plan(spec=TINY, images=2500, start="5" * 64):
    """The spec and the inputs of a job of a path as `points` makes them, but for λ."""
    inputs = {"regulariser": 0, "warm_epochs": WARM, "images": images, "start": start}
    return quick(spec, 0, warm_epochs=WARM, epochs_each=EACH), inputs


def job(planned, strength, control=None):
    spec, inputs = planned
    found = list(strength_path.run(spec, inputs | {"strength": strength}, control or Control(), None))
    assert found[-1]["state"] == ("stopped" if control else "finished")
    return rows(found)


def kept(home):
    return sorted(path.name for path in (home / "cache" / "warm_starts").iterdir())


def count_steps(monkeypatch):
    steps = []
    real = strength_path.train_step
    monkeypatch.setattr(strength_path, "train_step", lambda *step: (steps.append(step[-1]), real(*step)))
    return steps


def test_jobs_give_the_path_bit_for_bit_and_train_the_warm_start_once(home, path, monkeypatch):
    steps = count_steps(monkeypatch)
    assert figures(*job(plan(), 1e-3)) == figures(path[2])
    assert len(steps) == 19 * (WARM + EACH) and kept(home) == ["5" * 64]
    assert figures(*job(plan(), 1e-2)) == figures(path[3])
    assert len(steps) == 19 * (WARM + EACH + EACH)


@pytest.mark.parametrize("harm", ["lost", "damaged", "of another spec", "other threads"])
def test_a_warm_start_that_is_of_no_use_is_trained_again(home, path, monkeypatch, harm):
    other = TINY.model_copy(update={"seed": 4})
    job(plan(other if harm == "of another spec" else TINY), 1e-3)
    folder = warm_start.place("5" * 64)
    if harm == "lost":
        shutil.rmtree(folder)
    elif harm == "damaged":
        (folder / "checkpoint.safetensors").write_bytes(b"nothing")
    elif harm == "other threads":
        monkeypatch.setattr(
            warm_start,
            "load_checkpoint",
            lambda *_: SimpleNamespace(epochs=[{}] * WARM, notes=["Resumed with …"]),
        )
    assert figures(*job(plan(), 1e-2)) == figures(path[3])
    assert kept(home) == ["5" * 64]


def test_only_a_few_warm_starts_are_kept(home, monkeypatch):
    monkeypatch.setattr(warm_start, "MOST", 2)
    for i, digest in enumerate("abc"):
        warm_start.keep_diverged(warm_start.place(64 * digest))
        os.utime(warm_start.place(64 * digest), (i, i))
    assert kept(home) == [64 * "b", 64 * "c"]


def test_where_nothing_can_be_kept_a_job_is_done_all_the_same(home, path):
    (home / "cache").write_text("no folder")
    assert figures(*job(plan(), 1e-2)) == figures(path[3])


def test_a_warm_start_that_diverged_is_not_tried_again(home, monkeypatch):
    wild = OptimiserSpec(kind="sgd", lr=10.0, params={"momentum": 0.99})
    spec, inputs = plan(TINY.model_copy(update={"optimiser": wild, "model": ModelSpec(arch="mlp")}))
    steps = count_steps(monkeypatch)
    for _ in range(2):
        *_, final = strength_path.run(spec, inputs | {"strength": 1e-3}, Control(), None)
        assert final["state"] == "failed" and "lower learning rate" in final["reason"]
        assert len(steps) == 19 * WARM


def test_a_job_that_is_stopped_has_no_row(home):
    control = Control()
    control.stop.set()
    assert job(plan(), 1e-3, control) == [] and not (home / "cache").exists()


@pytest.mark.parametrize(
    ("inputs", "where"),
    [
        ({"start": "../" * 20}, "inputs.start"),
        ({"strength": 101.0}, "lambdas"),
        ({"regulariser": 1}, "regularisers"),
        ({"more": 1}, "inputs.more"),
    ],
)
def test_inputs_of_no_use_are_refused(home, inputs, where):
    spec, good = plan()
    with pytest.raises(SpecError) as error:
        next(strength_path.run(spec, {**good, "strength": 1e-3, **inputs}, Control(), None))
    assert error.value.where == where


def test_a_plan_has_a_job_for_each_strength_and_equal_plans_have_equal_groups():
    spec = quick(TINY, 0)
    found = path_plan.path_plan(spec, 0)
    assert [each["strength"] for each in found.inputs] == [0.0, *strengths("l1")]
    assert len({each["start"] for each in found.inputs}) == 1 and found.spec == spec
    assert path_plan.path_plan(quick(TINY.model_copy(update={"name": "Another"}), 0), 0) == found
    fresh = path_plan.path_plan(spec, 0, fresh="1")
    assert fresh.group != found.group and fresh.inputs[0]["start"] != found.inputs[0]["start"]
    assert path_plan.path_plan(quick(TINY.model_copy(update={"seed": 4}), 0), 0).group != found.group


# The command line


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "tiny.json"
    path.write_text(TINY.to_json())
    return str(path)


def test_the_command_prints_one_event_a_line(capsys, file):
    tiny = ["path", file, "--set", "data.train_images=100", "--lambdas", "1e-4,0.01"]
    assert main(tiny) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["event"] for line in lines[:-1]} == {"progress", "row"}
    assert lines[-1] == {"event": "state", "state": "finished", "reason": ""}
    found = [line for line in lines if line["event"] == "row"]
    assert [each["strength"] for each in found] == [1e-4, 0.01]
    assert found[0]["accuracy"] > 0.1 and found[1]["exact"] > found[0]["exact"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--lambdas", "1e-4,much"], "no list of numbers"),
        (["--lambdas", "1e-4,-1"], "from 0 to 100"),
        (["--regulariser", "3"], "there is no regulariser 3"),
        (["--set", "regularisers=[]"], "the spec has none"),
    ],
)
def test_wrong_input_is_one_line_and_status_2(capsys, file, arguments, says):
    assert main(["path", file, *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1 and says in captured.err


def test_a_path_that_fails_exits_with_1_and_says_why(capsys, file):
    wild = [
        "--set",
        'optimiser={"kind":"sgd","lr":10.0,"params":{"momentum":0.99}}',
        "--set",
        "model.arch=mlp",
    ]
    assert main(["path", file, *wild, "--set", "model.params={}"]) == 1
    assert "lower learning rate" in capsys.readouterr().err


def test_a_path_of_a_penalty_that_is_released_is_that_of_one_that_is_not():
    """It asks what λ does, so λ must act to its end."""
    released = tuple(
        each.model_copy(update={"release_epochs": 60, "release_rate": 3.0}) if each.kind == "l1" else each
        for each in TINY.regularisers
    )
    assert any(each.release_epochs for each in released)
    assert quick(TINY.model_copy(update={"regularisers": released}), 0) == quick(TINY, 0)
