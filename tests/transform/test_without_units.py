"""Networks from which no unit can be taken, or which have lost some before."""

from __future__ import annotations

import json

import pytest

from core.__main__ import main
from tests.toys import entries

LINEAR = {"arch": "mlp", "params": {"hidden": []}}
DEEP = {"arch": "attention", "params": {"patch": 4, "width": 16, "heads": 4, "depth": 3}}


def trained(folder, model, name="run"):
    spec = {"data": {"name": "digits", "train_images": 200}, "model": model, "train": {"epochs": 1}}
    (folder / "asked.json").write_text(json.dumps(spec))
    assert main(["run", str(folder / "asked.json"), "--out", str(folder / name)]) == 0
    return folder / name


def job(folder, how, *sources, out="out", **params):
    (folder / "job.json").write_text(json.dumps({"from": [str(each) for each in sources], "params": params}))
    return main(["job", how, str(folder / "job.json"), "--out", str(folder / out)])


def rows(folder, table, out="out"):
    result = json.loads((folder / out / "result.json").read_text())
    return [row for row in result["rows"] if row["table"] == table]


@pytest.mark.parametrize("model", [LINEAR, {"arch": "toy"}], ids=["linear", "toy"])
def test_it_is_said_where_there_are_no_units(tmp_path, monkeypatch, capsys, model):
    entries.add(monkeypatch)
    base = trained(tmp_path, model)
    for threshold in ("network", "layer"):
        capsys.readouterr()
        assert job(tmp_path, "prune", base, what="units", threshold=threshold) == 2
        said = capsys.readouterr().err
        assert "no units that could be taken out; choose weights" in said and said.count("\n") == 1
    assert job(tmp_path, "shrink", base, out="shrunk") == 0
    (why,) = rows(tmp_path, "why", "shrunk")
    assert "no units that could be taken out" in why["says"]
    assert job(tmp_path, "prune", base, out="pruned") == 0
    assert job(tmp_path, "merge", base, tmp_path / "pruned", out="merged") == 0


def test_blocks_that_are_left_keep_their_names(tmp_path):
    base = trained(tmp_path, DEEP)
    assert job(tmp_path, "prune", base, out="blocks", what="blocks", share=0.34, by="random") == 0
    left = {row["layer"] for row in rows(tmp_path, "layers", "blocks") if row["kept"]}
    assert len(left) == 2 and left != {"block1", "block2"}  # or their numbers would be their places
    assert job(tmp_path, "prune", tmp_path / "blocks", out="units", what="units", share=0.5) == 0
    found = {row["layer"]: row["what"] for row in rows(tmp_path, "layers", "units")}
    assert found == {f"{name}.attention": "heads" for name in left} | {f"{n}.fc1": "neurons" for n in left}


def test_networks_of_different_widths_are_not_merged(tmp_path, capsys):
    base = trained(tmp_path, DEEP)
    assert job(tmp_path, "prune", base, out="small", what="units", share=0.5) == 0
    capsys.readouterr()
    assert job(tmp_path, "merge", base, tmp_path / "small", out="merged") == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "the same widths" in said
