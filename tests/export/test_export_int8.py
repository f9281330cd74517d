"""The network in integers of 8 bits: what the file holds, computes and says of itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator
from safetensors.torch import load_file

from core.__main__ import main
from core.export.kinds import int8
from core.export.kinds.onnx import opened
from core.export.measured import MEASURED, Measured, rows
from core.probe.label_damage import open_trained
from core.run.spec import parse

NETWORKS = {
    "mlp": {"arch": "mlp", "params": {"hidden": [64, 32]}},
    "cnn": {"arch": "cnn", "params": {"channels": [16, 24], "hidden": 64}},
    "cnn, norm": {"arch": "cnn", "params": {"channels": [16, 24], "hidden": 64, "batch_norm": True}},
    "attention": {"arch": "attention", "params": {"patch": 2, "width": 32, "heads": 4, "depth": 2}},
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of a run of each network, trained once."""
    place, made = tmp_path_factory.mktemp("runs"), {}

    def of(model, name):
        if name not in made:
            spec = {
                "name": f"{name} → 8 bits",
                "data": {"name": "digits"},
                "model": model,
                "optimiser": {"kind": "adam", "lr": 0.005},
                "train": {"epochs": 4, "batch_size": 64, "device": "cpu"},
            }
            (place / "spec.json").write_text(json.dumps(spec))
            made[name] = place / f"run-{len(made)}"
            assert main(["run", str(place / "spec.json"), "--out", str(made[name])]) == 0
        return made[name]

    return lambda name: of(NETWORKS[name], name) if name in NETWORKS else of(json.loads(name), name)


def exported(run: Path, out: Path, kind: str = "int8") -> dict[str, bytes]:
    assert main(["export", str(run), "--as", kind, "--out", str(out)]) == 0
    return {path.name: path.read_bytes() for path in out.iterdir()}


def validation(run: Path):
    session = open_trained(parse((run / "spec.json").read_text()), run, "cpu")
    kept = session.validation
    return kept.images.float().div(255).numpy(), kept.labels.numpy()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_file_of_integers_is_as_right_and_as_small_as_it_says(trained, tmp_path, name):
    run = trained(name)
    files = exported(run, tmp_path / "int8")
    graph, told = files[int8.FILE], json.loads(files[MEASURED])
    (tmp_path / "float").mkdir()
    plain = exported(run, tmp_path / "float", "onnx")["network.onnx"]
    assert told["int8"]["bytes"] == len(graph) and told["float32"]["bytes"] == len(plain)

    # Counted anew, by a session of onnxruntime that is as anybody has it.
    images, labels = validation(run)
    for which, file in (("int8", graph), ("float32", plain)):
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        right = int((session.run(None, {"images": images})[0].argmax(1) == labels).sum())
        assert told[which]["accuracy"] == right / len(labels)
        assert told[which]["microseconds_alone"] > 0 and told[which]["microseconds"] > 0
    last = json.loads((run / "events.jsonl").read_text().splitlines()[-2])["last"]
    assert told["float32"]["accuracy"] == last["validation_accuracy"] > 0.7
    assert told["int8"]["accuracy"] > told["float32"]["accuracy"] - 0.03
    assert told["validation_images"] == len(labels)
    shown = [Measured.model_validate(row) for row in rows(tmp_path / "int8")]  # what the page says
    assert [(row.what, row.bytes, row.accuracy, row.images) for row in shown] == [
        (which, told[which]["bytes"], told[which]["accuracy"], len(labels)) for which in ("float32", "int8")
    ]

    model = onnx.load_from_string(graph)
    onnx.checker.check_model(model, full_check=True)
    weights = load_file(run / "weights.safetensors")
    matrices = {each: value for each, value in weights.items() if value.ndim > 1 and "positions" not in each}
    whole = [numpy_helper.to_array(each) for each in model.graph.initializer if each.data_type == 3]
    whole = [each for each in whole if each.ndim > 1]
    assert sum(each.size for each in whole) == sum(value.numel() for value in matrices.values())
    assert told["integers"] == told["weights"] == sum(each.size for each in whole)
    assert all(np.abs(each.astype(int)).max() <= 64 for each in whole)  # no sum overflows, on any processor

    said = {each.key: each.value for each in model.metadata_props}
    assert said["name"] == f"{name} → 8 bits" and len(json.loads(said["classes"])) == 10
    assert float(said["accuracy_int8"]) == told["int8"]["accuracy"]
    assert float(said["accuracy_float32"]) == told["float32"]["accuracy"]
    assert said["calibration_images"] == str(told["calibration_images"]) == "512"
    assert model.producer_name == "augury" and b"/tmp" not in graph and b"augury-int8-" not in graph

    asked = subprocess.run([sys.executable, tmp_path / "int8" / int8.LOADER], capture_output=True, check=True)
    assert asked.stdout.decode().strip().endswith("%") and not asked.stderr


