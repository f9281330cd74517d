"""What a run keeps on disk: whole files, the best epoch, every edit; and what somebody else put there."""

import errno
import json
import struct

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from core.run.checkpoints import BEST, KEPT, LAST, found, head, newest
from core.run.commands import Control
from core.run.edits import MAX_EDITS
from core.run.errors import SpecError
from core.run.events import lean
from core.run.spec import parse
from core.train import checkpoint as saving
from core.train import keeping, loop
from core.train.keeping import Checkpoints
from core.train.loop import run
from tests.train.same_runs import result, sha
from tests.train.small_runs import epochs, last
from tests.train.steered_runs import SMALL_CNN, steered

TRAIN = SMALL_CNN["train"]
RATE = {"optimiser.lr": 0.002}


@pytest.fixture(autouse=True)
def every_step_is_told(monkeypatch):
    monkeypatch.setattr(loop, "STEP_SECONDS", 0.0)
    monkeypatch.setattr(loop, "STEP_SHARE", 1e9)


def with_head(path, **change):
    """A checkpoint whose head says something else."""
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    saving.save_file(tensors, path, {**metadata, **change})


HEADS = [
    {"at": "[]"},
    {"at": '{"step": 1e999, "epochs": 1, "within": false}'},
    {"at": '{"step": NaN, "epochs": 1, "within": false}'},
    {"at": '{"step": {}, "epochs": 1, "within": false}'},
    {"at": "[" * 100_000},
    {"at": '{"step": ' + "9" * 5000 + "}"},
]


@pytest.mark.parametrize("change", HEADS)
def test_a_hand_made_head_is_no_checkpoint(tmp_path, change):
    list(run(parse(SMALL_CNN), out=tmp_path))
    before = found(tmp_path)
    with_head(tmp_path / LAST, **change)
    assert newest(tmp_path) != tmp_path / LAST and len(found(tmp_path)) in (len(before), len(before) - 1)


@pytest.mark.parametrize(
    "change",
    [
        {"clock": '{"images": 160, "batch_size": 0, "epochs": 3}'},
        {"clock": '{"images": 160, "batch_size": 16, "epochs": 3, "epoch": -4}'},
        {"clock": "[]"},
        {"batches": '{"batches": 1000000000, "images": 3}'},
        {"batches": "[3]"},
        {"edits": "[]"},
        {"epochs": '[{"epoch": 2}]'},
        {"epochs": "{}"},
        {"notes": "3"},
        {"begins_at": "soon"},
    ],
)
def test_a_checkpoint_of_hand_made_values_is_damaged(tmp_path, change):
    list(run(parse(SMALL_CNN), out=tmp_path))
    with_head(tmp_path / LAST, **change)
    with pytest.raises(SpecError, match="damaged"):
        next(run(parse(SMALL_CNN), out=tmp_path, resume=True))


def test_a_checkpoint_of_another_spec_is_refused(tmp_path):
    list(run(parse(SMALL_CNN), out=tmp_path / "one"))
    list(run(parse(SMALL_CNN | {"seed": 5}), out=tmp_path / "other"))
    (tmp_path / "other" / LAST).replace(tmp_path / "one" / LAST)
    with pytest.raises(SpecError, match="of another spec"):
        next(run(parse(SMALL_CNN), out=tmp_path / "one", resume=True))


@pytest.mark.parametrize("left", [0, 4, 100, 5000])
def test_where_the_newest_is_torn_the_run_goes_on_from_the_one_before(tmp_path, left):
    whole = list(run(parse(SMALL_CNN), out=tmp_path / "whole"))
    list(run(parse(SMALL_CNN), out=tmp_path / "torn"))
    torn = tmp_path / "torn" / LAST
    torn.write_bytes(torn.read_bytes()[:left])
    (tmp_path / "torn" / "weights.safetensors").unlink()
    (tmp_path / "torn" / KEPT / "000000030.safetensors").unlink()
    events = list(run(parse(SMALL_CNN), out=tmp_path / "torn", resume=True, retell=True))
    assert last(events, "resumed")["step"] < 30
    assert [*map(lean, epochs(events))] == [*map(lean, epochs(whole))]
    assert sha(tmp_path / "torn") == sha(tmp_path / "whole")


