"""What a saved network says of each validation image: counted again from its own files, by scikit-learn."""

import csv
import io
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sklearn.metrics import confusion_matrix as theirs

import core.data.split
from core.catalogues import completed
from core.data.catalogue import load_dataset
from core.figures.confusion import confusion_matrix
from core.figures.predictions import how_to_load, predictions_csv
from core.measure.confusion import confusions, matrix, mistakes
from core.models.build import build_model
from core.probe.predictions import predictions
from core.run.errors import SpecError
from core.run.spec import parse
from core.store.store import run_folder
from core.train import loop

RUN = "0" * 32
SPEC = {
    "seed": 3,
    "data": {"name": "digits"},
    "model": {"arch": "mlp", "params": {"hidden": [24]}},
    "train": {"epochs": 3, "device": "cpu"},
}
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run that has ended, its last epoch and its spec."""
    patch = pytest.MonkeyPatch()
    patch.setenv("AUGURY_HOME", str(tmp_path_factory.mktemp("home")))
    spec = completed(parse(SPEC))
    events = list(loop.run(spec, out=run_folder(RUN)))
    yield spec, [event for event in events if event["event"] == "epoch"][-1], events
    patch.undo()


def test_the_answers_are_those_of_the_saved_weights(trained):
    spec, last, _ = trained
    found = predictions(spec, RUN)
    dataset = load_dataset(spec.data)
    assert len(found.labels) == len(set(found.places)) == 359
    images = torch.tensor(np.asarray(dataset.images[found.places])).float() / 255
    mean, std = (torch.tensor(each).view(-1, 1, 1) for each in (found.mean, found.std))
    model = build_model(spec.model, channels=1, side=8, num_classes=10, seed=99)
    model.load_state_dict(load_file(run_folder(RUN) / "weights.safetensors"))
    with torch.no_grad():
        shares = model.eval()((images - mean) / std).softmax(1)
    assert found.labels == dataset.labels[found.places].tolist()
    assert found.answers == shares.argmax(1).tolist()
    assert found.confidence == pytest.approx(shares.max(1).values.tolist(), abs=1e-4)
    assert found.chance == pytest.approx(shares[range(359), found.labels].tolist(), abs=1e-4)
    right = sum(a == b for a, b in zip(found.labels, found.answers, strict=True))
    assert right / 359 == last["validation_accuracy"]


@pytest.mark.parametrize("run_id", ["1" * 32, "../../etc", ""])
def test_a_run_without_weights_is_a_sentence(trained, run_id):
    with pytest.raises(SpecError):
        predictions(trained[0], run_id)


def test_the_matrix_and_the_confusions_are_scikit_learns():
    labels, answers = RNG.integers(0, 6, 500).tolist(), RNG.integers(0, 6, 500).tolist()
    expected = theirs(labels, answers, labels=range(6))
    assert matrix(labels, answers, 6) == expected.tolist()
    found = confusions(labels, answers)
    assert sum(each.images for each in found) == expected.sum() - expected.trace()
    assert all(expected[each.label, each.answer] == each.images for each in found)
    assert [each.images for each in found] == sorted((each.images for each in found), reverse=True)
    drawn = confusion_matrix(labels, answers, [str(i) for i in range(6)])
    picked = dict(zip(drawn["data"][1]["ids"], drawn["data"][1]["customdata"], strict=True))
    assert picked["2,5"] == ["2", "5", str(expected[2, 5])]
    assert [drawn["data"][0]["z"][i][i] for i in range(6)] == [None] * 6


def test_mistakes_come_surest_first_and_of_one_cell_if_asked():
    labels, answers, sure = [0, 1, 1, 0, 1], [0, 0, 0, 1, 1], [0.9, 0.6, 0.8, 0.7, 0.5]
    assert mistakes(labels, answers, sure) == [2, 3, 1]
    assert mistakes(labels, answers, sure, (1, 0)) == [2, 1]
    assert mistakes(labels, answers, sure, (1, 1)) == [4]


def test_the_csv_says_it_all_and_no_name_is_a_formula(trained):
    found = asdict(predictions(trained[0], RUN))
    found["classes"] = ("=1+1", *found["classes"][1:])
    rows = list(csv.DictReader(io.StringIO(predictions_csv(found, {"run_id": RUN, "seed": 3}))))
    assert len(rows) == 359 and {row["label"] for row in rows} >= {"'=1+1", "1"}
    assert {(row["run_id"], row["seed"]) for row in rows} == {(RUN, "3")}
    correct = sum(int(row["correct"]) for row in rows)
    assert correct == sum(row["label"] == row["prediction"] for row in rows)
    assert [int(row["image_index"]) for row in rows] == found["places"]


@pytest.mark.parametrize("units", [24, 7])
def test_the_lines_that_load_it_run(trained, tmp_path, units):
    spec, *_ = trained
    (tmp_path / "mine.json").write_text(spec.to_json())
    weights = load_file(run_folder(RUN) / "weights.safetensors")
    weights = {name: value[:units] if name.startswith("fc1") else value for name, value in weights.items()}
    weights["fc2.weight"] = weights["fc2.weight"][:, :units].contiguous()
    save_file(weights, tmp_path / "mine.safetensors")
    code = how_to_load(asdict(predictions(spec, RUN)), "mine")
    root = Path(__file__).parents[2]
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(root), "PATH": ""},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "tensor" in ran.stdout and len(code.splitlines()) <= 14
    assert json.loads((tmp_path / "mine.json").read_text())["seed"] == 3


def test_the_data_are_split_once(trained, monkeypatch):
    spec, _, _ = trained
    drawn, calls = core.data.split._drawn, []
    monkeypatch.setattr(core.data.split, "_drawn", lambda *args: calls.append(args) or drawn(*args))
    found = predictions(spec, RUN)
    assert len(calls) == 1
    assert found.places == drawn(*calls[0])[0].tolist()
