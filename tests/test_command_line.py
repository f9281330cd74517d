"""The command line's contract: events on standard output, refusals as one line, exit status."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.__main__ import main
from core.presets import PRESETS
from core.run.spec import parse

TINY = [
    "--set",
    "data.name=digits",
    "--set",
    "data.train_images=100",
    "--set",
    'model.params={"channels":[4],"hidden":16}',
    "--set",
    "train.epochs=1",
    "--set",
    "train.device=cpu",
]


def refusal(capsys, *arguments):
    """The one line that ``arguments`` are refused with."""
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1
    return captured.err


def test_run_prints_one_event_a_line_and_keeps_them(capsys, tmp_path):
    assert main(["run", "baseline", *TINY, "--out", str(tmp_path / "new")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["event"] for line in lines][-2:] == ["finished", "state"]
    assert (tmp_path / "new" / "events.jsonl").read_text().splitlines() == lines
    assert parse((tmp_path / "new" / "spec.json").read_text()).train.epochs == 1
    assert (tmp_path / "new" / "weights.safetensors").stat().st_size > 1000


def test_run_reads_a_file_and_standard_input(capsys, tmp_path, monkeypatch):
    import io

    path = tmp_path / "a.json"
    path.write_text('{"seed": 4}')
    assert main(["run", str(path), *TINY]) == 0
    from_file = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    monkeypatch.setattr("sys.stdin", io.StringIO('{"seed": 4}'))
    assert main(["run", "-", *TINY]) == 0
    from_input = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    accuracy = [e["validation_accuracy"] for e in from_file + from_input if e["event"] == "epoch"]
    assert len(accuracy) == 2 and accuracy[0] == accuracy[1]


def test_a_run_that_fails_exits_with_1_and_says_why(capsys):
    penalty = 'regularisers=[{"kind":"l2","strength":100}]'
    wild = ["--set", "optimiser.kind=sgd", "--set", "optimiser.lr=10", "--set", penalty]
    wild += ["--set", "train.epochs=60"]
    assert main(["run", "baseline", *TINY, *wild]) == 1
    assert "lower learning rate" in capsys.readouterr().err


@pytest.mark.parametrize("name", PRESETS)
def test_spec_prints_a_full_spec(capsys, name):
    assert main(["spec", name]) == 0
    spec = parse(capsys.readouterr().out)
    assert spec.optimiser.lr is not None and spec.model.params
    assert all(op.params is not None and op.p is not None for op in spec.augment.ops)


def test_schema_and_catalogue_are_json(capsys):
    assert main(["spec", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "RunSpec"
    assert main(["catalogue"]) == 0
    listing = json.loads(capsys.readouterr().out)
    assert {"datasets", "operations", "architectures", "regularisers", "optimisers"} <= set(listing)
    assert len(listing["operations"]) >= 16
    affine = next(each for each in listing["operations"] if each["name"] == "RandomAffine")
    assert {"name", "low", "high", "default", "help", "unit"} <= set(affine["parameters"][0])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "nowhere.json"], "no such file, and no preset called 'nowhere.json'; there are baseline, "),
        (["run", "l1-spars"], "no preset called 'l1-spars'; did you mean l1-sparse or l1-sparsest"),
        (
            ["run", "core"],
            "core can't be read: Is a directory. Give a JSON file, '-', or a preset: ",
        ),
        (
            ["run", "baseline", "--set", "data.folds=5"],
            "data: of 5 `folds` one is judged, so say which: `fold`",
        ),
        (["run", "baseline", "--set", "train.epochs=0"], "train.epochs: 0 is below the smallest allowed"),
        (["run", "baseline", "--set", "model.arch=vgg"], "there is no architecture called 'vgg'"),
        (["run", "baseline", "--set", 'model.params={"channels":[512,512,512],"hidden":40960}'], "hidden"),
        (["run", "baseline", "--set", 'augment.ops=[{"op":"RandomHue"}]'], "RandomHue"),
        (["run", "baseline", "--set", 'augment.ops=[{"op":"RandomAfine"}]'], "RandomAffine"),
        (["run", "baseline", "--set", "data.name=folder"], "data.path"),
        (["run", "baseline", "--resume"], "--out"),
        (["spec", "nothing"], "There is no preset called 'nothing'; there are baseline, "),
        (["spec", "Baselin"], "There is no preset called 'Baselin'; did you mean baseline?"),
    ],
)
def test_wrong_input_is_one_line_and_status_2(capsys, arguments, says):
    assert says in refusal(capsys, *arguments)


def test_the_module_runs_and_never_shows_a_traceback(tmp_path):
    (tmp_path / "bad.json").write_bytes(b"\xff\xfe{")
    done = subprocess.run(
        [sys.executable, "-m", "core", "run", str(tmp_path / "bad.json")],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent.parent,
        timeout=120,
    )
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and "not UTF-8" in done.stderr


def read_one_line(*arguments, lines=1):
    """What a command prints to a reader that goes away after so many lines; how it ends, its errors."""
    command = subprocess.Popen(
        [sys.executable, "-m", "core", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    line = "".join(command.stdout.readline() for _ in range(lines))
    command.stdout.close()
    said = command.stderr.read()
    return line, command.wait(timeout=120), said


def test_a_reader_that_goes_away_ends_a_run_within_a_batch_and_without_a_traceback(tmp_path):
    endless = ["--set", "train.epochs=1000", "--out", str(tmp_path)]
    line, status, said = read_one_line("run", "baseline", *TINY, *endless)
    assert json.loads(line)["state"] == "running"
    assert (status, said) == (0, "")
    kept = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert kept[-1]["state"] == "stopped"


@pytest.mark.parametrize("lines", [0, 1])
@pytest.mark.parametrize("arguments", [("catalogue",), ("spec", "--schema"), ("path", "l1-sparse", *TINY)])
def test_a_reader_that_goes_away_is_no_error(arguments, lines):
    line, status, said = read_one_line(*arguments, lines=lines)
    assert bool(line) == bool(lines) and (status, said) == (0, "")


def test_another_seed_is_not_another_exam(capsys):
    def validation(*settings):
        assert main(["run", "baseline", *TINY, *settings]) == 0
        events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return next(each for each in events if each["event"] == "started")["strip"]["images"]

    one = validation()
    assert validation("--set", "seed=1") == one != validation("--set", "data.split_seed=1")


def test_a_branch_asked_for_with_its_parents_spec_keeps_the_parents_edits(capsys, tmp_path):
    edits = tmp_path / "edits.json"
    edits.write_text('[{"step": 0, "set": {"optimiser.lr": 0.25}}]')
    three = [*TINY, "--set", "train.epochs=3"]
    assert main(["run", "baseline", *three, "--out", str(tmp_path / "a"), "--edits", str(edits)]) == 0
    capsys.readouterr()
    start = ["--from", f"{tmp_path / 'a'}@1"]
    assert "--out" in refusal(capsys, "run", "baseline", *three, "--out", str(tmp_path / "a"), *start)
    assert main(["run", "baseline", *three, "--out", str(tmp_path / "b"), *start]) == 0
    told = capsys.readouterr()
    steps = [json.loads(line) for line in told.out.splitlines()]
    assert {e["learning_rate"] for e in steps if e["event"] == "step"} == {0.25}
    assert "edits up to there are kept" in told.err
    assert (
        main(["run", "baseline", *three, "--set", "optimiser.lr=0.5", "--out", str(tmp_path / "c"), *start])
        == 0
    )
    steps = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {e["learning_rate"] for e in steps if e["event"] == "step"} == {0.5}


def test_edits_from_a_file_are_made_at_their_steps(capsys, tmp_path):
    edits = tmp_path / "edits.json"
    edits.write_text('[{"step": 0, "set": {"optimiser.lr": 0.25}}]')
    assert main(["run", "baseline", *TINY, "--edits", str(edits)]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [e["was"] for e in told if e["event"] == "edit"] == [{"optimiser.lr": 0.001}]
    assert {e["learning_rate"] for e in told if e["event"] == "step"} == {0.25}
    for text, says in (("[7]", "edits[0]: it is no edit"), ("[", "edits: they are not valid JSON")):
        edits.write_text(text)
        assert says in refusal(capsys, "run", "baseline", *TINY, "--edits", str(edits))
    missing = refusal(capsys, "run", "baseline", *TINY, "--edits", str(tmp_path / "none"))
    assert "can't be read" in missing
