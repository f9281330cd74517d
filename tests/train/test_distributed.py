"""Several processes train what one does, to what the order of sums allows, and the same again to the bit."""

import json
import signal
import subprocess
import sys

import psutil
import pytest
import torch
from safetensors.torch import load_file

from core.catalogues import completed
from core.run.commands import Control
from core.run.errors import SpecError
from core.run.spec import ModelSpec, parse, with_setting
from core.train.loop import run
from tests.train.small_runs import epochs, last

pytestmark = pytest.mark.alone

# Of 67 images a last batch of one is left to two processes: one of them has none.
DATA = {"name": "digits", "train_images": 68}
TRAIN = {"epochs": 3, "batch_size": 33, "device": "cpu"}
AFFINE = {"op": "RandomAffine", "p": 1.0}
CASES = {
    "batch norm, channels dropped, EMA, group lasso": {
        "model": {
            "arch": "cnn",
            "params": {"channels": [4, 8], "hidden": 16, "batch_norm": True, "channel_dropout": 0.1},
        },
        "augment": {"ops": [AFFINE, {"op": "RandomErasing"}, {"op": "RandomGaussianNoise"}]},
        "regularisers": [{"kind": "ema"}, {"kind": "group_lasso", "strength": 1e-3}],
        "optimiser": {"kind": "sgd", "lr": 0.05},
    },
    "L0 gates, CutMix, smoothed labels": {
        "model": {"arch": "cnn", "params": {"channels": [8], "hidden": 16}},
        "augment": {"mix": {"op": "RandomCutMixV2"}},
        "regularisers": [{"kind": "l0"}, {"kind": "orthogonality"}, {"kind": "label_smoothing"}],
        "optimiser": {"kind": "adam", "schedule": "cosine"},
    },
    "rnn, MixUp, L1": {
        "model": {
            "arch": "rnn",
            "params": {"hidden": 16, "bidirectional": True, "layers": 2, "dropout": 0.2},
        },
        "augment": {"mix": {"op": "RandomMixUpV2"}},
        "regularisers": [{"kind": "l1", "strength": 1e-3}, {"kind": "max_norm"}],
        "optimiser": {"kind": "adam", "lr": 0.003},
    },
    "attention, stochastic depth, a policy, SWA": {
        "model": {
            "arch": "attention",
            "params": {"patch": 4, "width": 16, "heads": 2, "depth": 2, "drop_path": 0.2, "dropout": 0.1},
        },
        "augment": {"ops": [{"op": "TrivialAugment"}]},
        "regularisers": [{"kind": "swa", "params": {"start": 0.3}}],
        "optimiser": {"kind": "adam", "lr": 0.003},
    },
}
NAMES = list(CASES)
LOSSES = ("train_loss", "validation_loss", "clean_loss", "penalty")


@pytest.fixture(autouse=True)
def cores(monkeypatch):
    """Whatever machine the tests run on."""
    monkeypatch.setattr("core.train.distributed.group.most_processes", lambda: 4)


def spec(case=NAMES[0], **train):
    return parse({"data": DATA, **CASES[case], "train": {**TRAIN, **train}})


def trained(chosen, folder, **how):
    """Its epochs, without times, and its weights."""
    told = list(run(chosen, out=folder, **how))
    assert told[-1]["state"] == "finished", told[-1]
    return epochs(json.loads(json.dumps(told))), load_file(folder / "weights.safetensors")


def assert_same(one, other):
    assert one[0] == other[0]
    assert one[1].keys() == other[1].keys()
    assert all(torch.equal(value, other[1][name]) for name, value in one[1].items())


def apart(ours, theirs):
    """How far their losses are apart at most, as a share."""
    assert len(ours) == len(theirs) > 0
    pairs = [(a[name], b[name]) for a, b in zip(ours, theirs, strict=True) for name in LOSSES]
    return max(abs(a - b) / abs(b) for a, b in pairs if a != b or b)


@pytest.mark.parametrize("case", CASES)
def test_two_processes_train_what_one_does(case, tmp_path):
    ours, _ = trained(spec(case, processes=2), tmp_path / "two")
    theirs, _ = trained(spec(case), tmp_path / "one")
    assert apart(ours, theirs) < 1e-5  # 1e-7 was measured
    assert [each["train_accuracy"] for each in ours] == [each["train_accuracy"] for each in theirs]
    assert all(each["exchanged_bytes"] > 0 for each in ours)
    assert not any("exchanged_bytes" in each for each in theirs)


EDITS = [
    {"step": 2, "set": {"optimiser.lr": 0.01}},
    {
        "step": 4,
        "set": {"train.batch_size": 20, "model.params.channel_dropout": 0.3, "augment.strength": 0.5},
    },
]


@pytest.fixture
def told_each_step(monkeypatch):
    monkeypatch.setattr("core.train.loop.STEP_SECONDS", 0.0)
    monkeypatch.setattr("core.train.loop.STEP_SHARE", 1e9)


def test_three_processes_go_on_to_the_same_bits(tmp_path, told_each_step):
    """The order of three processes' sums follows from that of their gradients, which torch learns in a first
    pass: a resumed run must have it from its first step on."""
    mlp = {"arch": "mlp", "params": {"hidden": [32]}}
    chosen = spec(processes=3).model_copy(update={"regularisers": (), "model": ModelSpec(**mlp)})
    straight = trained(chosen, tmp_path / "straight")
    control, told = Control(), []
    for event in run(chosen, control, out=tmp_path / "cut"):
        told.append(event)
        if event["event"] == "step" and event["step"] == 2:
            control.stop.set()
    told += run(chosen, out=tmp_path / "cut", resume=True)
    seen = epochs(json.loads(json.dumps(told)))
    assert_same(straight, (seen, load_file(tmp_path / "cut" / "weights.safetensors")))


