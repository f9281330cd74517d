"""The events that the command line keeps of a run that is killed and resumed: each step and epoch once."""

import errno
import io
import json

import pytest

from core.__main__ import main
from core.jobs.event_file import EventFile, told_before
from core.run.events import MEASURED_TIMES, state
from core.train import checkpoint as saving
from core.train import loop
from core.train.keeping import Checkpoints

RUN = ["run", "baseline", "--set", "data.name=digits", "--set", "data.train_images=60", "--set"]
RUN += [
    'model.params={"channels":[4],"hidden":16}',
    "--set",
    "train.epochs=4",
    "--set",
    "train.batch_size=20",
]
RUN += ["--set", "train.device=cpu", "--out"]


class KilledError(Exception):
    pass


@pytest.fixture(autouse=True)
def every_step_is_told(monkeypatch):
    monkeypatch.setattr(loop, "STEP_SECONDS", 0.0)
    monkeypatch.setattr(loop, "STEP_SHARE", 1e9)


def kept(folder):
    lines = (folder / "events.jsonl").read_text().splitlines()
    return [
        {
            key: value
            for key, value in json.loads(line).items()
            if key not in (*MEASURED_TIMES, "result", "last")
        }
        for line in lines
    ]


def told(events):
    return [event for event in events if event["event"] in ("step", "epoch")]


def killed_at(monkeypatch, folder, dies, *more):
    """Run until ``dies`` says of an event, which is kept, that the process is killed then."""
    real = loop.run

    def run(*arguments, **options):
        for event in real(*arguments, **options):
            yield event
            if dies(event):
                raise KilledError

    with monkeypatch.context() as patched, pytest.raises(KilledError):
        patched.setattr(loop, "run", run)
        main([*RUN, str(folder), *more])


def at_step(step):
    return lambda event: event["event"] == "step" and event["step"] == step


@pytest.mark.parametrize("half_a_line", ["", '{"event": "ste'])
def test_steps_past_the_checkpoint_are_told_once(tmp_path, monkeypatch, half_a_line):
    assert main([*RUN, str(tmp_path / "whole")]) == 0
    whole = kept(tmp_path / "whole")
    assert [event["step"] for event in told(whole) if event["event"] == "step"] == list(range(1, 13))
    # Checkpoints are seconds apart: there is one after the first epoch of each process, and no more.
    killed_at(monkeypatch, tmp_path / "cut", at_step(8))
    assert told(kept(tmp_path / "cut"))[-1]["step"] == 8
    with (tmp_path / "cut" / "events.jsonl").open("a") as file:
        file.write(half_a_line)
    killed_at(monkeypatch, tmp_path / "cut", at_step(11), "--resume")
    assert main([*RUN, str(tmp_path / "cut"), "--resume"]) == 0
    cut = kept(tmp_path / "cut")
    assert told(cut) == told(whole)
    assert cut[-2:] == whole[-2:]
    # Each process whose steps are there says once what it ran on, before the first of them.
    others = [event["event"] for event in cut if event not in told(cut)]
    assert others == ["state", "started"] * 3 + ["finished", "state"]
    assert not list((tmp_path / "cut").glob("*.part"))


def test_an_epoch_that_only_the_checkpoint_knows_is_told_once(tmp_path, monkeypatch):
    assert main([*RUN, str(tmp_path / "whole")]) == 0
    real = Checkpoints.epoch_ended

    def epoch_ended(keeper, *arguments):
        real(keeper, *arguments)
        raise KilledError

    with monkeypatch.context() as patched, pytest.raises(KilledError):
        patched.setattr(Checkpoints, "epoch_ended", epoch_ended)
        main([*RUN, str(tmp_path / "cut")])
    assert [event["event"] for event in told(kept(tmp_path / "cut"))] == ["step"] * 3
    assert main([*RUN, str(tmp_path / "cut"), "--resume"]) == 0
    assert told(kept(tmp_path / "cut")) == told(kept(tmp_path / "whole"))


