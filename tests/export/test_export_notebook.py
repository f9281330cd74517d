"""A run's notebook is valid, and run from top to bottom it prints the run's own figures."""

from __future__ import annotations

import json

import nbformat
import pytest
from nbclient import NotebookClient

from core.__main__ import main
from core.export import catalogue
from tests.export.scripts import AWAY, FIGURES, spec_of


def test_it_runs_and_prints_the_runs_figures(tmp_path):
    combination = ("cnn norm", "ema", "one", "adamw")
    (tmp_path / "spec.json").write_text(json.dumps(spec_of(combination) | {"name": "A *hostile* # name"}))
    assert main(["run", str(tmp_path / "spec.json"), "--out", str(tmp_path / "run")]) == 0
    assert main(["export", str(tmp_path / "run"), "--as", "notebook", "--out", str(tmp_path / "out")]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["data.npz", "train.ipynb"]
    notebook = nbformat.read(tmp_path / "out" / "train.ipynb", as_version=4)
    nbformat.validate(notebook)
    headings = [cell.source.splitlines()[0] for cell in notebook.cells if cell.cell_type == "markdown"]
    assert headings[1:] == [
        "## Settings", "## Data", "## Random numbers", "## The network", "## Batches", "## Regularisers",
        "## The optimiser", "## How good it is", "## Training", "## What came out",
    ]  # fmt: skip
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path / "out")}})
    client.execute(env=AWAY)
    outputs = [each.text for cell in notebook.cells for each in cell.get("outputs", []) if "text" in each]
    told = [json.loads(line) for text in outputs for line in text.splitlines() if line.startswith("{")]
    lines = (tmp_path / "run" / "events.jsonl").read_text().splitlines()
    ran = [event for event in map(json.loads, lines) if event["event"] == "epoch"]
    assert told == [{name: event[name] for name in FIGURES} for event in ran]
    assert any("####" in text and " %" in text for text in outputs)


@pytest.mark.parametrize("kind", ["notebook"])
def test_what_needs_a_library_says_which_and_how_to_install_it(kind, tmp_path, monkeypatch, capsys):
    (tmp_path / "spec.json").write_text(json.dumps(spec_of(("mlp", "none", "none", "adam"), epochs=1)))
    assert main(["run", str(tmp_path / "spec.json"), "--out", str(tmp_path / "run")]) == 0
    monkeypatch.setattr(catalogue, "find_spec", lambda name: None)
    assert main(["export", str(tmp_path / "run"), "--as", kind, "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "nbformat" in said and catalogue.COMMAND in said and "Traceback" not in said
