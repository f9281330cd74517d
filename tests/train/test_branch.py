"""A run that goes on from another one's checkpoint: nothing that it was not told to change is changed."""

import pytest

from core.branching import check_branch
from core.catalogues import completed
from core.run.checkpoints import after_epoch, found
from core.run.commands import Control
from core.run.errors import SpecError
from core.run.spec import parse
from core.train import loop
from core.train.loop import run
from tests.train.small_runs import epochs, last, untimed
from tests.train.steered_runs import CHANGES, SMALL_CNN, same_weights, steered

TRAIN = SMALL_CNN["train"]
CONSTANT = SMALL_CNN | {"optimiser": {"kind": "adam", "lr": 0.01}}


@pytest.fixture(autouse=True)
def every_step_is_told(monkeypatch):
    monkeypatch.setattr(loop, "STEP_SECONDS", 0.0)
    monkeypatch.setattr(loop, "STEP_SHARE", 1e9)


@pytest.mark.parametrize("chosen", [SMALL_CNN, {"train": {"epochs": 3}, "data": {"train_images": 256}}])
def test_a_branch_that_changes_nothing_is_the_run_it_came_from(tmp_path, chosen):
    whole = list(run(parse(chosen), out=tmp_path / "whole"))
    for epoch in (1, 2):
        start = after_epoch(tmp_path / "whole", epoch)
        branch = list(run(parse(chosen), out=tmp_path / "branch", start=start))
        assert epochs(branch) == epochs(whole)[epoch:]
        assert same_weights(tmp_path / "whole", tmp_path / "branch")
        assert last(branch, "started")["begins_at"] == epochs(whole)[epoch - 1]["step"]
        assert untimed(last(branch, "finished")["result"]) == untimed(last(whole, "finished")["result"])


def test_a_finished_run_that_is_extended_is_the_longer_run(tmp_path):
    longer = CONSTANT | {"train": TRAIN | {"epochs": 5}}
    list(run(parse(CONSTANT), out=tmp_path / "short"))
    whole = list(run(parse(longer), out=tmp_path / "long"))
    start = after_epoch(tmp_path / "short", 3)
    extended = list(run(parse(longer), out=tmp_path / "extended", start=start))
    assert same_weights(tmp_path / "long", tmp_path / "extended")
    # The last epoch of the short run was measured more thoroughly; that is all.
    assert epochs(extended) == epochs(whole)[3:]


def test_a_branch_trains_by_its_own_spec_from_the_parents_state_edits_and_all(tmp_path):
    asked = {7: [{"command": "edit", "set": CHANGES[0]}]}
    parent = steered(SMALL_CNN, asked, out=tmp_path / "parent")
    edited = SMALL_CNN | {"optimiser": SMALL_CNN["optimiser"] | {"lr": 0.002}}
    edited["regularisers"] = [
        SMALL_CNN["regularisers"][0] | {"strength": 0.01},
        *SMALL_CNN["regularisers"][1:],
    ]
    start = after_epoch(tmp_path / "parent", 2)
    branch = list(run(parse(edited), out=tmp_path / "branch", start=start))
    assert epochs(branch) == epochs(parent)[2:]
    gentle = edited | {"optimiser": edited["optimiser"] | {"lr": 0.001}}
    other = list(run(parse(gentle), start=start))
    rates = [[e["learning_rate"] for e in of if e["event"] == "step"] for of in (branch, other)]
    assert rates[1] == pytest.approx([rate / 2 for rate in rates[0]])
    assert epochs(other) != epochs(branch)