def test_a_finished_run_keeps_its_file_and_a_new_one_begins_it(tmp_path, capsys):
    assert main([*RUN, str(tmp_path)]) == 0
    before = (tmp_path / "events.jsonl").read_bytes()
    capsys.readouterr()
    assert main([*RUN, str(tmp_path), "--resume"]) == 0
    captured = capsys.readouterr()
    assert captured.out.count("\n") == 1 and json.loads(captured.out)["state"] == "finished"
    assert captured.err == "The run was finished, after epoch 4; nothing was trained now.\n"
    assert (tmp_path / "events.jsonl").read_bytes() == before
    assert main([*RUN, str(tmp_path), "--set", "optimiser.lr=-1"]) == 2
    assert (tmp_path / "events.jsonl").read_bytes() == before  # what is refused touches nothing
    assert main([*RUN, str(tmp_path)]) == 0
    assert len(kept(tmp_path)) == before.count(b"\n")


def test_a_damaged_file_is_mended_from_the_checkpoint(tmp_path, monkeypatch):
    killed_at(monkeypatch, tmp_path, at_step(5))
    (tmp_path / "events.jsonl").write_text(
        '{"event": "state", "state": "running"}\n{"event": "epoch", "epoch": []}\n7\n'
    )
    assert main([*RUN, str(tmp_path), "--resume"]) == 0
    assert [event["epoch"] for event in kept(tmp_path) if event["event"] == "epoch"] == [1, 2, 3, 4]


def test_a_run_cut_within_an_epoch_tells_each_step_and_edit_once(tmp_path, monkeypatch):
    edits = tmp_path / "edits.json"
    edits.write_text(
        '[{"step": 4, "set": {"optimiser.lr": 0.01}}, {"step": 8, "set": {"optimiser.lr": 0.1}}]'
    )
    more = ["--edits", str(edits)]
    assert main([*RUN, str(tmp_path / "whole"), *more]) == 0
    real = loop._Run._epochs

    def asks_for_a_checkpoint(self, steering, keeper):
        for event in real(self, steering, keeper):
            if event["event"] == "step" and event["step"] == 5:
                self.control.post({"command": "checkpoint"})
            yield event

    with monkeypatch.context() as patched:
        patched.setattr(loop._Run, "_epochs", asks_for_a_checkpoint)
        patched.setenv("AUGURY_CHECKPOINT_SECONDS", "1e9")
        killed_at(patched, tmp_path / "cut", at_step(9), *more)
    assert main([*RUN, str(tmp_path / "cut"), "--resume"]) == 0
    cut, whole = kept(tmp_path / "cut"), kept(tmp_path / "whole")
    assert told(cut) == told(whole)
    assert [e for e in cut if e["event"] == "edit"] == [e for e in whole if e["event"] == "edit"] != []


def test_an_edit_after_the_checkpoint_is_told_again_also_where_no_steps_were_told(tmp_path):
    edits = [{"event": "edit", "step": step, "set": {"optimiser.lr": 0.1}, "was": {}} for step in (2, 8)]
    (tmp_path / "events.jsonl").write_text("".join(json.dumps(edit) + "\n" for edit in edits))
    lines = told_before(tmp_path / "events.jsonl", saving.Told([], step=5, edits=1))
    assert [json.loads(line) for line in lines] == edits[:1]


@pytest.mark.parametrize("left", ["", '{"event": "sta'])
def test_a_run_that_was_killed_before_it_could_say_how_it_ended_says_so_when_it_is_resumed(tmp_path, left):
    assert main([*RUN, str(tmp_path)]) == 0
    *before, last = (tmp_path / "events.jsonl").read_text().splitlines(keepends=True)
    assert json.loads(last)["state"] == "finished"
    (tmp_path / "events.jsonl").write_text("".join(before) + left)
    assert main([*RUN, str(tmp_path), "--resume"]) == 0
    *after, ended = (tmp_path / "events.jsonl").read_text().splitlines(keepends=True)
    assert after == before and json.loads(ended)["state"] == "finished"


@pytest.mark.parametrize("room", [0, 7])
def test_what_finds_no_room_is_written_once_there_is_some_and_no_line_is_torn(tmp_path, monkeypatch, room):
    file = EventFile(tmp_path)
    file.add(state("running"), resumed=False)

    class Full(io.FileIO):
        def write(self, data):
            if room:
                super().write(data[:room])
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr("pathlib.Path.open", lambda path, mode, **_: Full(path, "a"))
        file.add(state("paused"), resumed=False)
        file.add(state("running"), resumed=False)
    assert kept(tmp_path) == [state("running")]
    file.add(state("finished"), resumed=False)
    assert [each["state"] for each in kept(tmp_path)] == ["running", "paused", "running", "finished"]