def test_the_same_again_to_the_bit_however_it_was_edited_paused_or_cut(tmp_path, told_each_step):
    chosen = spec(processes=2)
    straight = trained(chosen, tmp_path / "straight", edits=EDITS)
    assert straight[0] != trained(chosen, tmp_path / "plain")[0]
    control, told = Control(), []
    for event in run(chosen, control, out=tmp_path / "cut"):
        told.append(event)
        if event["event"] == "step":
            for edit in EDITS:
                if edit["step"] == event["step"]:
                    for command in ({"command": "pause"}, {"command": "edit", "set": edit["set"]}):
                        control.post(command)
                    control.post({"command": "resume"})
            if event["step"] == 5:
                control.post({"command": "checkpoint", "name": "here"})
        if event["event"] == "checkpoint":
            control.stop.set()
    assert told[-1]["state"] == "stopped" and last(told, "checkpoint")["step"] == 5
    resumed = list(run(chosen, out=tmp_path / "cut", resume=True))
    seen = epochs(json.loads(json.dumps([*told, *resumed])))
    assert_same(straight, (seen, load_file(tmp_path / "cut" / "weights.safetensors")))


def test_a_run_goes_on_with_another_number_of_processes(tmp_path):
    plain, _ = trained(spec(), tmp_path / "plain")
    control = Control()
    for event in run(spec(processes=2, gradient_precision="bfloat16"), control, out=tmp_path / "run"):
        if event["event"] == "epoch":
            control.stop.set()
    told = list(run(spec(), out=tmp_path / "run", resume=True))
    assert apart(epochs(told), plain[1:]) < 0.05
    (note,) = [each for each in last(told, "started")["notes"] if "Resumed" in each]
    assert "with 1 process instead of 2" in note and "from epoch 2 on" in note
    assert "processes" not in last(told, "started")
    with pytest.raises(SpecError, match="of another spec"):
        next(run(spec(epochs=4), out=tmp_path / "run", resume=True))


def test_gradients_in_bfloat16_are_half_the_bytes(tmp_path):
    case = NAMES[1]  # without batch norm, which exchanges statistics too
    wide, _ = trained(spec(case, processes=2), tmp_path / "wide")
    narrow, _ = trained(spec(case, processes=2, gradient_precision="bfloat16"), tmp_path / "narrow")
    parameters = 8 * 9 + 8 + 8 * 16 * 16 + 16 + 16 * 10 + 10
    sums = 2 * 8  # the loss and the number of images named rightly
    assert {each["exchanged_bytes"] for each in wide} == {4 * parameters + sums}
    assert {each["exchanged_bytes"] for each in narrow} == {2 * parameters + sums}
    assert 1e-7 < apart(narrow, wide) < 0.02


def test_a_run_whose_process_is_killed_says_so_and_leaves_none(tmp_path):
    told, chosen = [], spec(processes=2, epochs=500)
    for event in run(chosen, out=tmp_path):
        told.append(event)
        if event["event"] == "epoch" and event["epoch"] == 2:
            (other,) = psutil.Process().children()
            other.kill()
    assert told[-1]["state"] == "failed" and told[-1]["code"] == "process_lost"
    assert told[-1]["reason"].startswith("Process 2 of 2 was killed by signal 9")
    assert not psutil.Process().children()
    assert torch.get_num_threads() == 1 and not torch.distributed.is_initialized()


def test_no_process_outlives_the_first(tmp_path):
    (tmp_path / "spec.json").write_text(spec(processes=2, epochs=500).to_json())
    command = [sys.executable, "-m", "core", "run", str(tmp_path / "spec.json")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        while json.loads(first.stdout.readline())["event"] != "epoch":
            pass
        others = psutil.Process(first.pid).children()
        listening = [
            each.laddr.ip
            for other in (psutil.Process(first.pid), *others)
            for each in other.net_connections()
        ]
        first.send_signal(signal.SIGKILL)
        _, alive = psutil.wait_procs(others, timeout=10)
    assert len(others) == 1 and not alive
    assert set(listening) == {"127.0.0.1"}


def test_what_can_not_be_shared_is_refused_in_a_sentence(monkeypatch):
    with pytest.raises(SpecError, match="a batch of 2 can't be shared by 3 processes"):
        next(run(spec(processes=3, batch_size=2)))
    monkeypatch.setattr("core.train.distributed.group.most_processes", lambda: 2)
    with pytest.raises(SpecError, match="this machine has 2 processor cores; choose at most 2"):
        next(run(spec(processes=3)))


def test_a_run_that_is_stopped_while_it_begins_ends_its_processes():
    control = Control()
    control.stop.set()
    assert [each["state"] for each in run(spec(processes=2), control)] == ["stopped"]
    assert not psutil.Process().children()


def test_one_process_is_written_as_before_there_were_several():
    assert "processes" not in spec().to_json() and "gradient" not in spec().to_json()
    one = with_setting(spec(gradient_precision="bfloat16", processes=2), "train.processes=1")
    assert completed(one) == completed(spec())
