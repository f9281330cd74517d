"""An ONNX file is what torch computes: run by onnxruntime, for every architecture and cell."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import onnxscript
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from core.__main__ import main
from core.data.catalogue import load_dataset
from core.export import catalogue
from core.export.catalogue import EXPORTS
from core.export.kinds import onnx as kind
from core.models.build import build_model
from core.run.errors import SpecError
from core.run.spec import parse
from tests.export.onnx_networks import FEW, made_up

CLASSES = [str(digit) for digit in range(10)]


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def answers(graph: bytes, images: torch.Tensor) -> torch.Tensor:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run(None, {"images": images.numpy()})[0])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GRU that reads in both directions, trained for an epoch: the cell that was once written wrongly."""
    out = tmp_path_factory.mktemp("run") / "gru"
    spec = {
        "name": "Zeilen → Ziffern",
        "data": {"name": "digits", "train_images": 300},
        "model": {"arch": "rnn", "params": {"cell": "gru", "hidden": 16, "bidirectional": True}},
        "train": {"epochs": 1, "device": "cpu"},
    }
    asked = tmp_path_factory.mktemp("spec") / "spec.json"
    asked.write_text(json.dumps(spec))
    assert main(["run", str(asked), "--out", str(out)]) == 0
    return out


@pytest.mark.parametrize(("arch", "params", "channels", "side"), FEW)
def test_the_logits_are_torchs(arch: str, params: dict, channels: int, side: int) -> None:
    network = made_up(arch, params, channels, side)
    mean, std = torch.rand(channels, 1, 1), torch.rand(channels, 1, 1) + 0.1
    images = [torch.rand(count, channels, side, side) for count in (1, 2, 7)]
    with torch.no_grad():
        expected = [network((each - mean) / std) for each in images]
    graph = kind.written(kind.Normalised(network, mean, std).eval(), images[-1], {})
    for given, logits in zip(images, expected, strict=True):
        assert torch.allclose(answers(graph, given), logits, rtol=0, atol=1e-5)
    assert len(onnx.load_from_string(graph).graph.node) < 120  # a recurrent layer is one, not one a row


def test_the_file_stands_alone_and_says_what_it_is(trained: Path, tmp_path: Path, capfd, caplog) -> None:
    assert main(["export", str(trained), "--as", "onnx", "--out", str(tmp_path / "net.onnx")]) == 0
    told = capfd.readouterr()
    assert told.out == f"{tmp_path / 'net.onnx'}\n" and told.err == ""
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]
    graph = (tmp_path / "net.onnx").read_bytes()
    assert str(Path(__file__).parents[2]).encode() not in graph and b"forward" not in graph  # no line of code

    model = onnx.load_from_string(graph)
    onnx.checker.check_model(model, full_check=True)
    assert all(not each.external_data for each in model.graph.initializer)
    shapes = [[size.dim_param or size.dim_value for size in each.type.tensor_type.shape.dim]
              for each in (*model.graph.input, *model.graph.output)]  # fmt: skip
    assert shapes == [["batch", 1, 8, 8], ["batch", 10]]
    said = {each.key: each.value for each in model.metadata_props}
    assert (said["name"], said["run_id"]) == ("Zeilen → Ziffern", "gru")
    assert json.loads(said["classes"]) == CLASSES
    started = json.loads((trained / "events.jsonl").read_text().splitlines()[1])
    assert json.loads(said["trained_with"]) == started["versions"]
    assert json.loads(said["written_with"])["onnxscript"] == onnxscript.__version__
    assert said["opset"] == str(model.opset_import[0].version)

    # The pixels as they are in the dataset: onnxruntime counts what the run's own epoch counted.
    dataset = load_dataset(parse((trained / "spec.json").read_text()).data)
    weights = load_file(trained / "weights.safetensors")
    network = build_model(
        parse((trained / "spec.json").read_text()).model, channels=1, side=8, num_classes=10, seed=9
    )
    network.load_state_dict(weights)
    mean, std = (torch.tensor(json.loads(said[name])).view(-1, 1, 1) for name in ("mean", "std"))
    images = torch.from_numpy(np.array(dataset.images)).float() / 255
    with torch.no_grad():
        expected = network.eval()((images - mean) / std)
    assert torch.allclose(answers(graph, images), expected, rtol=0, atol=1e-5)