@pytest.mark.parametrize(
    "change",
    [
        {"optimiser": {"kind": "sgd"}},
        {"regularisers": []},
        {"regularisers": [{"kind": "l0"}, {"kind": "ema"}, {"kind": "orthogonality"}]},
        {"train": TRAIN | {"batch_size": 40, "epochs": 4}},
        {"model": {"params": SMALL_CNN["model"]["params"] | {"dropout": 0.1, "channel_dropout": 0.2}}},
        {"augment": {}},
    ],
    ids=["optimiser", "no regularisers", "others", "batches", "dropout", "no augmentation"],
)
def test_a_branch_may_have_another(tmp_path, change):
    list(run(parse(SMALL_CNN), out=tmp_path / "parent"))
    chosen = parse(SMALL_CNN | change)
    branch = list(run(chosen, out=tmp_path / "branch", start=after_epoch(tmp_path / "parent", 1)))
    told = [event["epoch"] for event in epochs(branch)]
    assert told == list(range(2, chosen.train.epochs + 1)) and branch[-1]["state"] == "finished"
    if "train" in change:
        assert epochs(branch)[0]["step"] == 10 + 4  # ten steps of 16, then 160 images by 40


def test_a_branch_that_is_cut_and_resumed_is_the_branch_that_never_was(tmp_path):
    list(run(parse(SMALL_CNN), out=tmp_path / "parent"))
    chosen, start = parse(SMALL_CNN | {"seed": 0}), after_epoch(tmp_path / "parent", 1)
    whole = list(run(chosen, out=tmp_path / "whole", start=start))
    control, seen = Control(), []
    for event in run(chosen, control, out=tmp_path / "cut", start=start):
        seen.append(event)
        if event["event"] == "step" and event["step"] == 24:
            control.post({"command": "checkpoint"})
        if event["event"] == "checkpoint":
            break
    seen += run(chosen, out=tmp_path / "cut", resume=True)
    assert epochs(seen) == epochs(whole) and same_weights(tmp_path / "whole", tmp_path / "cut")
    assert [e["begins_at"] for e in seen if e["event"] == "started"] == [10, 10]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"seed": 5}, "the same validation images"),
        ({"data": {"name": "digits", "train_images": 100}}, "the same images"),
        ({"model": {"arch": "mlp"}}, "the same network"),
        ({"model": {"params": {"hidden": 32}}}, "the same network"),
    ],
)
def test_what_a_branch_cannot_change_is_refused(change, says):
    before = completed(parse(SMALL_CNN))
    with pytest.raises(SpecError, match=says) as refused:
        check_branch(completed(parse(SMALL_CNN | change)), before)
    assert refused.value.code == "needs_new_run"
    same_exam = before.data.model_copy(update={"split_seed": 0})
    check_branch(before.model_copy(update={"seed": 7, "data": same_exam}), before)


def test_a_branch_begins_where_there_is_a_checkpoint_and_before_the_end(tmp_path):
    list(run(parse(SMALL_CNN), out=tmp_path))
    with pytest.raises(SpecError, match=r"no checkpoint is kept of epoch 7; there are: 1, 2, 3\."):
        after_epoch(tmp_path, 7)
    start = after_epoch(tmp_path, 3)
    with pytest.raises(SpecError, match="3 epochs are done already; choose 4 or more"):
        next(run(parse(SMALL_CNN), start=start))
    start.write_bytes(b"\x00" * 64)
    with pytest.raises(SpecError, match="damaged"):
        next(run(parse(SMALL_CNN), start=start))
    assert {each.epochs for each in found(tmp_path)} >= {1, 2}


def test_a_run_that_had_stopped_early_trains_on_as_a_branch(tmp_path):
    patient = [{"kind": "early_stopping", "params": {"patience": 1, "min_delta": 5.0}}]
    chosen = SMALL_CNN | {"regularisers": patient, "train": TRAIN | {"epochs": 6}}
    parent = list(run(parse(chosen), out=tmp_path / "parent"))
    stopped = epochs(parent)[-1]
    assert "stop" in stopped and stopped["epoch"] < 6
    without = parse(chosen | {"regularisers": []})
    branch = list(run(without, start=after_epoch(tmp_path / "parent", stopped["epoch"])))
    assert [event["epoch"] for event in epochs(branch)] == list(range(stopped["epoch"] + 1, 7))
