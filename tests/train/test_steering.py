"""A run that is steered: commands are obeyed within a batch, and the same edits give the same bits again."""

import json
import threading
import time
from contextlib import contextmanager

import pytest
import torch

from core.catalogues import completed
from core.run.commands import Control
from core.run.edits import apply, read_edits
from core.run.errors import SpecError
from core.run.events import read_event
from core.run.history import HistoryBuilder
from core.run.spec import parse
from core.train import epoch, loop, step
from core.train.batching import batches
from core.train.loop import run
from core.train.session import open_session
from tests.train.small_runs import epochs, last, spec
from tests.train.steered_runs import CHANGES, SMALL_CNN, same_weights, steered

DEFAULT = {
    "data": {"train_images": 96},
    "regularisers": [{"kind": "l1"}],
    "augment": {"ops": [{"op": "RandomAffine"}]},
    "train": {"epochs": 2, "batch_size": 32, "device": "cpu"},
}


@pytest.fixture(autouse=True)
def every_step_is_told(monkeypatch):
    monkeypatch.setattr(loop, "STEP_SECONDS", 0.0)
    monkeypatch.setattr(loop, "STEP_SHARE", 1e9)


def kinds(events):
    return [event["state"] if event["event"] == "state" else event["event"] for event in events]


@pytest.mark.parametrize(("chosen", "at"), [(SMALL_CNN, (7, 20)), (DEFAULT, (1, 4))], ids=["cnn", "default"])
def test_edits_replayed_give_the_bits_of_the_run_they_were_made_in(tmp_path, chosen, at):
    asked = {n: [{"command": "edit", "set": change}] for n, change in zip(at, CHANGES, strict=True)}
    live = steered(chosen, asked, out=tmp_path / "live")
    edits = [event for event in live if event["event"] == "edit"]
    assert [(edit["step"], edit["set"]) for edit in edits] == list(zip(at, CHANGES, strict=True))
    assert edits[0]["was"]["regularisers.0.strength"] == completed(parse(chosen)).regularisers[0].strength
    again = list(run(parse(chosen), out=tmp_path / "again", edits=read_edits(edits)))
    assert epochs(again) == epochs(live) != epochs(run(parse(chosen)))
    assert [event for event in again if event["event"] == "edit"] == edits
    assert same_weights(tmp_path / "live", tmp_path / "again")
    kept = read_edits((tmp_path / "live" / "edits.json").read_text())
    assert kept == [{"step": edit["step"], "set": edit["set"]} for edit in edits]
    for event in live:
        assert read_event(json.dumps(event)) == event


def test_an_edit_is_in_force_in_the_next_step_and_keeps_the_schedules_phase():
    chosen = SMALL_CNN | {"regularisers": [{"kind": "l2", "strength": 1e-3}]}
    plain = [e for e in run(parse(chosen)) if e["event"] == "step"]
    change = {"optimiser.lr": 0.1, "regularisers.0.strength": 0.02}
    live = [e for e in steered(chosen, {4: [{"command": "edit", "set": change}]}) if e["event"] == "step"]
    for before, now in zip(plain, live, strict=True):
        factor = 1 if now["step"] <= 4 else 10
        assert now["learning_rate"] == pytest.approx(before["learning_rate"] * factor, rel=1e-12)
        assert now["strengths"]["l2"] == (1e-3 if now["step"] <= 4 else 0.02)


def test_batches_made_ahead_by_the_old_settings_are_made_anew():
    chosen = completed(parse(SMALL_CNN))
    session = open_session(chosen)
    coming = batches(session, 1)
    first = [next(coming) for _ in range(3)]
    changed = completed(apply(chosen, {"step": 3, "set": CHANGES[1]}))
    session.change(changed)
    after = list(coming)
    assert [batch.step for batch in first + after] == list(range(10))
    old, new = list(batches(open_session(chosen), 1)), list(batches(open_session(changed), 1))
    assert all(torch.equal(a.images, b.images) for a, b in zip(first, old[:3], strict=True))
    assert all(torch.equal(a.images, b.images) for a, b in zip(after, new[3:], strict=True))
    assert not torch.equal(after[0].images, old[3].images)


