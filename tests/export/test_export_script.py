"""A run's script prints the run's own figures, bit for bit, where there is no Augury."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.__main__ import main
from core.jobs.event_file import EventFile
from core.run.checkpoints import KEPT, START
from core.run.commands import Control
from core.run.spec import (
    AugmentSpec,
    DataSpec,
    MixSpec,
    ModelSpec,
    OpSpec,
    OptimiserSpec,
    RegulariserSpec,
    RunSpec,
    SeedsSpec,
    TrainSpec,
    parse,
)
from core.train.loop import run
from tests.export.scripts import (
    CHOICES,
    FIGURES,
    TINY,
    Processes,
    all_combinations,
    compared,
    pairwise_combinations,
    printed,
    spec_of,
)

PAIRWISE = pairwise_combinations()


@pytest.fixture(scope="module")
def processes():
    made = Processes()
    yield made
    made.close()


def test_every_two_choices_meet():
    met = {
        frozenset([(i, a), (j, b)])
        for each in PAIRWISE
        for i, a in enumerate(each)
        for j, b in enumerate(each)
    }
    for i, these in enumerate(CHOICES):
        for j, those in enumerate(CHOICES):
            if i != j:
                assert {frozenset([(i, a), (j, b)]) for a in these for b in those} <= met
    assert len(PAIRWISE) < len(list(all_combinations())) / 10


@pytest.mark.parametrize("combination", PAIRWISE, ids=" · ".join)
def test_a_script_prints_the_runs_figures(combination, tmp_path, processes):
    ran, told = compared(spec_of(combination), tmp_path, processes=processes)
    assert ran and told == ran


EDITS = [
    {"step": 0, "set": {"optimiser.lr": 0.003}},
    {"step": 3, "set": {"model.params.dropout": 0.1, "regularisers.0.strength": 0.01}},
    {"step": 5, "set": {"augment.ops.0.enabled": True, "augment.mix.p": 0.2, "train.epochs": 4}},
    {"step": 7, "set": {"optimiser.lr": 0.001}},
    {"step": 9, "set": {"train.batch_size": 48, "regularisers.1.params.patience": 9}},
    {"step": 13, "set": {"augment.ops.1.params.degrees": [-5, 5]}},
]


@pytest.mark.parametrize("network", ["cnn norm", "attention", "lstm"])
def test_edits_are_made_at_their_steps(network, tmp_path, processes):
    spec = spec_of((network, "none", "none", "sgd"), epochs=3) | {
        "regularisers": [{"kind": "l1"}, {"kind": "early_stopping"}, {"kind": "ema"}],
        "augment": {
            "ops": [
                {"op": "RandomHorizontalFlip", "enabled": False},
                {"op": "RandomRotation", "params": {"degrees": [-30, 30]}},
            ],
            "mix": {"op": "RandomMixUpV2"},
        },
    }
    ran, told = compared(spec, tmp_path, EDITS, processes)
    assert len(ran) == 4 and told == ran
    script = (tmp_path / "out" / "train.py").read_text()
    assert "LEARNING_RATE" in script and "EDITS" in script


def test_what_changes_gradients_acts_together_and_its_edits_are_made(tmp_path, processes):
    """With L0's gates too, a distance that begins with the second epoch, and both changed in its midst."""
    spec = spec_of(("cnn norm", "none", "choose and mix", "nesterov"), epochs=3) | {
        "regularisers": [
            {"kind": "clipping", "params": {"norm": 0.5}},
            {"kind": "sam", "warmup_epochs": 1, "schedule": "step"},
            {"kind": "l0"},
        ]
    }
    edits = [
        {"step": 9, "set": {"regularisers.0.params.norm": 0.05, "optimiser.lr": 0.1}},
        {"step": 11, "set": {"regularisers.1.strength": 0.5}},
    ]
    ran, told = compared(spec, tmp_path / "edited", edits, processes)
    assert told == ran
    plain, _ = compared(spec, tmp_path / "plain", processes=processes)
    assert plain[0] == ran[0] and plain[1:] != ran[1:]


def test_a_run_that_stops_early_stops_in_its_script(tmp_path):
    ran, told = compared(spec_of(("mlp", "stopping", "none", "adam"), epochs=9), tmp_path)
    assert len(ran) < 9 and told == ran


def test_the_default_network_as_it_comes(tmp_path):
    ran, told = compared({"train": {"epochs": 2}, "data": {"train_images": 1000}}, tmp_path)
    assert told == ran


