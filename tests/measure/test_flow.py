"""Gradient norm and update-to-weight ratio against what they are by definition."""

import json
import math

import pytest
import torch
from torch import nn

from core.measure.flow import FlowMeter
from core.run.events import read_event
from core.run.spec import parse
from core.train.loop import run
from tests.made_up_run import epoch_event
from tests.train.small_runs import SMALL, epochs


def trained(optimiser_of, after=lambda layers: None):
    """Two layers, one of two matrices, one step; what the meter says, and weights before, gradients."""
    torch.manual_seed(0)
    layers = {"a": [nn.Parameter(torch.randn(5, 3))], "b": [nn.Parameter(torch.randn(4, 5)) for _ in "12"]}
    parts = [part for each in layers.values() for part in each]
    for part in parts:
        part.grad = torch.randn_like(part)
    before = {name: torch.cat([part.detach().flatten() for part in of]) for name, of in layers.items()}
    gradients = {name: torch.cat([part.grad.flatten() for part in of]) for name, of in layers.items()}
    meter = FlowMeter(layers)
    optimiser_of(parts).step()
    after(layers)
    return meter.measure(), before, gradients


def test_plain_sgd_moves_by_rate_times_gradient():
    flow, before, gradients = trained(lambda parts: torch.optim.SGD(parts, lr=0.03))
    for name in before:
        norm = float(gradients[name].norm())
        assert flow["gradient"][name] == pytest.approx(norm, rel=1e-6)
        assert flow["update"][name] == pytest.approx(0.03 * norm / float(before[name].norm()), rel=1e-4)


def test_the_first_step_of_adam_moves_each_weight_by_the_rate():
    flow, before, _ = trained(lambda parts: torch.optim.Adam(parts, lr=1e-3))
    for name, weights in before.items():
        assert flow["update"][name] == pytest.approx(
            1e-3 * math.sqrt(weights.numel()) / float(weights.norm()), rel=1e-3
        )


@torch.no_grad()
def shrink(layers):
    for parts in layers.values():
        for part in parts:
            part.copy_(nn.functional.softshrink(part, 0.1))


def test_a_proximal_step_is_part_of_the_update():
    flow, before, gradients = trained(lambda parts: torch.optim.SGD(parts, lr=0.03), shrink)
    for name, weights in before.items():
        moved = nn.functional.softshrink(weights - 0.03 * gradients[name], 0.1) - weights
        assert flow["update"][name] == pytest.approx(float(moved.norm() / weights.norm()), rel=1e-5)


def test_what_has_no_ratio_has_none():
    dead = nn.Parameter(torch.zeros(3, 3))
    meter = FlowMeter({"dead": [dead], "wild": [wild := nn.Parameter(torch.ones(2))]})
    wild.grad = torch.tensor([math.inf, 0.0])
    with torch.no_grad():
        wild.add_(math.nan)
    assert meter.measure() == {
        "gradient": {"dead": 0.0, "wild": None},
        "update": {"dead": None, "wild": None},
    }
    assert FlowMeter({}).measure() == {"gradient": {}, "update": {}}


def test_each_epoch_of_a_run_says_so_by_its_layers_names():
    for event in epochs(run(parse(SMALL))):
        for of in ("gradient", "update"):
            assert list(event["flow"][of]) == list(event["sparsity"]["layers"])
            assert all(value > 0 for value in event["flow"][of].values())


def test_an_event_with_a_negative_norm_is_none():
    event = epoch_event(1) | {"flow": {"gradient": {"fc": -1.0}, "update": {"fc": 1.0}}}
    with pytest.raises(ValueError):
        read_event(json.dumps(event))
