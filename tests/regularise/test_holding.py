"""Zeros that are held and pruning along a cubic, in whole runs."""

from __future__ import annotations

import math

import pytest
import torch
from safetensors.torch import load_file

from core.catalogues import completed
from core.run.commands import Control
from core.run.errors import SpecError
from core.train.loop import run
from core.train.session import open_session
from tests.train.small_runs import epochs, spec

OPTIMISERS = [
    {"kind": "sgd", "lr": 0.05, "params": {"momentum": 0.9}},
    {"kind": "adam", "lr": 0.01},
    {"kind": "adamw", "lr": 0.01, "params": {"weight_decay": 0.1}},
    {"kind": "rmsprop", "lr": 0.005},
    {"kind": "lion", "lr": 0.001},
    {"kind": "muon", "lr": 0.02},
]


def pruned_start(chosen, share=0.8):
    """Weights of which a share is zero."""
    session = open_session(completed(chosen))
    for layer in session.weight_measures.layers.values():
        for weight in layer:
            flat = weight.detach().abs().flatten()
            weight.data[weight.detach().abs() <= flat.kthvalue(round(share * len(flat))).values] = 0
    return {name: value.clone() for name, value in session.model.state_dict().items()}


def zeros_of(events):
    return [event["sparsity"]["exact"] for event in events if event["event"] == "epoch"]


@pytest.mark.parametrize("optimiser", OPTIMISERS, ids=lambda each: each["kind"])
def test_zeros_are_held_whatever_the_momentum(optimiser):
    chosen = spec({"kind": "hold_zeros"}, optimiser=optimiser)
    held = zeros_of(run(chosen, network=pruned_start(chosen)))
    assert len(held) == 5 and len(set(held)) == 1 and held[0] == pytest.approx(0.8, abs=0.01)
    free = zeros_of(run(spec(optimiser=optimiser), network=pruned_start(chosen)))
    assert free[0] == held[0] and free[-1] < 0.7  # what would happen otherwise


@pytest.mark.parametrize(
    "beside",
    [
        {"kind": "ema", "params": {"decay": 0.95}},
        {"kind": "swa", "params": {"start": 0.0}},
        {"kind": "sam"},
        {"kind": "max_norm", "params": {"c": 0.5}},
        {"kind": "weight_decay", "strength": 0.1},
        {"kind": "l1", "strength": 1e-6},
        {"kind": "clipping"},
        {"kind": "quantisation", "params": {"bits": 8, "symmetric": False}},
    ],
    ids=lambda each: each["kind"],
)
@pytest.mark.parametrize("holding", ["hold_zeros", "pruning"])
def test_what_is_judged_and_saved_has_the_zeros_whatever_acts_beside(tmp_path, beside, holding):
    """A mean of the weights remembers those that have gone."""
    rising = {"strength": 0.9, "schedule": "cubic", "warmup_epochs": 2} if holding == "pruning" else {}
    chosen = spec({"kind": holding, **rising}, beside)
    start = pruned_start(chosen)
    before = start if holding == "hold_zeros" else None
    told = zeros_of(run(chosen, out=tmp_path, network=before))
    saved = load_file(tmp_path / "weights.safetensors")
    weights = {name: value for name, value in saved.items() if value.ndim > 1}
    zeros = sum(int((value == 0).sum()) for value in weights.values())
    share = zeros / sum(value.numel() for value in weights.values())
    assert told[-1] == pytest.approx(share) and told[-2] == pytest.approx(share, abs=0.02)
    if holding == "pruning":
        assert share == pytest.approx(0.9, abs=0.02)
    else:
        assert share == pytest.approx(0.8, abs=0.02)
        assert all((value[start[name] == 0] == 0).all() for name, value in weights.items())
    assert all(told[i] <= told[i + 1] + 0.02 for i in range(len(told) - 1))


@pytest.mark.parametrize("threshold", ["network", "layer"])
def test_pruning_follows_the_cubic_and_ends_at_its_share(threshold):
    pruning = {"kind": "pruning", "strength": 0.9, "schedule": "cubic", "warmup_epochs": 3,
               "params": {"threshold": threshold}}  # fmt: skip
    events = list(run(spec(pruning, train={"epochs": 6, "batch_size": 10, "device": "cpu"})))
    told = [event for event in events if event["event"] == "epoch"]
    for event in told:
        share = min(1, event["epoch"] / 3)
        expected = 0.9 * (1 - (1 - share) ** 3)
        assert event["strengths"]["pruning"] == pytest.approx(expected)
        assert event["sparsity"]["exact"] == pytest.approx(expected, abs=0.06 if share < 1 else 0.003)
    assert told[-1]["sparsity"]["exact"] == pytest.approx(0.9, abs=0.001)
    if threshold == "layer":
        layers = told[-1]["sparsity"]["layers"].values()
        assert all(layer["exact"] == pytest.approx(0.9, abs=0.01) for layer in layers)
    assert len({event["sparsity"]["exact"] for event in told[3:]}) == 1  # and stays there


