"""Weights with a loader: a process without Augury loads them and comes to the same logits."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from core.__main__ import main
from core.catalogues import completed
from core.export.kinds import weights as kind
from core.export.source import open_sources
from core.models.catalogue import ARCHITECTURES
from core.probe.label_damage import open_trained
from core.run.spec import parse
from core.train.session import open_session
from tests.export.onnx_networks import attention, convolutional, made_up, recurrent

NETWORKS = {
    "cnn": convolutional([4, 8], True),
    "mlp": {"hidden": [16, 8]},
    "rnn": recurrent("gru", True, 2),
    "attention": attention(4, 4, 2),
}
# Each folder's loader in turn, then images that it has not seen.
ASK = """
import json, runpy, sys
import numpy as np, torch
try:
    import core
except ImportError:
    pass
else:
    sys.exit("Augury is here")
images = torch.from_numpy(np.load(sys.argv[1]))
for folder in sys.argv[2:]:
    sys.path[0], sys.argv[1:] = folder, []
    sys.modules.pop("network", None)
    found = runpy.run_path(f"{folder}/load.py")
    logits = found["network"]((images - found["mean"]) / found["std"])
    print(json.dumps({"logits": logits.tolist(), "classes": found["classes"]}))
"""


def run_of(arch: str, folder: Path) -> Path:
    """A folder with made-up weights, as `core run --out` leaves it."""
    spec = {"data": {"name": "digits"}, "model": {"arch": arch, "params": NETWORKS[arch]}}
    folder.mkdir(parents=True)
    (folder / "spec.json").write_text(parse(spec).to_json())
    network = made_up(arch, NETWORKS[arch], 1, 8, 10)
    save_file({name: value.contiguous() for name, value in network.state_dict().items()},
              folder / "weights.safetensors")  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    """For each architecture the run's folder, and the one that it was taken away to."""
    root, made = tmp_path_factory.mktemp("weights"), {}
    assert set(NETWORKS) == set(ARCHITECTURES)
    for arch in NETWORKS:
        run, out = run_of(arch, root / "runs" / arch), root / "out" / arch
        assert main(["export", str(run), "--as", "weights", "--out", str(out)]) == 0
        made[arch] = run, out
    return made


def test_the_weights_are_the_very_file(exported) -> None:
    for run, out in exported.values():
        assert {path.name for path in out.iterdir()} == {"load.py", "network.py", "weights.safetensors"}
        assert (out / "weights.safetensors").read_bytes() == (run / "weights.safetensors").read_bytes()
        assert "core" not in {word for name in ("load.py", "network.py") for word in imports(out / name)}


def imports(path: Path) -> set[str]:
    """The packages that a file imports."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    found = {node.module.split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom)}
    return found | {
        each.name.split(".")[0] for node in nodes if isinstance(node, ast.Import) for each in node.names
    }


def test_a_process_without_augury_comes_to_the_same_logits(exported, tmp_path: Path) -> None:
    images = torch.rand(5, 1, 8, 8)
    np.save(tmp_path / "images.npy", images.numpy())
    folders = [str(out) for _, out in exported.values()]
    ran = subprocess.run(
        [sys.executable, "-c", ASK, str(tmp_path / "images.npy"), *folders],
        cwd=tmp_path, env={"PATH": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    told = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
    session = open_session(completed(parse({"data": {"name": "digits"}})))
    for arch, found in zip(exported, told, strict=True):
        with torch.no_grad():
            network = made_up(arch, NETWORKS[arch], 1, 8, 10)
            expected = network((images - session.mean) / session.std)
        assert torch.allclose(torch.tensor(found["logits"]), expected, rtol=0, atol=1e-5), arch
        assert found["classes"] == list("0123456789")
    assert "fc.weight (10, 32) 0.0% are exactly zero" in ran.stdout  # of the recurrent network


def test_a_loader_is_short_and_no_name_of_a_class_is_code(exported) -> None:
    run, out = exported["mlp"]
    *_, body = (out / "load.py").read_text().split("from network import MLP\n")
    assert len(ast.parse(body).body) <= 10
    (source,) = open_sources([str(run)])
    session = open_trained(source.spec, source.folder, "cpu")
    names = (
        '"]; import os #',
        "'''",
        '"""',
        "two\nlines",
        "\N{GRINNING FACE}",
        "{side}",
        "\\",
        "8",
        "9",
        "10",
    )
    session.validation = replace(session.validation, classes=names)
    tree = ast.parse(kind._loader(source, session))
    (classes,) = (node.value for node in tree.body if isinstance(node, ast.Assign)
                  and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "classes")  # fmt: skip
    assert ast.literal_eval(classes) == list(names)


def test_a_run_without_weights_is_a_sentence(exported, tmp_path: Path, capsys) -> None:
    run, _ = exported["mlp"]
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "spec.json").write_bytes((run / "spec.json").read_bytes())
    for name in ("weights", "onnx", "predictions"):
        assert main(["export", str(bare), "--as", name, "--out", str(tmp_path / "it")]) == 2
        assert "has left no weights" in capsys.readouterr().err
    (bare / "weights.safetensors").write_bytes(b"\x08\x00\x00\x00\x00\x00\x00\x00{}      ")
    for name in ("weights", "onnx", "predictions"):
        assert main(["export", str(bare), "--as", name, "--out", str(tmp_path / "it")]) == 2
        assert "weights can't be read" in capsys.readouterr().err
    assert not (tmp_path / "it").exists()


@pytest.mark.parametrize("kind", ["weights", "predictions"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_network_of_no_numbers_is_refused_in_a_sentence(tmp_path, capsys, kind, value):
    folder = run_of("mlp", tmp_path / "run")
    held = load_file(folder / "weights.safetensors")
    name = next(name for name in held if name.endswith("weight"))
    held[name][0, :3] = value
    save_file(held, folder / "weights.safetensors")
    assert main(["export", str(folder), "--as", kind, "--out", str(tmp_path / "away")]) == 2
    of = sum(each.numel() for each in held.values())
    said = capsys.readouterr().err
    assert f"3 of the {of:,} numbers of its network are NaN or infinite" in said and said.count("\n") == 1
    assert not (tmp_path / "away").exists()
