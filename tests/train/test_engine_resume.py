"""A run that is cut and resumed is the run that never was, bit for bit: every architecture with every
optimiser, and every regulariser with each of both."""

import json
import tomllib
from pathlib import Path

import kornia
import pytest
import torch
from safetensors.torch import load_file

import core
from core.catalogues import completed
from core.models.catalogue import ARCHITECTURES
from core.optimise import catalogue as optimisers
from core.regularise.catalogue import REGULARISERS
from core.run.events import read_event, state
from core.run.spec import parse
from core.train import checkpoint as saving
from core.train.loop import run
from core.train.session import open_session
from core.train.surroundings import changes
from tests.train.small_runs import epochs, spec, stopping

NETWORKS = {
    "cnn": {"arch": "cnn", "params": {"channels": [4, 8], "hidden": 16}},
    "cnn with norm": {"arch": "cnn", "params": {"channels": [4, 8], "hidden": 16, "batch_norm": True}},
    "mlp": {"arch": "mlp", "params": {"hidden": [24, 16], "dropout": 0.2}},
    "rnn": {"arch": "rnn", "params": {"hidden": 16, "bidirectional": True}},
    "attention": {"arch": "attention", "params": {"width": 16, "heads": 2, "depth": 1}},
}
OPTIMISERS = {
    "sgd": {"kind": "sgd", "lr": 0.05, "params": {"nesterov": True}, "schedule": "one-cycle"},
    "adam": {"kind": "adam", "lr": 0.01},
    "adamw": {"kind": "adamw", "lr": 0.01, "schedule": "cosine"},
    "rmsprop": {"kind": "rmsprop", "lr": 0.003, "params": {"momentum": 0.5}},
    "lion": {"kind": "lion", "lr": 0.002, "schedule": "warm-restarts"},
    "muon": {"kind": "muon", "lr": 0.01},
}
TOGETHER = (
    ("l1", "ema", "label_smoothing"),
    ("elastic_net", "swa", "orthogonality", "clipping"),
    ("group_lasso", "early_stopping", "max_norm"),
    ("l0", "l2", "weight_decay", "sam"),
    ("pruning", "hold_zeros", "quantisation"),
)
CASES = [
    (network, optimiser, TOGETHER[(i + j) % len(TOGETHER)])
    for i, network in enumerate(NETWORKS)
    for j, optimiser in enumerate(OPTIMISERS)
]
PARAMS = {
    "swa": {"params": {"start": 0.25}},
    "max_norm": {"params": {"c": 1.0}},
    "clipping": {"params": {"norm": 0.3}},
    "pruning": {"strength": 0.8, "schedule": "cubic", "warmup_epochs": 3},
}


def regulariser(kind, optimiser):
    """By its first solver that goes with the optimiser."""
    solvers = REGULARISERS[kind].solvers
    by_penalty = "proximal" in solvers and not optimisers.OPTIMISERS[optimiser].proximal
    return {"kind": kind} | PARAMS.get(kind, {}) | ({"solver": "penalty"} if by_penalty else {})


@pytest.fixture(autouse=True)
def checkpoints_at_every_epoch(monkeypatch):
    monkeypatch.setenv("AUGURY_CHECKPOINT_SECONDS", "0")


def cut(chosen, out, cuts):
    """The epochs of a run that is killed after each of the epochs ``cuts``, and resumed each time."""
    told = []
    for resumed, end in enumerate([*cuts, None]):
        for event in run(chosen, out=out, resume=resumed > 0):
            told.append(event)
            if event["event"] == "epoch" and event["epoch"] == end:
                break
    return epochs(told)


def assert_the_same_however_cut(chosen, folder, *all_cuts):
    uninterrupted = epochs(run(chosen, out=folder / "whole"))
    whole = load_file(folder / "whole" / "weights.safetensors")
    for cuts in all_cuts:
        assert cut(chosen, folder / "cut", cuts) == uninterrupted
        resumed = load_file(folder / "cut" / "weights.safetensors")
        assert whole.keys() == resumed.keys()
        assert all(torch.equal(whole[name], resumed[name]) for name in whole)


@pytest.mark.parametrize(
    ("network", "optimiser", "kinds"), CASES, ids=[f"{n}, {o}, {'+'.join(k)}" for n, o, k in CASES]
)
def test_a_resumed_run_is_the_run_that_never_was_cut(tmp_path, network, optimiser, kinds):
    chosen = {
        "data": {"name": "digits", "train_images": 130},
        "model": NETWORKS[network],
        "optimiser": OPTIMISERS[optimiser],
        "regularisers": [regulariser(kind, optimiser) for kind in kinds],
        "train": {"epochs": 4, "batch_size": 32, "device": "cpu"},
    }
    assert_the_same_however_cut(parse(chosen), tmp_path, [2], [1, 2, 3])


