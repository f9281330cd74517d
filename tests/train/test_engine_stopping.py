"""Early stopping against epochs counted by hand, in whole runs."""

import pytest
import torch
from safetensors.torch import load_file

from core.run.commands import Control
from core.run.history import HistoryBuilder
from core.train.evaluation import Judgement
from core.train.loop import run
from tests.train.small_runs import SMALL, WITH_NORM, ema, epochs, judged_by_hand, last, spec, stopping

VALIDATION = 359  # images


def judgement(loss, accuracy):
    correct = torch.arange(100) < round(100 * accuracy)
    answers = torch.zeros(VALIDATION, dtype=torch.int64)
    return Judgement(torch.tensor([loss], dtype=torch.float64), correct, answers, correct.float())


def told(monkeypatch, *, accuracies=None, losses=None):
    """Make validation give these figures, epoch by epoch."""
    figures = iter(
        [judgement(1.0, a) for a in accuracies] if accuracies else [judgement(loss, 0.5) for loss in losses]
    )
    monkeypatch.setattr("core.train.epoch.evaluate", lambda *_: next(figures))


LONG = {"train": {"epochs": 20, "batch_size": 64, "device": "cpu"}}


def test_patience_counted_by_hand(monkeypatch, tmp_path):
    told(monkeypatch, accuracies=[0.5, 0.6, 0.6, 0.55, 0.71, 0.7, 0.71, 0.6, 0.9])
    # Better: epochs 1, 2 and 5. Two waits end in time; the third begins at 5 and is over after 8.
    seen = list(run(spec(stopping(patience=3), **LONG), out=tmp_path))
    assert len(epochs(seen)) == 8 and last(seen, "finished")["epochs"] == 8
    assert last(seen, "finished")["result"]["epoch"] == 5 and last(seen, "finished")["last"]["epoch"] == 8
    assert last(seen, "epoch")["stop"] == "Stopped early: validation was not better than 71.0 % for 3 epochs."
    assert seen[-1]["state"] == "finished"
    assert (
        seen[-1]["reason"]
        == f"{last(seen, 'epoch')['stop']} The weights saved are those of epoch 5, the best."
    )
    assert all("stop" not in event for event in epochs(seen)[:-1])
    folded = HistoryBuilder()
    for event in seen:
        folded.add(event)
    progress = folded.history().progress(0.0)
    assert (progress.share, progress.epoch, progress.epochs) == (1.0, 8, 20)


@pytest.mark.parametrize("restore", [True, False])
def test_the_best_weights_are_restored_if_asked(monkeypatch, tmp_path, restore):
    for _ in run(spec(train=SMALL["train"] | {"epochs": 2 if restore else 5}), out=tmp_path / "plain"):
        pass
    told(monkeypatch, accuracies=[0.5, 0.6, 0.55, 0.55, 0.55])
    seen = list(run(spec(stopping(patience=3, restore_best=restore), **LONG), out=tmp_path / "stopped"))
    assert len(epochs(seen)) == 5
    expected = load_file(tmp_path / "plain" / "weights.safetensors")
    saved = load_file(tmp_path / "stopped" / "weights.safetensors")
    assert all(torch.equal(value, expected[name]) for name, value in saved.items())
    assert ("epoch 2, the best" in seen[-1]["reason"]) == restore


def test_an_averaged_network_is_restored_as_it_was_evaluated(tmp_path):
    chosen = spec(ema(), stopping(patience=2), model=WITH_NORM, **LONG)
    seen = list(run(chosen, out=tmp_path))
    best = last(seen, "finished")["result"]
    assert best["epoch"] < len(epochs(seen)) < 20
    loss, accuracy = judged_by_hand(chosen, load_file(tmp_path / "weights.safetensors"))
    assert loss == pytest.approx(best["validation_loss"], rel=1e-4)
    assert accuracy == pytest.approx(best["validation_accuracy"], abs=1e-9)


def test_a_loss_may_be_watched_and_must_fall_by_more_than_asked(monkeypatch):
    told(monkeypatch, losses=[2.0, 1.5, 1.45, 1.41, 1.40, 0.1])
    # 1.45 and 1.41 are lower than 1.5 by less than 0.1, and 1.40 by no more than that.
    seen = list(run(spec(stopping(monitor="loss", patience=3, min_delta=0.1), **LONG)))
    assert len(epochs(seen)) == 5
    assert seen[-1]["reason"] == "Stopped early: validation loss was not 0.1 lower than 1.5 for 3 epochs."


def test_a_run_that_never_has_to_wait_so_long_is_the_plain_run():
    assert epochs(run(spec(stopping(patience=100)))) == epochs(run(spec()))


def test_a_wait_and_the_best_weights_survive_a_resume(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_CHECKPOINT_SECONDS", "0")
    accuracies = [0.5, 0.7, 0.6, 0.6, 0.6, 0.6]
    chosen = spec(stopping(patience=3), **LONG)
    told(monkeypatch, accuracies=accuracies)
    whole = list(run(chosen, out=tmp_path / "whole"))
    control = Control()
    told(monkeypatch, accuracies=accuracies)
    for event in run(chosen, control, out=tmp_path / "cut"):
        if event["event"] == "epoch" and event["epoch"] == 4:
            control.stop.set()
    assert event["reason"] == "The weights saved are those of epoch 2, the best."
    told(monkeypatch, accuracies=accuracies[4:])
    resumed = list(run(chosen, out=tmp_path / "cut", resume=True))
    assert len(epochs(resumed)) == 1 and resumed[-1] == whole[-1]
    expected = load_file(tmp_path / "whole" / "weights.safetensors")
    saved = load_file(tmp_path / "cut" / "weights.safetensors")
    assert all(torch.equal(expected[name], value) for name, value in saved.items())