def branched(folder, change, checkpoint):
    """The figures of a branch of the run in ``folder``, and those that its script prints."""
    spec = parse(json.loads((folder / "spec.json").read_text()) | change)
    out = folder / "branch"
    kept = EventFile(out)
    out.mkdir()
    shutil.copyfile(checkpoint, out / START)
    told = []
    for event in run(spec, out=out, start=checkpoint):
        kept.add(event, resumed=False)
        told += [event] if event["event"] == "epoch" else []
    assert main(["export", str(out), "--as", "script", "--out", str(folder / "script")]) == 0
    return [{name: event[name] for name in FIGURES} for event in told], printed(
        folder / "script" / "train.py"
    )


@pytest.mark.parametrize("network", ["cnn norm", "lstm"])
@pytest.mark.parametrize("step", [7, 10])  # after the first epoch, and within the second
def test_a_branch_goes_on_from_its_start(network, step, tmp_path):
    """Also with another batch size, rate and strength."""
    spec = spec_of((network, "l1 proximal", "one", "adam"), epochs=3)
    spec["regularisers"] = [{"kind": "l1"}, {"kind": "ema"}, {"kind": "group_lasso", "strength": 1e-3}]
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    control, done = Control(), -1  # steps
    for event in run(parse(spec), control, out=tmp_path / "parent"):
        if event["event"] == "started":
            control.post({"command": "pause"})
        if event["event"] == "state" and event["state"] == "paused":
            done += 1
            if done == step:
                control.post({"command": "checkpoint"})
            control.post({"command": "step" if done <= step else "stop"})
    checkpoint = tmp_path / "parent" / KEPT / f"{step:09}.safetensors"
    change = {"optimiser": {"kind": "adam", "lr": 0.003}, "train": {"epochs": 4, "batch_size": 48}}
    ran, told = branched(tmp_path, change, checkpoint)
    assert len(ran) == 3 and told == ran


def test_a_branch_of_the_command_line_brings_its_start(tmp_path, capsys):
    (tmp_path / "spec.json").write_text(json.dumps(spec_of(("mlp", "ema", "none", "adam"), epochs=3)))
    assert main(["run", str(tmp_path / "spec.json"), "--out", str(tmp_path / "a")]) == 0
    more = ["--from", f"{tmp_path / 'a'}@2", "--set", "train.epochs=4"]
    assert main(["run", str(tmp_path / "spec.json"), "--out", str(tmp_path / "b"), *more]) == 0
    lines = (tmp_path / "b" / "events.jsonl").read_text().splitlines()
    ran = [event for event in map(json.loads, lines) if event["event"] == "epoch"]
    assert main(["export", str(tmp_path / "b"), "--as", "script", "--out", str(tmp_path / "out")]) == 0
    assert printed(tmp_path / "out" / "train.py") == [
        {name: event[name] for name in FIGURES} for event in ran
    ]
    (tmp_path / "b" / START).unlink()
    capsys.readouterr()
    assert main(["export", str(tmp_path / "b"), "--as", "script", "--out", str(tmp_path / "out")]) == 2
    assert "not there any more" in capsys.readouterr().err


def test_seeds_that_are_held_apart_stay_so(tmp_path, processes):
    spec = spec_of(("cnn", "l0", "choose and mix", "adam"))
    ran, told = compared(spec | {"seeds": {"order": 5, "dropout": 6}}, tmp_path / "a", processes=processes)
    others, _ = compared(spec | {"seeds": {"weights": 7}}, tmp_path / "b", processes=processes)
    assert told == ran and _ == others and ran != others


def test_a_fold_is_judged_by_the_fold(tmp_path):
    spec = spec_of(("mlp", "none", "none", "adam")) | {"data": TINY | {"folds": 5, "fold": 2}}
    ran, told = compared(spec, tmp_path)
    assert told == ran


def test_the_script_is_whole_clean_and_stands_beside_its_data(tmp_path):
    compared(spec_of(("cnn", "elastic and group", "warp", "adam"), epochs=1), tmp_path)
    out = tmp_path / "out"
    assert sorted(path.name for path in out.iterdir()) == ["data.npz", "train.py"]
    with np.load(out / "data.npz", allow_pickle=False) as data:
        assert data["train_images"].dtype == np.uint8 and data["train_images"].shape == (200, 1, 8, 8)
        assert data["classes"].tolist() == list("0123456789")
        assert len(data["validation_images"]) == len(data["validation_labels"])
    text = (out / "train.py").read_text()
    assert "core" not in {
        line.split()[1].split(".")[0] for line in text.splitlines() if line[:5] in ("from ", "impor")
    }
    checked = [
        "check",
        "--isolated",
        "--line-length",
        "110",
        "--select",
        "E,F,I,B",
        "--ignore",
        "E501,E402,B023",
    ]
    found = subprocess.run(
        [sys.executable, "-m", "ruff", *checked, str(out / "train.py")], capture_output=True, text=True
    )
    assert found.returncode == 0, found.stdout