def test_the_same_run_gives_the_same_bytes(trained: Path, tmp_path: Path) -> None:
    for name in ("a.onnx", "b.onnx"):
        assert main(["export", str(trained), "--as", "onnx", "--out", str(tmp_path / name)]) == 0
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


def test_a_gru_whose_reset_comes_too_late_is_refused(
    trained: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    """The fault of onnxscript#2852: another equation, which no error tells of."""
    written = kind.written

    def wrong(*given):
        model = onnx.load_from_string(written(*given))
        for node in model.graph.node:
            for attribute in node.attribute:
                if attribute.name == "linear_before_reset":
                    attribute.i = 0
        return model.SerializeToString()

    monkeypatch.setattr(kind, "written", wrong)
    assert main(["export", str(trained), "--as", "onnx", "--out", str(tmp_path / "net.onnx")]) == 2
    said = capsys.readouterr().err
    assert "For 1 image the ONNX file's logits are off by 0." in said and "requirements-export.txt" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("factor", [0.3, 1000])
@pytest.mark.parametrize(("share", "allowed"), [(0.8e-5, True), (1.5e-5, False), (float("nan"), False)])
def test_it_may_be_off_by_what_rounding_costs(factor: float, share: float, allowed: bool) -> None:
    """Of an image's largest logit, or of 1: more digits before the point leave fewer behind it."""
    network = made_up("mlp", {"hidden": [8]}, 1, 8)
    with torch.no_grad():
        for parameter in network.fc2.parameters():
            parameter.mul_(factor)
    images = torch.rand(2, 1, 8, 8)
    graph = kind.written(network, images, {})
    expected = answers(graph, images)
    largest = float(expected[1].abs().max())
    assert largest < 1 if factor < 1 else largest > 50
    expected[1, 3] += share * max(1, largest)
    if allowed:
        kind.check_parity(graph, [images], [expected])
    else:
        with pytest.raises(SpecError, match="For 2 images the ONNX file's logits are off by"):
            kind.check_parity(graph, [images], [expected])


class Undecided(nn.Module):
    """Which way it goes depends on the numbers: no graph says that."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1) if images.sum() > 0 else images.flatten(1) * 2


def test_a_network_that_no_graph_can_say_is_a_sentence() -> None:
    with pytest.raises(SpecError, match="can't be written as ONNX; take its weights instead"):
        kind.written(Undecided(), torch.rand(2, 1, 8, 8), {})


@pytest.mark.parametrize("name", ["onnx", "tensorboard"])
def test_a_library_that_is_missing_is_named_with_the_command(name, trained, tmp_path, monkeypatch, capsys):
    gone = EXPORTS[name].modules[-1]
    found = catalogue.find_spec
    monkeypatch.setattr(catalogue, "find_spec", lambda each: None if each == gone else found(each))
    assert main(["export", str(trained), "--as", name, "--out", str(tmp_path / "it")]) == 2
    said = capsys.readouterr().err
    assert f"needs {gone}, which is not installed" in said and catalogue.COMMAND in said
    assert main(["export", str(trained), "--as", "weights", "--out", str(tmp_path / "it")]) == 0


def test_images_are_taken_from_the_first_again_where_there_are_too_few() -> None:
    images = torch.arange(3, dtype=torch.uint8).view(3, 1, 1, 1)
    taken = [(batch * 255).round().flatten().tolist() for batch in kind._batches(images)]
    assert taken == [[0], [1, 2], [0, 1, 2, 0, 1, 2, 0]]