def test_patience_changes_when_the_epoch_ends(monkeypatch):
    change = {"regularisers.2.params.patience": 1, "regularisers.2.params.min_delta": 5.0}
    seen = steered(SMALL_CNN, {3: [{"command": "edit", "set": change}]})
    assert len(epochs(seen)) == 2 and "Stopped early" in seen[-1]["reason"]


class Hand:
    """Answers each pause of a run with the next of some commands."""

    def __init__(self, *commands):
        self.control, self.commands, self.steps_told = Control(), list(commands), []

    def events(self, chosen, first, **options):
        for command in first:
            self.control.post(command)
        for event in run(parse(chosen), self.control, **options):
            yield event
            if event == {"event": "state", "state": "paused", "reason": ""} and self.commands:
                self.control.post({"command": self.commands.pop(0)})


def test_a_paused_run_waits_and_goes_on_with_the_same_bits(tmp_path):
    straight = list(run(parse(SMALL_CNN), out=tmp_path / "straight"))
    control, seen, waits, began_at = Control(), [], [], time.perf_counter()
    for event in run(parse(SMALL_CNN), control, out=tmp_path / "paused"):
        seen.append(event)
        if event["event"] == "step" and event["step"] % 4 == 0:
            control.post({"command": "pause"})
        if event.get("state") == "paused":
            began = time.perf_counter()
            threading.Timer(0.1, control.post, [{"command": "resume"}]).start()
        if event.get("state") == "running" and len(seen) > 2:
            waits.append(time.perf_counter() - began)
    whole = time.perf_counter() - began_at
    assert len(waits) == 7 and min(waits) > 0.09  # after the last step there is nothing to wait for
    assert epochs(seen) == epochs(straight) and same_weights(tmp_path / "straight", tmp_path / "paused")
    assert whole - last(seen, "finished")["seconds"] > 0.9 * sum(waits)  # a pause is no training time
    assert sum(event["seconds"] for event in seen if event["event"] == "epoch") < whole - 0.9 * sum(waits)
    at = seen.index({"event": "state", "state": "paused", "reason": ""})
    assert seen[at - 1]["step"] == 4  # within one batch


def test_a_step_is_one_batch_and_an_epoch_the_rest_of_one(monkeypatch):
    monkeypatch.setattr(loop, "STEP_SECONDS", 1e9)  # nothing is told but what is asked for
    hand = Hand("step", "step", "epoch", "resume")
    seen = list(hand.events(SMALL_CNN, [{"command": "pause"}], watch=True))
    assert kinds(seen) == [
        *("running", "started", "paused", "running", "step", "batch", "paused", "running", "step", "batch"),
        *("paused", "running", "step", "batch", "epoch", "paused", "running", "epoch", "epoch"),
        *("finished", "finished"),
    ]
    assert [event["step"] for event in seen if event["event"] == "step"] == [1, 2, 10]
    assert epochs(seen) == epochs(run(parse(SMALL_CNN)))


def test_commands_that_change_nothing_are_answered_too():
    seen = steered(SMALL_CNN, {3: [{"command": "resume"}]})
    assert kinds(seen).count("running") == 2
    hand = Hand("pause", "resume")
    seen = list(hand.events(SMALL_CNN, [{"command": "pause"}]))
    assert kinds(seen)[:5] == ["running", "started", "paused", "paused", "running"]


