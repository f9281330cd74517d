"""Units that are taken out, against another library's removal: torch-pruning 1.6.1 (Fang et al. 2023, arXiv
2301.12900), which finds by itself what hangs on a filter or a neuron.

It knows nothing of recurrent units or of our heads, which `tests.models.test_smaller` holds against masks.
"""

from __future__ import annotations

import copy

import pytest
import torch
import torch_pruning
from torch import nn

from core.transform.shrink import shrink
from core.transform.units import units_of
from tests.models.test_smaller import CHANNELS, SIDE, images, network

REMOVES = {
    nn.Conv2d: torch_pruning.prune_conv_out_channels,
    nn.Linear: torch_pruning.prune_linear_out_channels,
}


@pytest.mark.filterwarnings("ignore:dropout2d", "ignore:Unwrapped parameters")
@pytest.mark.parametrize("name", ["cnn", "cnn, batch norm", "mlp", "attention"])
@pytest.mark.parametrize("share", [0.3, 0.8])
def test_the_same_numbers_are_left(name, share):
    model, draws = network(name), torch.Generator().manual_seed(7)
    other = copy.deepcopy(model)
    hangs = torch_pruning.DependencyGraph().build_dependency(other, example_inputs=images()[:1])
    count = 0
    for units in units_of(model):
        if units.family == "heads":
            continue
        gone = torch.randperm(units.count, generator=draws)[: round(share * units.count)]
        units.mask(gone)
        layer = other.get_submodule(units.layer)
        hangs.get_pruning_group(layer, REMOVES[type(layer)], idxs=gone.tolist()).prune()
        count += len(gone)
    small = shrink(model, channels=CHANNELS, side=SIDE).model
    ours, theirs = small.state_dict(), other.state_dict()
    assert count > 0 and ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)
    assert torch.equal(small(images()), other(images()))
