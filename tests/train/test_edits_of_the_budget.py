"""Epochs, batch size and dropout changed in mid-run: in force when they say so, resumed and replayed."""

import pytest

from core.run.commands import Control
from core.run.edits import read_edits
from core.run.spec import parse
from core.train import loop
from core.train.loop import run
from tests.train.small_runs import epochs, last
from tests.train.steered_runs import SMALL_CNN, same_weights, steered

CHANGES = [
    {"train.batch_size": 40, "model.params.dropout": 0.1},
    {"train.epochs": 5, "model.params.channel_dropout": 0.3},
    {"train.batch_size": 64},
]
ARCHITECTURES = {
    "cnn": SMALL_CNN["model"],
    "mlp": {"arch": "mlp", "params": {"hidden": [16, 16]}},
    "rnn": {"arch": "rnn", "params": {"hidden": 16}},
    "attention": {"arch": "attention", "params": {"width": 16, "depth": 1, "patch": 4}},
}


@pytest.fixture(autouse=True)
def every_step_is_told(monkeypatch):
    monkeypatch.setattr(loop, "STEP_SECONDS", 0.0)
    monkeypatch.setattr(loop, "STEP_SHARE", 1e9)


def edits(*pairs):
    return [{"step": step, "set": change} for step, change in pairs]


def steps_of(events):
    return [event["step"] for event in events if event["event"] == "epoch"]


@pytest.mark.parametrize("at", [(3, 12, 15), (0, 9, 10), (10, 14, 17)])
def test_another_batch_size_is_in_force_from_the_next_epoch_on(at):
    plain = parse(SMALL_CNN)  # 160 images by 16: ten steps an epoch
    seen = list(run(plain, edits=edits(*zip(at, CHANGES, strict=True))))
    first = 4 if at[0] == 0 else 10
    assert steps_of(seen)[0] == first
    assert [b - a for a, b in zip([0, *steps_of(seen)], steps_of(seen), strict=False)][1] == 4
    assert len(epochs(seen)) == 5 and last(seen, "finished")["epochs"] == 5
    told = [event["step"] for event in seen if event["event"] == "step"]
    assert told == list(range(1, steps_of(seen)[-1] + 1))
    assert all(
        event["epoch"] == pytest.approx(1 + (event["step"] - 10) / 4)
        for event in seen
        if event["event"] == "step" and first == 10 and 10 < event["step"] <= 14
    )


def test_a_schedule_goes_on_from_its_phase():
    seen = list(run(parse(SMALL_CNN), edits=edits((10, {"train.batch_size": 80}), (10, {"train.epochs": 4}))))
    rates = {event["step"]: event["learning_rate"] for event in seen if event["event"] == "step"}
    from math import cos, pi

    # After one of four epochs a quarter of the cosine is done, whatever the number of steps in each.
    assert rates[11] == pytest.approx(0.01 * 0.5 * (1 + cos(pi * 0.25)))
    assert rates[12] == pytest.approx(0.01 * 0.5 * (1 + cos(pi * 0.375)))


def test_fewer_epochs_end_the_run_with_the_one_that_is_trained():
    asked = {
        12: [{"command": "edit", "set": {"train.epochs": 1}}],
        13: [{"command": "edit", "set": {"train.epochs": 2}}],
    }
    seen = steered(SMALL_CNN, asked)
    assert last(seen, "refused")["reason"] == "train.epochs: epoch 2 is under way already; choose 2 or more."
    assert len(epochs(seen)) == 2 and seen[-1]["state"] == "finished"


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_edits_of_the_budget_resume_and_replay_to_the_same_bits(tmp_path, arch):
    chosen = SMALL_CNN | {"model": ARCHITECTURES[arch]}
    has_channels = arch == "cnn"
    changes = [c if has_channels else {k: v for k, v in c.items() if "channel" not in k} for c in CHANGES]
    at = (3, 11, 13)
    asked = {step: [{"command": "edit", "set": c}] for step, c in zip(at, changes, strict=True)}
    live = steered(chosen, asked, out=tmp_path / "live")
    replayed = list(
        run(
            parse(chosen), out=tmp_path / "again", edits=read_edits([e for e in live if e["event"] == "edit"])
        )
    )
    assert epochs(replayed) == epochs(live) and same_weights(tmp_path / "live", tmp_path / "again")
    seen = []
    for resumed, end in enumerate((4, 9, 12, 14, 16, None)):  # killed a step after each checkpoint
        control = Control()
        for event in run(parse(chosen), control, out=tmp_path / "cut", resume=resumed > 0):
            seen.append(event)
            if event["event"] != "step":
                continue
            if event["step"] in asked and not any(
                e["event"] == "edit" and e["step"] == event["step"] for e in seen
            ):
                control.post(asked[event["step"]][0])
            if event["step"] == end:
                control.post({"command": "checkpoint"})
            if end is not None and event["step"] == end + 1:
                break
    assert epochs(seen) == epochs(live) and same_weights(tmp_path / "live", tmp_path / "cut")
