"""A stop takes effect at once, also where a run does not train: while data load, and while it is judged."""

import threading
import time

import pytest
from safetensors.torch import load_file

from core.run.commands import Control
from core.run.errors import SpecError
from core.run.spec import parse
from core.train import loop, measuring
from core.train.evaluation import evaluate
from core.train.loop import run
from core.train.reports import penalties
from core.train.session import Session
from tests.train.small_runs import epochs, spec
from tests.train.steered_runs import SMALL_CNN

AT_ONCE = 1.0  # seconds; 0.1 to 0.2 on a quiet machine


def stopped_within(seconds, chosen, wait_for, **options):
    """Stop a run once ``wait_for`` is set; what it told, and how long the stop took."""
    control, asked = Control(), []

    def stop():
        assert wait_for.wait(60)
        asked.append(time.perf_counter())
        control.post({"command": "stop"})

    thread = threading.Thread(target=stop)
    thread.start()
    seen = list(run(chosen, control, **options))
    took = time.perf_counter() - asked[0]
    thread.join()
    assert seen[-1]["state"] == "stopped" and took < seconds
    return seen


def test_a_stop_is_heard_while_data_load(monkeypatch):
    loading, go_on = threading.Event(), threading.Event()
    monkeypatch.setattr("core.train.session.load_dataset", lambda _: (loading.set(), go_on.wait(60)))
    seen = stopped_within(AT_ONCE, spec(), loading)
    go_on.set()
    assert len(seen) == 1 and seen[0]["reason"] == "It was stopped before training began."


def test_what_goes_wrong_while_data_load_is_said_as_ever():
    with pytest.raises(SpecError, match=r"data\.train_images"):
        next(run(spec(data={"name": "digits", "train_images": 5000})))


@pytest.mark.parametrize("where", ["evaluation", "averaged statistics", "prunable"])
def test_a_stop_is_heard_between_two_pieces_of_a_judgement(tmp_path, monkeypatch, where):
    chosen = parse(SMALL_CNN | {"train": {"epochs": 2, "batch_size": 16, "device": "cpu"}})
    judging, slowly = threading.Event(), threading.Event()

    def sleepy(function):
        def slow(*arguments, **options):
            if slowly.is_set():
                judging.set()
                time.sleep(0.05)
            return function(*arguments, **options)

        return slow

    monkeypatch.setattr("core.train.evaluation.EVALUATION_BATCH", 1)
    monkeypatch.setattr(Session, "normalised", sleepy(Session.normalised))
    begins = {
        "evaluation": ("core.train.epoch.evaluate", evaluate),
        "averaged statistics": ("core.train.epoch.penalties", penalties),
        "prunable": ("core.train.measuring._prunable", measuring._prunable),
    }
    place, function = begins[where]
    if where == "prunable":
        monkeypatch.setattr("core.train.measuring.prunable_every", lambda *_: 1)

    def slow_from_here(*arguments, **options):
        slowly.set()
        return function(*arguments, **options)

    monkeypatch.setattr(place, slow_from_here)

    real_save = loop.save
    monkeypatch.setattr(loop, "save", lambda *given: (slowly.clear(), real_save(*given))[1])
    seen = stopped_within(AT_ONCE, chosen, judging, out=tmp_path)
    assert not epochs(seen)
    assert all(value.isfinite().all() for value in load_file(tmp_path / "weights.safetensors").values())


def test_a_stop_is_heard_while_a_resumed_run_is_prepared(tmp_path, monkeypatch):
    for event in run(parse(SMALL_CNN), out=tmp_path):
        if event["event"] == "epoch" and event["epoch"] == 2:
            break
    control, load = Control(), loop.load_checkpoint

    def load_and_stop(*given):
        control.post({"command": "stop"})
        return load(*given)

    monkeypatch.setattr(loop, "load_checkpoint", load_and_stop)
    seen = list(run(parse(SMALL_CNN), control, out=tmp_path, resume=True))
    assert [event["state"] for event in seen] == ["stopped"]
