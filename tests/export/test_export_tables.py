"""Tables of a run: predictions, Parquet and TensorBoard's events, each read back by another library."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import SCALARS, EventAccumulator

from core.__main__ import main
from core.data.catalogue import load_dataset
from core.export.kinds import tensorboard
from core.export.source import Asked, open_sources
from core.figures.epochs_csv import epochs_csv
from core.figures.predictions import shares_csv
from core.models.build import build_model
from core.run.history import build_history
from core.run.spec import parse
from core.store.store import StoredRun
from core.train.session import open_session

SPEC = {
    "data": {"name": "digits", "train_images": 400},
    "model": {"arch": "mlp", "params": {"hidden": [24]}},
    "regularisers": [
        {"kind": "l1", "strength": 1e-3, "solver": "proximal"},
        {"kind": "l2", "strength": 1e-4},
    ],
    "train": {"epochs": 3, "device": "cpu", "batch_size": 16},
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "mlp"
    asked = tmp_path_factory.mktemp("spec") / "spec.json"
    asked.write_text(json.dumps(SPEC))
    assert main(["run", str(asked), "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def told(trained: Path) -> list[dict]:
    return [json.loads(line) for line in (trained / "events.jsonl").read_text().splitlines()]


def exported(run: Path, kind: str, out: Path) -> Path:
    assert main(["export", str(run), "--as", kind, "--out", str(out)]) == 0
    return out


def test_predictions_are_those_of_the_saved_weights(trained: Path, told, tmp_path: Path) -> None:
    path = exported(trained, "predictions", tmp_path / "predictions.csv")
    rows = list(csv.DictReader(path.open(encoding="utf-8")))
    names = [str(digit) for digit in range(10)]
    assert list(rows[0]) == ["image", "label", "predicted", *names]
    spec = parse((trained / "spec.json").read_text())
    dataset = load_dataset(spec.data)
    places = [int(row["image"]) for row in rows]
    assert len(places) == len(set(places)) == 359
    assert [int(row["label"]) for row in rows] == np.asarray(dataset.labels)[places].tolist()

    events = [event for event in told if event["event"] == "epoch"]
    right = sum(row["label"] == row["predicted"] for row in rows)
    assert right / 359 == events[-1]["validation_accuracy"]
    shares = torch.tensor([[float(row[name]) for name in names] for row in rows], dtype=torch.float64)
    labels = torch.tensor([int(row["label"]) for row in rows])
    assert shares.argmax(1).tolist() == [int(row["predicted"]) for row in rows]
    assert shares.sum(1).sub(1).abs().max() < 1e-6
    loss = -shares[range(359), labels].log().mean()
    assert float(loss) == pytest.approx(events[-1]["validation_loss"], rel=1e-5)

    network = build_model(spec.model, channels=1, side=8, num_classes=10, seed=9)
    network.load_state_dict(load_file(trained / "weights.safetensors"))
    session = open_session(spec)
    images = torch.from_numpy(np.array(dataset.images)).float() / 255
    with torch.no_grad():
        logits = network.eval()((images[places] - session.mean) / session.std)
    assert torch.allclose(shares, logits.double().softmax(1), rtol=0, atol=1e-6)


def test_no_name_of_a_class_leaves_its_cell_or_is_a_formula() -> None:
    classes = ['=HYPERLINK("x")', "a,b", 'say "no"', "two\nlines", "label", "@home", "-1", "ä\rö", "=", "'="]
    count = len(classes)
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.ones(count), count)
    labels, answers = list(range(count)), shares.argmax(1).tolist()
    text = shares_csv(classes, labels, labels, answers, shares.tolist())
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    assert len(rows) == count and {len(row) for row in rows} == {count + 3}
    assert len(set(header)) == len(header) and header[:3] == ["image", "label", "predicted"]
    cells = [cell for row in (header, *rows) for cell in row]
    assert not [cell for cell in cells if cell[:1] in set("=+-@\t\r\n")]
    assert header[3:] == ["'=HYPERLINK(\"x\")", "a,b", 'say "no"', "two lines", "label (class)", "'@home",
                          "'-1", "ä ö", "'=", "'= (class)"]  # fmt: skip
    assert [row[1] for row in rows[:4]] == header[3:7]
    assert [[float(cell) for cell in row[3:]] for row in rows] == shares.tolist()


def test_parquet_has_the_columns_and_the_numbers_of_the_csv(trained: Path, told, tmp_path: Path) -> None:
    assert (
        main(["export", str(trained), str(trained), "--as", "parquet", "--out", str(tmp_path / "e.parquet")])
        == 0
    )
    table = pq.read_table(tmp_path / "e.parquet")
    (run,) = open_sources([str(trained)])
    rows = list(csv.DictReader(io.StringIO(epochs_csv(*[(run.history, run.id, run.spec)] * 2))))
    assert table.column_names == list(rows[0]) and table.num_rows == len(rows) == 6
    for name in table.column_names:
        values = table[name].to_pylist()
        assert ["" if value is None else str(value) for value in values] == [row[name] for row in rows], name
    events = [event for event in told if event["event"] == "epoch"] * 2
    assert table["validation_loss"].to_pylist() == [event["validation_loss"] for event in events]
    assert table["exact_zero_share.fc1"].to_pylist() == [
        event["sparsity"]["layers"]["fc1"]["exact"] for event in events
    ]
    types = {name: str(table.schema.field(name).type) for name in table.column_names}
    assert (types["epoch"], types["weights"], types["train_loss"], types["run_id"]) == (
        "int64", "int64", "double", "string")  # fmt: skip


def read(folder: Path) -> dict[str, list]:
    """Every scalar that TensorBoard finds in a folder, by tag."""
    found = EventAccumulator(str(folder), size_guidance={SCALARS: 0})
    found.Reload()
    return {tag: found.Scalars(tag) for tag in found.Tags()["scalars"]}


def test_tensorboard_reads_every_value(trained: Path, told, tmp_path: Path) -> None:
    folder = exported(trained, "tensorboard", tmp_path / "logs" / "mlp")
    assert {path.name for path in folder.iterdir()} == {"events.out.tfevents.augury", "spec.json"}
    found = read(folder)
    points = {tag: {each.step: each.value for each in line} for tag, line in found.items()}
    assert all(len(points[tag]) == len(line) for tag, line in found.items())

    steps = [event for event in told if event["event"] == "step"]
    assert len(steps) >= 1
    for name in ("learning_rate", "penalty"):
        assert points[f"step/{name}"] == {each["step"]: np.float32(each[name]) for each in steps}
    assert points["step/penalty.l2"] == {each["step"]: np.float32(each["penalties"]["l2"]) for each in steps}
    assert points["step/strength.l1"] == {each["step"]: np.float32(each["strengths"]["l1"]) for each in steps}
    epochs = [event for event in told if event["event"] == "epoch"]
    losses = {each["step"]: np.float32(each["loss"]) for each in steps}
    for event in epochs:
        batches = event["batch_losses"]
        losses |= dict(zip(batches["steps"], map(np.float32, batches["losses"]), strict=True))
    assert len(losses) >= 25 * 3 and points["step/loss"] == losses

    (run,) = open_sources([str(trained)])
    rows = list(csv.DictReader(io.StringIO(epochs_csv((run.history, run.id, run.spec)))))
    others = ("run_id", "seed", "split_seed", "step")
    columns = [name for name in rows[0] if name not in others and "version" not in name]
    assert {tag.removeprefix("epoch/") for tag in points if tag.startswith("epoch/")} == set(columns)
    for name in columns:
        expected = {int(row["step"]): np.float32(row[name]) for row in rows if row[name]}
        assert points[f"epoch/{name}"] == expected, name
    assert [each.value for each in found["epoch/exact_zero_share.fc1"]] == [
        np.float32(event["sparsity"]["layers"]["fc1"]["exact"]) for event in epochs
    ]
    seconds = [each.wall_time for each in found["epoch/epoch"]]
    assert np.allclose(seconds, np.cumsum([event["seconds"] for event in epochs]))


def test_what_was_told_after_the_checkpoint_counts_no_more(trained: Path) -> None:
    (run,) = open_sources([str(trained)])
    started = run.history.started
    step = {"event": "step", "epoch": 0.1, "penalty": 0.0, "learning_rate": 0.1}
    events = (
        {"event": "state", "state": "running"},
        started,
        {**step, "step": 4, "loss": 4.0},
        {**step, "step": 9, "loss": 9.0},
        {"event": "resumed", "step": 6, "epoch": 0.15, "edits": 0},
        {**step, "step": 8, "loss": None},
    )
    resumed = replace(run, events=events, history=build_history(enumerate(events, 1)).history())
    assert tensorboard.scalars(resumed) == {
        4: {"step/loss": 4.0, "step/learning_rate": 0.1, "step/penalty": 0.0},
        8: {"step/learning_rate": 0.1, "step/penalty": 0.0},
    }


def test_a_run_of_the_store_has_the_time_of_day(trained: Path, tmp_path: Path) -> None:
    (run,) = open_sources([str(trained)])
    began = 1.7e9
    stored = StoredRun(
        id="0" * 32, name="", spec=run.spec.to_json(), state="finished", reason="", created_at=began - 60,
        started_at=began, finished_at=None, summary=None,
    )  # fmt: skip
    tensorboard.write(Asked((replace(run, stored=stored),)), tmp_path)
    found = read(tmp_path)
    seconds = [event["seconds"] for event in run.history.epochs]
    times = [each.wall_time - began for each in found["epoch/epoch"]]
    assert times == pytest.approx(np.cumsum(seconds), abs=1e-5)
    middle = found["step/loss"][25 + 9].wall_time - began  # the tenth of 25 steps in the second epoch
    assert middle == pytest.approx(seconds[0] + 10 / 25 * seconds[1], abs=1e-5)