def test_a_weight_is_the_nearest_whole_number_of_its_channels_steps(trained, tmp_path):
    run = trained("mlp")
    model = onnx.load_from_string(exported(run, tmp_path)[int8.FILE])
    kept = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    weights = load_file(run / "weights.safetensors")
    for layer in ("fc1", "fc2", "fc3"):
        weight = weights[f"{layer}.weight"].numpy()
        (name,) = [each for each in kept if f"{layer}.weight" in each and each.endswith("_quantized")]
        scale = next(v for k, v in kept.items() if f"{layer}.weight" in k and k.endswith("_scale"))
        zero = next(v for k, v in kept.items() if f"{layer}.weight" in k and k.endswith("_zero_point"))
        whole = kept[name]
        if whole.shape != weight.shape:
            whole = whole.T
        assert scale.shape == (len(weight),) and not zero.any()
        assert np.array_equal(whole, np.rint(weight / scale[:, None]))
        assert np.allclose(scale, np.abs(weight).max(1) / 64, rtol=1e-6)


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_the_reference_of_the_standard_computes_the_same(trained, tmp_path, name):
    """ONNX's own evaluator, in NumPy, step by step: what onnxruntime fuses differs by a step at most."""
    run = trained(name)
    graph = exported(run, tmp_path)[int8.FILE]
    images, _ = validation(run)
    (expected,) = ReferenceEvaluator(onnx.load_from_string(graph)).run(None, {"images": images[:40]})
    (answered,) = opened(graph).run(None, {"images": images[:40]})
    model = onnx.load_from_string(graph)
    last = next(each for each in model.graph.node if "logits" in each.output)
    kept = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    step = float(kept[last.input[1]])  # of the logits
    assert last.op_type == "DequantizeLinear"
    assert np.abs(answered - expected).max() < 1.01 * step
    assert np.mean(answered == expected) > 0.9


def test_the_same_run_gives_the_same_file(trained, tmp_path):
    one, other = (exported(trained("attention"), tmp_path / name)[int8.FILE] for name in "ab")
    assert one == other


def test_nothing_else_is_said(trained, tmp_path):
    """In a process of its own: onnxruntime tells the root logger of files that were not prepared and of norm
    layers that are quantised, and Python would give that logger a handler for it."""
    asked = ["export", str(trained("attention")), "--as", "int8", "--out", str(tmp_path / "it")]
    lines = (
        f"import logging; from core.__main__ import main; main({asked}); print(logging.getLogger().handlers)"
    )
    said = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True)
    assert said.stderr == "" and said.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_a_recurrent_network_is_refused_in_a_sentence(trained, tmp_path, capsys, cell):
    run = trained(json.dumps({"arch": "rnn", "params": {"cell": cell, "hidden": 16}}))
    assert main(["export", str(run), "--as", "int8", "--out", str(tmp_path / "it")]) == 2
    said = capsys.readouterr().err.strip()
    assert "no integers for recurrent layers" in said and "\n" not in said
    assert not (tmp_path / "it").exists()


def test_few_images_are_enough(trained, tmp_path):
    """Fewer than there could be, and fewer than are measured at a time."""
    run = trained("mlp")
    spec = json.loads((run / "spec.json").read_text())
    spec["data"] |= {"train_images": 30, "validation_share": 0.05}
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    assert main(["run", str(tmp_path / "spec.json"), "--out", str(tmp_path / "few")]) == 0
    told = json.loads(exported(tmp_path / "few", tmp_path / "int8")[MEASURED])
    assert told["calibration_images"] == 30 and told["validation_images"] < told["batch"]


def test_what_was_quantised_before_can_be_taken_away_so_too(trained, tmp_path):
    job = {"from": [str(trained("cnn"))], "params": {"bits": 4, "activations": 8}}
    (tmp_path / "job.json").write_text(json.dumps(job))
    assert main(["job", "quantise", str(tmp_path / "job.json"), "--out", str(tmp_path / "run")]) == 0
    told = json.loads(exported(tmp_path / "run", tmp_path / "int8")[MEASURED])
    assert told["int8"]["accuracy"] > told["float32"]["accuracy"] - 0.03
    assert told["integers"] == told["weights"]