def test_the_cases_leave_nothing_out():
    assert {NETWORKS[network]["arch"] for network in NETWORKS} == set(ARCHITECTURES)
    assert set(OPTIMISERS) == set(optimisers.OPTIMISERS)
    untaught = {kind for kind, entry in REGULARISERS.items() if not entry.taught}
    assert {kind for kinds in TOGETHER for kind in kinds} == untaught
    assert {(n, kind) for n, _, kinds in CASES for kind in kinds} == {
        (n, kind) for n in NETWORKS for kind in untaught
    }
    assert {(o, kind) for _, o, kinds in CASES for kind in kinds} == {
        (o, kind) for o in OPTIMISERS for kind in untaught
    }


def test_the_default_network_resumed_is_the_run_that_never_was_cut(tmp_path):
    few = {"data": {"train_images": 96}, "train": {"epochs": 2, "batch_size": 32, "device": "cpu"}}
    assert_the_same_however_cut(parse(few), tmp_path, [1])


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_moments_come_back_in_the_layout_of_their_parameters(tmp_path, optimiser):
    chosen = {
        "data": {"name": "digits", "train_images": 64},
        "model": NETWORKS["cnn"],
        "optimiser": OPTIMISERS[optimiser],
        "train": {"epochs": 2, "batch_size": 32, "device": "cpu"},
    }
    for event in run(parse(chosen), out=tmp_path):
        if event["event"] == "epoch":
            break
    session = open_session(completed(parse(chosen)))
    saving.load_checkpoint(tmp_path, session)
    moments = [
        (parameter, value)
        for parameter, values in session.optimiser.state.items()
        for value in values.values()
        if value.shape == parameter.shape
    ]
    assert any(not parameter.is_contiguous() for parameter, _ in moments)
    assert all(value.stride() == parameter.stride() for parameter, value in moments)


def contents(folder):
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*.*")}


@pytest.mark.parametrize(
    ("regularisers", "says"),
    [
        ([], "The run was finished, after epoch 3; nothing was trained now."),
        (
            [stopping(monitor="loss", patience=1, min_delta=5.0)],
            "The run had stopped early, after epoch 2 of 3; nothing was trained now.",
        ),
    ],
)
def test_a_run_that_has_ended_says_so_and_writes_nothing(tmp_path, monkeypatch, regularisers, says):
    monkeypatch.undo()  # checkpoints as rare as they are
    chosen = spec(*regularisers, train={"epochs": 3, "batch_size": 64, "device": "cpu"})
    for _ in run(chosen, out=tmp_path):
        pass
    before = contents(tmp_path)
    assert list(run(chosen, out=tmp_path, resume=True)) == [state("finished", says)]
    assert contents(tmp_path) == before


def test_a_run_killed_before_its_last_weights_were_written_is_resumed(tmp_path, monkeypatch):
    chosen = spec(stopping(patience=2))
    uninterrupted = list(run(chosen, out=tmp_path / "whole"))
    with monkeypatch.context() as killed:
        killed.setattr("core.train.loop.save", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            list(run(chosen, out=tmp_path / "cut"))
    assert list(run(chosen, out=tmp_path / "cut", resume=True))[-1] == uninterrupted[-1]
    whole = load_file(tmp_path / "whole" / "weights.safetensors")
    resumed = load_file(tmp_path / "cut" / "weights.safetensors")
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def notes_on_resuming(chosen, out):
    return next(e for e in run(chosen, out=out, resume=True) if e["event"] == "started")["notes"]


def test_a_run_says_what_it_ran_on_and_what_has_changed_when_it_is_resumed(tmp_path, monkeypatch):
    chosen = spec(train={"epochs": 5, "batch_size": 64, "device": "cpu"})
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    told = []
    for event in run(chosen, out=tmp_path):
        told.append(event)
        if event["event"] == "epoch" and event["epoch"] == 2:
            break
    versions = {"augury": core.__version__, "torch": torch.__version__, "kornia": kornia.__version__}
    started = next(event for event in told if event["event"] == "started")
    assert (started["versions"], started["threads"], started["notes"]) == (versions, 2, [])
    assert read_event(json.dumps(started)) == started
    assert notes_on_resuming(chosen, tmp_path) == []
    end = "the numbers are not those of an uninterrupted run, bit for bit."
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    fewer = f"Resumed with 1 thread instead of 2: from epoch 3 on {end}"
    assert notes_on_resuming(chosen, tmp_path) == [fewer]
    for event in run(chosen, out=tmp_path, resume=True):
        if event["event"] == "epoch" and event["epoch"] == 3:
            break
    assert notes_on_resuming(chosen, tmp_path) == [fewer]  # what was once so stays said
    monkeypatch.setattr(kornia, "__version__", "9.9")
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    other = f"Resumed with 3 threads instead of 1, with kornia 9.9 instead of {versions['kornia']}: "
    assert notes_on_resuming(chosen, tmp_path) == [fewer, f"{other}from epoch 4 on {end}"]


def test_another_device_is_said():
    now = {"device": "cpu", "threads": 1, "versions": {}}
    assert changes({"device": "cuda", "threads": 1, "versions": {}}, now, 7) == [
        "Resumed on a CPU instead of a CUDA device: from epoch 8 on the numbers are not those of an "
        "uninterrupted run, bit for bit."
    ]


def test_the_version_is_the_projects():
    project = tomllib.loads((Path(core.__file__).parent.parent / "pyproject.toml").read_text())
    assert project["project"]["version"] == core.__version__
