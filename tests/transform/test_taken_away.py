"""Networks that were made smaller are taken away like others: scripts that train them again, a loader, an
archive; and branches of them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from safetensors.torch import load_file, save_file

from core.__main__ import main
from core.probe.label_damage import open_trained
from core.run.spec import parse
from core.store.store import run_folder
from tests.export.scripts import FIGURES, Processes, printed

NETWORKS = {
    "cnn": {"arch": "cnn", "params": {"channels": [8, 12], "hidden": 24, "batch_norm": True}},
    "lstm": {"arch": "rnn", "params": {"cell": "lstm", "hidden": 20, "bidirectional": True}},
    "attention": {"arch": "attention", "params": {"patch": 2, "width": 16, "heads": 4, "depth": 2}},
}


@pytest.fixture(scope="module")
def processes():
    made = Processes()
    yield made
    made.close()


def trained(folder, network, **change):
    spec = {
        "data": {"name": "digits", "train_images": 200},
        "model": NETWORKS[network],
        "optimiser": {"kind": "adam", "lr": 0.01},
        "train": {"epochs": 2, "batch_size": 64, "device": "cpu"},
    }
    (folder / "asked.json").write_text(json.dumps(spec | change))
    assert main(["run", str(folder / "asked.json"), "--out", str(folder / "run")]) == 0
    return folder / "run"


def made(folder, how, source, out, epochs=2, **params):
    job = {"from": [str(source)], "params": params, "train": {"epochs": epochs}}
    (folder / "job.json").write_text(json.dumps(job))
    assert main(["job", how, str(folder / "job.json"), "--out", str(out)]) == 0
    return out


def export(run, kind, out):
    return main(["export", str(run), "--as", kind, "--out", str(out)])


def figures(run):
    lines = map(json.loads, (run / "events.jsonl").read_text().splitlines())
    told = (each for each in lines if each["event"] == "epoch" and each["epoch"])
    return [{name: each[name] for name in FIGURES} for each in told]


@pytest.mark.parametrize(
    ("network", "what"),
    [
        ("cnn", "weights"),
        ("cnn", "units"),
        ("lstm", "units"),
        ("attention", "units"),
        ("attention", "blocks"),
    ],
)
def test_a_script_a_loader_and_an_archive(tmp_path, processes, capsys, network, what):
    base = trained(tmp_path, network)
    child = made(tmp_path, "prune", base, tmp_path / "child", what=what, share=0.5)
    spec = json.loads((child / "spec.json").read_text())
    spec["train"]["epochs"] = 3
    (tmp_path / "branch.json").write_text(json.dumps(spec))
    branch = tmp_path / "branch"
    told = ["run", str(tmp_path / "branch.json"), "--from", f"{child}@1", "--out", str(branch)]
    assert main(told) == 0
    whole = {name: tuple(v.shape) for name, v in load_file(base / "weights.safetensors").items()}
    for run in (child, branch):
        weights = load_file(run / "weights.safetensors")
        shapes = {name: tuple(value.shape) for name, value in weights.items()}
        assert (shapes == whole) == (what == "weights")
        away = tmp_path / f"{run.name}-away"
        assert export(run, "script", away) == 0
        assert printed(away / "train.py", processes) == figures(run) != []
        if what == "weights":
            continue
        assert export(run, "weights", away / "weights") == 0
        loader = [sys.executable, str(away / "weights" / "load.py")]
        assert subprocess.run(loader, capture_output=True, check=False).returncode == 0
        assert export(run, "onnx", away / "onnx") == 0
        assert export(run, "archive", tmp_path / f"{run.name}.zip") == 0
        capsys.readouterr()
        assert main(["import", str(tmp_path / f"{run.name}.zip")]) == 0
        found = run_folder(capsys.readouterr().out.strip())
        assert (found / "weights.safetensors").read_bytes() == (run / "weights.safetensors").read_bytes()
        again = open_trained(parse((run / "spec.json").read_bytes()), found, "cpu")
        assert sum(p.numel() for p in again.model.parameters()) == learnt(weights)


def learnt(weights):
    return sum(
        v.numel() for name, v in weights.items() if "running" not in name and "num_batches" not in name
    )


def test_an_archive_with_fewer_numbers_than_its_run_has_told_is_refused(tmp_path, capsys):
    run = trained(tmp_path, "cnn")
    weights = load_file(run / "weights.safetensors")
    weights["fc1.weight"] = weights["fc1.weight"][:7].contiguous()
    save_file(weights, run / "weights.safetensors")
    capsys.readouterr()
    assert export(run, "archive", tmp_path / "a.zip") == 2
    assert "the network of its spec has" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["script", "notebook"])
def test_no_script_is_written_of_what_a_script_can_not_do(tmp_path, capsys, kind):
    base = trained(tmp_path, "cnn")
    for says, child in (
        ("nothing to repeat", made(tmp_path, "shrink", base, tmp_path / "shrunk", epochs=0)),
        ("quantise what they hear", made(tmp_path, "quantise", base, tmp_path / "heard", activations=8)),
        ("learns from other networks", made(tmp_path, "distil", base, tmp_path / "taught")),
    ):
        capsys.readouterr()
        assert export(child, kind, tmp_path / f"{child.name}-away") == 2
        assert says in capsys.readouterr().err
    gone = made(tmp_path, "prune", base, tmp_path / "gone", what="units")
    (gone / "from-0.safetensors").unlink()
    capsys.readouterr()
    assert export(gone, kind, tmp_path / "gone-away") == 2
    assert "are not there any more" in capsys.readouterr().err
    (gone / "made.json").write_text("[" * 10_000)
    assert export(gone, kind, tmp_path / "gone-away") == 2
