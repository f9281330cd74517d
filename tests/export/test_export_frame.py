"""Taking a run away: which run, as what, and where the files go."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from core.__main__ import main
from core.export.catalogue import EXPORTS
from core.export.source import open_sources


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that `core run --out` wrote."""
    out = tmp_path_factory.mktemp("run") / "first"
    told = ["--set", "train.epochs=2", "--set", "data.name=digits", "--set", "data.train_images=200"]
    assert main(["run", "baseline", "--out", str(out), *told]) == 0
    return out


def test_a_folder_is_a_run_with_its_events_and_weights(trained: Path) -> None:
    (run,) = open_sources([str(trained)])
    assert (run.id, len(run.history.epochs), run.history.state) == ("first", 2, "finished")
    assert run.weights == trained / "weights.safetensors"


@pytest.mark.parametrize("out", ["it.csv", "folder/it.csv", "."])
def test_one_file_goes_where_it_is_asked_for(trained: Path, tmp_path: Path, out: str, capsys) -> None:
    assert main(["export", str(trained), "--as", "csv", "--out", str(tmp_path / out)]) == 0
    path = Path(capsys.readouterr().out.strip())
    assert path == (tmp_path / "epochs.csv" if out == "." else tmp_path / out)
    rows = list(csv.DictReader(path.open()))
    told = [json.loads(line) for line in (trained / "events.jsonl").read_text().splitlines()]
    accuracies = [event["validation_accuracy"] for event in told if event["event"] == "epoch"]
    assert [float(row["validation_accuracy_share"]) for row in rows] == accuracies


def test_what_is_asked_for_wrongly_is_said_in_a_line(trained: Path, tmp_path: Path, capsys) -> None:
    assert main(["export", str(trained), "--as", "zzzz", "--out", str(tmp_path / "x")]) == 2
    assert "csv" in capsys.readouterr().err
    assert main(["export", "nobody", "--as", "csv", "--out", str(tmp_path / "x")]) == 2
    assert main(["export", str(tmp_path), "--as", "csv", "--out", str(tmp_path / "x")]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_every_kind_says_what_it_writes_and_where_its_function_lies() -> None:
    for name, entry in EXPORTS.items():
        assert name == entry.name
        assert entry.file and entry.media_type and entry.write.startswith("core.export.kinds.")