def test_a_script_that_is_asked_for_by_its_name_has_its_data_beside_it(tmp_path, capsys):
    (tmp_path / "spec.json").write_text(json.dumps(spec_of(("mlp", "none", "none", "adam"), epochs=1)))
    assert main(["run", str(tmp_path / "spec.json"), "--out", str(tmp_path / "run")]) == 0
    capsys.readouterr()
    assert (
        main(["export", str(tmp_path / "run"), "--as", "script", "--out", str(tmp_path / "x" / "mine.py")])
        == 0
    )
    written = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert written == [tmp_path / "x" / "mine.py", tmp_path / "x" / "data.npz"]


def test_a_hostile_name_stays_in_its_docstring(tmp_path):
    spec = spec_of(("mlp", "none", "none", "adam"), epochs=1) | {"name": '"""\nimport os; os._exit(3)\n\\"""'}
    ran, told = compared(spec, tmp_path)
    assert told == ran and set(told[0]) == set(FIGURES)


def test_events_of_a_folder_are_never_code(tmp_path):
    """They are hand-made as easily as not."""
    (tmp_path / "spec.json").write_text(json.dumps(spec_of(("mlp", "none", "none", "adam"), epochs=1)))
    run_folder = tmp_path / "run"
    assert main(["run", str(tmp_path / "spec.json"), "--out", str(run_folder)]) == 0
    path, hit = run_folder / "events.jsonl", tmp_path / "hit"
    lines = []
    for event in map(json.loads, path.read_text().splitlines()):
        if event["event"] == "started":
            event |= {"device": f'cpu"\nopen({str(hit)!r}, "w")\nx = "', "threads": 10**15}
            event["versions"] = {"augury": '"""\nopen("hit", "w")\n"""', "torch": "1\u0000\u202e"}
        lines.append(json.dumps(event))
    path.write_text("\n".join(lines))
    assert main(["export", str(run_folder), "--as", "script", "--out", str(tmp_path / "out")]) == 0
    script = (tmp_path / "out" / "train.py").read_text()
    assert 'DEVICE = "cpu"\n' in script and "\0" not in script and "\u202e" not in script
    printed(tmp_path / "out" / "train.py")
    assert not hit.exists() and not (tmp_path / "out" / "hit").exists()


def test_a_precision_that_a_script_does_not_have_is_refused(tmp_path, capsys):
    (tmp_path / "spec.json").write_text(json.dumps(spec_of(("mlp", "none", "none", "adam"), epochs=1)))
    assert main(["run", str(tmp_path / "spec.json"), "--out", str(tmp_path / "run")]) == 0
    spec = json.loads((tmp_path / "run" / "spec.json").read_text())
    spec["train"]["precision"] = "bfloat16"
    (tmp_path / "run" / "spec.json").write_text(json.dumps(spec))
    capsys.readouterr()
    assert main(["export", str(tmp_path / "run"), "--as", "script", "--out", str(tmp_path / "out")]) == 2
    assert "bfloat16" in capsys.readouterr().err


def test_a_script_of_several_processes_says_how_near_it_comes(tmp_path):
    """It is one process: the same figures, but for the order of sums."""
    spec = spec_of(("cnn norm", "none", "choose and mix", "sgd"), epochs=2)
    spec["train"] |= {"processes": 2, "device": "cpu"}
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    assert main(["run", str(tmp_path / "spec.json"), "--out", str(tmp_path / "run")]) == 0
    assert main(["export", str(tmp_path / "run"), "--as", "script", "--out", str(tmp_path / "out")]) == 0
    head = " ".join((tmp_path / "out" / "train.py").read_text().split('"""')[1].split())
    assert "trained by 2 processes, and this is one" in head and "bit for bit" not in head
    lines = (tmp_path / "run" / "events.jsonl").read_text().splitlines()
    told = [event for event in map(json.loads, lines) if event["event"] == "epoch"]
    for ours, theirs in zip(printed(tmp_path / "out" / "train.py"), told, strict=True):
        for name, value in ours.items():
            assert value == pytest.approx(theirs[name], rel=1e-5)


def test_a_script_knows_every_field_of_a_spec():
    """A new field would be left out of scripts without a word: say here that they have it, or refuse it."""
    fields = {
        RunSpec: "version name seed seeds data augment model regularisers optimiser train versions",
        DataSpec: "name path side channels fit train_images validation_share split_seed folds fold",
        AugmentSpec: "ops choose strength fuse mix",
        OpSpec: "op p enabled stream params",
        MixSpec: "op p params",
        ModelSpec: "arch params",
        RegulariserSpec: "kind strength solver warmup_epochs schedule release_epochs release_rate params",
        OptimiserSpec: "kind lr schedule schedule_params params",
        TrainSpec: "epochs batch_size device precision processes gradient_precision",
        SeedsSpec: "order weights augment dropout",
    }
    assert {part: " ".join(part.model_fields) for part in fields} == fields