def test_a_share_that_was_there_from_the_first_step_is_there_at_once():
    told = zeros_of(run(spec({"kind": "pruning", "strength": 0.5})))
    assert len(set(told)) == 1 and told[0] == pytest.approx(0.5, abs=0.001)


@pytest.mark.parametrize(
    "regularisers",
    [
        [{"kind": "hold_zeros"}],
        [{"kind": "pruning", "strength": 0.9, "schedule": "cubic", "warmup_epochs": 3}],
        [{"kind": "pruning", "strength": 0.9, "schedule": "cubic", "warmup_epochs": 3}, {"kind": "ema"}],
        [{"kind": "quantisation", "params": {"bits": 2}}],
        [{"kind": "quantisation", "params": {"bits": 3}}, {"kind": "ema"}, {"kind": "l1", "strength": 1e-3}],
        [{"kind": "quantisation", "params": {"bits": 3}}, {"kind": "early_stopping"}],
        [{"kind": "pruning", "strength": 0.8}, {"kind": "quantisation"}, {"kind": "sam"}],
    ],
    ids=lambda each: "+".join(one["kind"] for one in each),
)
def test_a_run_that_was_cut_goes_on_bit_for_bit(tmp_path, regularisers):
    chosen = spec(*regularisers, train={"epochs": 4, "batch_size": 16, "device": "cpu"})
    network = pruned_start(chosen)
    whole = list(run(chosen, out=tmp_path / "whole", network=network))
    control, cut = Control(), []
    for event in run(chosen, control, out=tmp_path / "cut", network=network):
        cut.append(event)
        if event["event"] == "epoch" and event["epoch"] == 2:
            control.stop.set()
    rest = list(run(chosen, out=tmp_path / "cut", network=network, resume=True))
    last = len(epochs(rest))
    assert 0 < last < 4 and epochs(rest) == epochs(whole)[-last:]
    for name in ("weights.safetensors", "checkpoint.safetensors"):
        one, other = ((tmp_path / each / name) for each in ("whole", "cut"))
        assert name.startswith("check") or one.read_bytes() == other.read_bytes()


def test_a_network_that_is_only_looked_at_is_told_and_saved_as_it_is(tmp_path):
    chosen = spec({"kind": "hold_zeros"})
    network = pruned_start(chosen)
    events = list(run(chosen, out=tmp_path, network=network, trains=False))
    assert [event["event"] for event in events] == ["state", "started", "epoch", "finished", "state"]
    (event,) = (event for event in events if event["event"] == "epoch")
    assert event["epoch"] == event["step"] == 0 and event["sparsity"]["exact"] == pytest.approx(0.8, abs=0.01)
    assert math.isfinite(event["validation_loss"]) and events[-1]["state"] == "finished"
    saved = load_file(tmp_path / "weights.safetensors")
    assert saved.keys() == network.keys()
    assert all(torch.equal(saved[name], value) for name, value in network.items())


def test_a_smaller_network_is_trained_and_goes_on(tmp_path):
    chosen = spec(train={"epochs": 3, "batch_size": 16, "device": "cpu"})
    session = open_session(completed(chosen))
    from core.transform.shrink import shrink
    from core.transform.units import units_of

    for units in units_of(session.model):
        units.mask(torch.arange(units.count // 2))
    small = shrink(session.model, channels=1, side=8).model.state_dict()
    whole = list(run(chosen, out=tmp_path / "whole", network=small))
    count = sum(value.numel() for value in small.values())
    assert next(event for event in whole if event["event"] == "started")["parameters"] == count
    control = Control()
    for event in run(chosen, control, out=tmp_path / "cut", network=small):
        if event["event"] == "epoch" and event["epoch"] == 1:
            control.stop.set()
    rest = list(run(chosen, out=tmp_path / "cut", resume=True))
    assert epochs(rest) == epochs(whole)[-len(epochs(rest)) :] and len(epochs(rest)) >= 1


def test_gates_hide_what_would_be_held():
    for kind in ("pruning", "hold_zeros", "quantisation"):
        with pytest.raises(SpecError, match="leave one of the two"):
            completed(spec({"kind": kind}, {"kind": "l0"}))
