"""Units in another order: the same network; and the order found again."""

from __future__ import annotations

import copy

import pytest
import torch

from core.transform.matching import match
from core.transform.steps.merge import mean
from core.transform.units import units_of
from tests.models.test_smaller import NETWORKS, images, network


def shuffled(model, seed=2):
    draws = torch.Generator().manual_seed(seed)
    other = copy.deepcopy(model)
    for units in units_of(other):
        units.permute(torch.randperm(units.count, generator=draws))
    return other


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_with_its_units_in_another_order_answers_alike(name):
    model = network(name)
    other = shuffled(model)
    assert torch.allclose(other(images()), model(images()), atol=1e-5)
    assert not all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("by", ["answers", "weights"])
def test_a_planted_order_is_found_again(name, by):
    model = network(name)
    other = shuffled(model)
    assert match(other, model, torch.cat([images(i) for i in range(20)]) if by == "answers" else None) > 0
    assert torch.allclose(other(images()), model(images()), atol=1e-5)
    if by == "answers":  # units that never fire are all alike
        between = mean([model, other])
        assert torch.allclose(between(images()), model(images()), atol=1e-5)
        return
    if "layers" in name:  # units that hear each other: the search may end before
        return
    for (key, ours), theirs in zip(model.named_parameters(), other.parameters(), strict=True):
        assert torch.equal(ours, theirs), key


@pytest.mark.parametrize("name", NETWORKS)
def test_matching_never_makes_two_networks_less_alike_nor_answer_otherwise(name):
    one, other = network(name), network(name, seed=4)

    def apart(a, b):
        return sum(float((x - y).square().sum()) for x, y in zip(a.parameters(), b.parameters(), strict=True))

    before, answers = apart(one, other), other(images())
    match(other, one)
    assert apart(one, other) < before
    assert torch.allclose(other(images()), answers, atol=1e-5)
    assert match(other, one) == 0  # nothing more is gained