def test_an_edit_that_no_checkpoint_knows_is_made_again(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_CHECKPOINT_SECONDS", "0.01")
    edit = {"command": "edit", "set": RATE}
    whole = result(steered(SMALL_CNN, {12: [edit]}, out=tmp_path / "whole"), tmp_path / "whole")
    control, seen = Control(), []
    for event in run(parse(SMALL_CNN), control, out=tmp_path / "cut"):
        seen.append(event)
        if event["event"] == "step" and event["step"] == 11:
            control.post({"command": "checkpoint"})
        if event["event"] == "step" and event["step"] == 12:
            before = (tmp_path / "cut" / LAST).read_bytes()
            control.post(edit)
        if event["event"] == "edit":  # killed the moment it is told
            edits = (tmp_path / "cut" / "edits.json").read_bytes()
            break
    (tmp_path / "cut" / LAST).write_bytes(before)
    (tmp_path / "cut" / "edits.json").write_bytes(edits)
    seen += run(parse(SMALL_CNN), out=tmp_path / "cut", resume=True)
    assert [e["step"] for e in seen if e["event"] == "edit"] == [12, 12]
    assert result(seen, tmp_path / "cut") == whole


def test_the_best_epoch_stays_the_best_after_a_resume(tmp_path):
    list(run(parse(SMALL_CNN), out=tmp_path))
    with_best = json.loads(head(tmp_path / KEPT / BEST)["epochs"])
    with_best[-1]["validation_accuracy"] = 1.0
    with_head(tmp_path / KEPT / BEST, epochs=json.dumps(with_best))
    control = Control()
    for event in run(parse(SMALL_CNN), control, out=tmp_path / "other"):
        if event["event"] == "step" and event["step"] == 15:
            control.post({"command": "checkpoint"})
        if event["event"] == "checkpoint":
            break
    (tmp_path / KEPT / BEST).replace(tmp_path / "other" / KEPT / BEST)
    list(run(parse(SMALL_CNN), out=tmp_path / "other", resume=True))
    best = json.loads(head(tmp_path / "other" / KEPT / BEST)["epochs"])
    assert best[-1]["validation_accuracy"] == 1.0


def test_a_new_run_in_an_old_folder_keeps_nothing_of_the_old_one(tmp_path):
    steered(SMALL_CNN, {3: [{"command": "edit", "set": RATE}]}, out=tmp_path)
    short = parse(SMALL_CNN | {"train": TRAIN | {"epochs": 1}})
    list(run(short, out=tmp_path))
    assert {each.step for each in found(tmp_path)} == {10} and not (tmp_path / "edits.json").exists()


def test_the_disk_is_full_when_the_weights_are_written(tmp_path, monkeypatch):
    """Early stopping puts its best network in the place of the last when it saves: the last checkpoint is of
    the last all the same."""
    patient = {"kind": "early_stopping", "params": {"patience": 2, "monitor": "loss"}}
    wild = {"kind": "adam", "lr": 0.3}
    chosen = parse(SMALL_CNN | {"regularisers": [patient], "optimiser": wild, "train": TRAIN | {"epochs": 9}})
    whole = list(run(chosen, out=tmp_path / "whole"))
    assert last(whole, "finished")["result"]["epoch"] < last(whole, "finished")["epochs"]
    expected = result(whole, tmp_path / "whole")
    write, full = saving._write, [3]

    def no_room(path, *rest):
        if path.name == "weights.safetensors" and full[0]:
            full[0] -= 1
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, *rest)

    monkeypatch.setattr(saving, "_write", no_room)
    monkeypatch.setattr(loop, "ROOM_SECONDS", 0.01)
    events = list(run(chosen, out=tmp_path / "full"))
    assert [e["state"] for e in events if e["event"] == "state"] == ["running", "paused", "finished"]
    assert result(events, tmp_path / "full") == expected
    one, other = (load_file(tmp_path / name / LAST) for name in ("whole", "full"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_full_disk_leaves_the_old_spec_and_edits_whole(tmp_path, monkeypatch):
    list(run(parse(SMALL_CNN), out=tmp_path))
    before = (tmp_path / "spec.json").read_text()

    def no_room(path, *_, **__):
        path.open("w").close()  # what is there is gone before there is no room
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", no_room)
    control = Control()
    for event in run(parse(SMALL_CNN | {"seed": 3}), control, out=tmp_path):
        if event["event"] == "step":
            control.stop.set()
    assert event["reason"] == "Its weights could not be saved: the disk is full."
    assert (tmp_path / "spec.json").read_text() == before and not list(tmp_path.rglob("*.part"))


def test_whatever_goes_wrong_in_the_thread_that_writes_is_heard(tmp_path, monkeypatch):
    def no_memory(*_):
        raise MemoryError("none left")

    monkeypatch.setattr(keeping, "write_checkpoint", no_memory)
    keeper = Checkpoints(tmp_path, lambda _: saving.Checkpoint({}, {}))
    keeper.last()
    with pytest.raises(OSError, match="none left"):
        keeper.flush(5)
    keeper.close()


@pytest.mark.parametrize(
    "change",
    [
        {"train.epochs": 10**9},
        {"train.epochs": 0},
        {"train.batch_size": 0},
        {"train.batch_size": 10**12},
        {"optimiser.lr": float("nan")},
        {"optimiser.lr": float("inf")},
        {"optimiser.lr": "fast"},
        {"optimiser.lr": [[[[1]]]]},
        {".".join("x" * 5000): 1},
        {"." * 10_000: 1},
        {"": 1},
        {"regularisers.-1.strength": 1},
        {"regularisers.99999.strength": 1},
        {"regularisers.0.strength": -1},
        {"augment.strength": 1e308},
        {"augment.ops.0.params.degrees": [float("nan")] * 100},
        {"model.params.dropout": 1.0000001},
        {"__class__.__init__": 1},
        {"optimiser": {"lr": 1}},
    ],
    ids=lambda change: str(change)[:30],
)
def test_an_absurd_edit_is_refused_with_a_short_sentence_and_changes_nothing(change):
    asked = {4: [{"command": "edit", "set": change}]}
    events = steered(SMALL_CNN | {"train": TRAIN | {"epochs": 1}}, asked)
    assert len(last(events, "refused")["reason"]) < 2000
    assert not [event for event in events if event["event"] == "edit"]
    plain = list(run(parse(SMALL_CNN | {"train": TRAIN | {"epochs": 1}})))
    assert epochs(events) == epochs(plain)


def test_a_run_takes_no_more_edits_than_can_be_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr("core.train.steering.MAX_EDITS", 2)
    edit = {"command": "edit", "set": RATE}
    events = steered(SMALL_CNN, {2: [edit], 3: [edit], 4: [edit]}, out=tmp_path)
    assert last(events, "refused")["reason"] == "A run takes at most 2 edits." and MAX_EDITS == 10_000


def test_edits_of_a_branch_come_after_its_beginning(tmp_path):
    list(run(parse(SMALL_CNN), out=tmp_path))
    start = tmp_path / KEPT / "000000010.safetensors"
    chosen = parse(SMALL_CNN | {"train": TRAIN | {"batch_size": 80}})
    with pytest.raises(SpecError, match="begins after step 10; choose that or more"):
        next(run(chosen, start=start, edits=[{"step": 9, "set": RATE}]))
    with pytest.raises(SpecError, match="not below the run's number of steps, 14"):
        next(run(chosen, start=start, edits=[{"step": 14, "set": RATE}]))
    events = list(run(chosen, start=start, edits=[{"step": 13, "set": RATE}]))
    assert last(events, "edit")["step"] == 13


def test_a_head_that_is_longer_than_its_file_is_none(tmp_path):
    (tmp_path / LAST).write_bytes(struct.pack("<Q", 2**40) + b"{}")
    assert newest(tmp_path) is None and found(tmp_path) == []
