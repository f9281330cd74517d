"""A run that is cut within an epoch, with edits made and to come, and resumed."""

import pytest
import torch

from core.run.commands import Control
from core.run.errors import SpecError
from core.run.spec import parse
from core.train import loop
from core.train.evaluation import Judgement
from core.train.loop import run
from tests.train.small_runs import epochs, last
from tests.train.steered_runs import CHANGES, SMALL_CNN, same_weights, steered


@pytest.fixture(autouse=True)
def every_step_is_told(monkeypatch):
    monkeypatch.setattr(loop, "STEP_SECONDS", 0.0)
    monkeypatch.setattr(loop, "STEP_SHARE", 1e9)


L1 = {"kind": "l1", "strength": 1e-3, "warmup_epochs": 1}
CLIPPING = {"kind": "clipping", "params": {"norm": 1.0}}


@pytest.mark.parametrize(
    ("kind", "regularisers"),
    [
        ("sgd", None),
        ("rmsprop", None),
        ("sgd", [L1, CLIPPING, {"kind": "sam"}]),
        ("adam", [L1, CLIPPING]),
        ("lion", [L1 | {"solver": "penalty"}, CLIPPING]),
        ("muon", [L1 | {"solver": "penalty"}, {"kind": "sam"}, {"kind": "weight_decay"}]),
    ],
)
def test_a_run_cut_within_an_epoch_is_the_run_that_never_was_cut(tmp_path, kind, regularisers):
    chosen = SMALL_CNN | {"optimiser": {"kind": kind, "schedule": "one-cycle"}}
    chosen |= {"regularisers": regularisers} if regularisers else {}
    edit = [{"command": "edit", "set": CHANGES[0]}]
    whole = steered(chosen, {7: edit, 24: edit}, out=tmp_path / "whole")
    seen, control = [], Control()
    for event in run(parse(chosen), control, out=tmp_path / "cut"):
        seen.append(event)
        if event["event"] == "step" and event["step"] == 7:
            for command in (*edit, {"command": "checkpoint"}):
                control.post(command)
        if event["event"] == "step" and event["step"] == 9:
            break  # killed two steps after the checkpoint
    assert last(seen, "checkpoint")["step"] == 7
    control = Control()
    for event in run(parse(chosen), control, out=tmp_path / "cut", resume=True):
        seen.append(event)
        if event["event"] == "step" and event["step"] == 24:
            for command in edit:
                control.post(command)
        if event["event"] == "step" and event["step"] == 25:
            break  # and after an edit, which no one saved but the run
    seen += run(parse(chosen), out=tmp_path / "cut", resume=True)
    assert epochs(seen) == epochs(whole) and same_weights(tmp_path / "whole", tmp_path / "cut")
    rates = {e["step"]: e["learning_rate"] for e in whole if e["event"] == "step"}
    assert all(rates[e["step"]] == e["learning_rate"] for e in seen if e["event"] == "step")
    steps = [event["step"] for event in seen if event["event"] == "step"]
    assert steps == [*range(1, 10), *range(8, 26), *range(25, 31)]
    assert (tmp_path / "whole" / "edits.json").read_text() == (tmp_path / "cut" / "edits.json").read_text()


def test_edits_to_come_are_made_after_a_resume(tmp_path):
    edits = [{"step": 4, "set": CHANGES[0]}, {"step": 15, "set": CHANGES[1]}]
    whole = list(run(parse(SMALL_CNN), edits=edits))
    control, seen = Control(), []
    for event in run(parse(SMALL_CNN), control, out=tmp_path, edits=edits):
        seen.append(event)
        if event["event"] == "step" and event["step"] == 8:
            control.post({"command": "checkpoint"})
        if event["event"] == "checkpoint":
            break
    with pytest.raises(SpecError, match="other edits"):
        next(run(parse(SMALL_CNN), out=tmp_path, resume=True, edits=edits[1:]))
    checkpoint = (tmp_path / "checkpoint.safetensors").read_bytes()
    for given in ((), edits):
        (tmp_path / "checkpoint.safetensors").write_bytes(checkpoint)
        resumed = list(run(parse(SMALL_CNN), out=tmp_path, resume=True, edits=given))
        assert epochs(resumed) == epochs(whole)


def test_a_run_that_fails_after_a_resume_within_an_epoch_keeps_the_last_epochs_weights(tmp_path, monkeypatch):
    short = SMALL_CNN | {"train": SMALL_CNN["train"] | {"epochs": 1}, "optimiser": {"kind": "adam"}}
    longer = short | {"train": SMALL_CNN["train"]}
    list(run(parse(short), out=tmp_path / "good"))
    control = Control()
    for event in run(parse(longer), control, out=tmp_path / "cut"):
        if event["event"] == "step" and event["step"] == 13:
            control.post({"command": "checkpoint"})
        if event["event"] == "checkpoint":
            break
    monkeypatch.setattr("core.train.epoch.evaluate", lambda *_: evaluated_to_nothing())
    seen = list(run(parse(longer), out=tmp_path / "cut", resume=True))
    assert seen[-1]["reason"].endswith("those of epoch 1, the last that ended.")
    assert (seen[-1]["code"], seen[-1]["values"]["step"]) == ("diverged", 20)
    assert seen[-1]["values"]["rate"] == 0.001 and seen[-1]["values"]["norm"] > 0
    assert same_weights(tmp_path / "good", tmp_path / "cut")


def evaluated_to_nothing():
    return Judgement(torch.tensor([float("nan")]), *[torch.zeros(1, dtype=torch.int64)] * 3)