def test_what_cannot_be_obeyed_is_refused_and_changes_nothing():
    refused = [
        {"command": "edit", "set": {"model.arch": "mlp"}},
        {"command": "edit", "set": {"optimiser.lr": 0.5, "regularisers.0.strength": 1e9}},
        {"command": "edit", "set": {"augment.ops.0.params.degrees": "round"}},
        {"command": "checkpoint"},
    ]
    seen = steered(SMALL_CNN, {5: refused})
    told = [event for event in seen if event["event"] == "refused"]
    assert [event["command"] for event in told] == ["edit", "edit", "edit", "checkpoint"]
    assert "needs a new run" in told[0]["reason"] and "largest allowed" in told[1]["reason"]
    assert epochs(seen) == epochs(run(parse(SMALL_CNN)))
    folded = HistoryBuilder()
    for event in seen:
        folded.add(event)
    assert folded.history().edits == () and folded.history().refused == told[-1]


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        ({"step": 30, "set": {"optimiser.lr": 0.1}}, r"edits\[0\]\.step: 30 is not below .* 30\."),
        ({"step": 3, "set": {"seed": 1}}, r"edits\[0\]\.seed: it can't change while a run trains"),
        ({"step": 3, "set": {"augment.ops.0.params.speed": 1}}, r"edits\[0\]\.augment\.ops\[0\].*no such"),
    ],
)
def test_an_edit_that_cannot_be_replayed_is_refused_before_the_first_event(edit, says):
    with pytest.raises(SpecError, match=says):
        next(run(parse(SMALL_CNN), edits=[edit]))


def test_a_training_step_on_cuda_uses_the_math_kernel_for_attention(monkeypatch):
    assert step.attention_kernel(torch.device("cpu")).__class__.__name__ == "nullcontext"
    flags = torch.backends.cuda
    with step.attention_kernel(torch.device("cuda")):
        assert flags.math_sdp_enabled()
        assert not flags.flash_sdp_enabled() and not flags.mem_efficient_sdp_enabled()
    inside = []

    @contextmanager
    def entered(device):
        inside.append(device)
        yield
        inside.append("left")

    monkeypatch.setattr(step, "attention_kernel", entered)
    session = open_session(completed(spec()))
    batch = next(batches(session, 1))
    step.train_step(session, batch.images, batch.targets, 0)
    assert inside == [session.device, "left"]


def test_an_edit_of_what_is_not_there_is_refused_and_the_run_goes_on():
    control = Control()
    control.post({"command": "edit", "set": {"optimiser.params.lr": 0.1}})
    events = list(run(completed(spec()), control))
    refused = [event for event in events if event["event"] == "refused"]
    assert len(refused) == 1 and "optimiser.params.lr" in refused[0]["reason"]
    assert events[-1]["state"] == "finished"


def test_a_pause_is_heard_while_the_network_is_judged(tmp_path, monkeypatch):
    """It waits there, says so at once, takes no training time, and changes no bit; what else was asked is
    done before the next batch."""
    straight = list(run(parse(SMALL_CNN), out=tmp_path / "straight"))
    control, told, judged = Control(), [], []
    evaluate = epoch.evaluate

    def paused_evaluate(session, dataset):
        if not judged:
            control.post({"command": "pause"})

            def go_on():
                assert [event["state"] for event in told] == ["paused"]
                judged.append(time.perf_counter())
                control.post({"command": "checkpoint"})  # is for the next batch, so the judgement goes on
                control.post({"command": "step"})
                control.post({"command": "resume"})

            threading.Timer(0.2, go_on).start()
        return evaluate(session, dataset)

    monkeypatch.setattr(epoch, "evaluate", paused_evaluate)
    control.tell = told.append
    seen = list(run(parse(SMALL_CNN), control, out=tmp_path / "paused"))
    assert judged and [event["state"] for event in told] == ["paused", "running"]
    assert epochs(seen) == epochs(straight) and same_weights(tmp_path / "straight", tmp_path / "paused")
    first = next(event for event in seen if event["event"] == "epoch")
    at = next(i for i, event in enumerate(seen) if event["event"] == "checkpoint")
    assert seen[at]["step"] == first["step"] and seen.index(first) < at
    assert first["seconds"] < last(seen, "finished")["seconds"]


def test_a_run_that_is_paused_while_it_is_judged_can_be_stopped(monkeypatch):
    control, evaluate = Control(), epoch.evaluate

    def paused_evaluate(session, dataset):
        control.post({"command": "pause"})
        threading.Timer(0.1, control.post, [{"command": "stop"}]).start()
        return evaluate(session, dataset)

    monkeypatch.setattr(epoch, "evaluate", paused_evaluate)
    control.tell = lambda event: None
    seen = list(run(parse(SMALL_CNN), control))
    assert seen[-1]["state"] == "stopped" and not epochs(seen)
