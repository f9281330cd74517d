"""However a run is paused, cut, resumed and replayed, it comes to the same bits: each architecture and each
technique once; ``python -m tests.nightly.matrix`` does them all, with killed processes."""

import random

import pytest

from core.train import loop
from tests.train.same_runs import TECHNIQUES, cut, edits_of, paused, replayed, result, straight

NETWORK_OF = dict(
    zip(TECHNIQUES, ["cnn", "mlp", "rnn", "attention", "cnn", "mlp", "cnn", "rnn"], strict=True)
) | {"edits": "attention"}


@pytest.fixture(autouse=True)
def every_step_is_told_and_kept(monkeypatch):
    monkeypatch.setattr(loop, "STEP_SECONDS", 0.0)
    monkeypatch.setattr(loop, "STEP_SHARE", 1e9)
    monkeypatch.setenv("AUGURY_CHECKPOINT_SECONDS", "0.02")


@pytest.mark.parametrize(("technique", "network"), NETWORK_OF.items())
def test_a_run_is_the_same_however_it_is_interrupted(tmp_path, network, technique):
    told = straight(network, technique, tmp_path / "straight")
    expected = result(told, tmp_path / "straight")
    rng = random.Random(14)
    ways = {
        "paused": paused(network, technique, tmp_path / "paused", 20, rng),
        "cut": cut(network, technique, tmp_path / "cut", sorted(rng.sample(range(2, 30), 3))),
        "replayed": replayed(network, technique, tmp_path / "replayed", told),
    }
    for way, events in ways.items():
        assert result(events, tmp_path / way) == expected, way
    assert len([each for each in told if each["event"] == "edit"]) == len(edits_of(technique))
    assert not list(tmp_path.rglob("*.part"))
