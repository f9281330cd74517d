"""The first layer's weights, as they travel in an event."""

import base64

import numpy as np
import pytest
import torch
from torch import nn

from core.measure.filters import MAX_FILTERS, MAX_VALUES, first_filters
from core.measure.pacing import MAX_PICTURES, pictures_due
from core.models.build import build_model
from core.models.catalogue import ARCHITECTURES
from core.models.check import completed_model
from core.run.spec import ModelSpec


def network(arch, channels=1, side=28, **params):
    shape = {"channels": channels, "side": side, "num_classes": 10}
    spec = completed_model(ModelSpec(arch=arch, params=params), **shape)
    return build_model(spec, **shape, seed=0)


def values(event):
    return np.frombuffer(base64.b64decode(event["values"]), np.int8).reshape(event["shape"])


def test_filters_are_the_weights_to_one_part_in_127_and_only_zeros_are_zero():
    model = network("cnn", channels=3, batch_norm=True)
    with torch.no_grad():
        model.conv1.weight[2] = 0
        model.conv1.weight[3] *= 1e-6
    event = first_filters(model, 3)
    assert (event["layer"], event["of"], event["shape"]) == ("conv1", 32, [32, 3, 3, 3])
    weights = model.conv1.weight.detach().numpy()
    assert np.abs(values(event) / 127 - weights / np.abs(weights).max()).max() < 1 / 127
    assert ((values(event) == 0) == (weights == 0)).all()


def test_a_dense_layer_that_sees_a_square_is_shown_too_and_rows_are_not():
    assert first_filters(network("attention", patch=7), 1)["shape"] == [MAX_FILTERS, 1, 7, 7]
    event = first_filters(network("mlp"), 1)
    assert event["of"] == 300 and event["shape"][1:] == [1, 28, 28] and values(event).size <= MAX_VALUES
    assert first_filters(network("rnn"), 1) is None
    assert first_filters(network("mlp", channels=3, side=256, hidden=[4]), 3) is None


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_an_architecture_has_filters_or_says_why_it_has_none(arch):
    assert (first_filters(network(arch), 1) is None) == bool(ARCHITECTURES[arch].no_filters)


def test_a_dead_or_broken_layer_is_still_an_event():
    model = network("cnn")
    nn.init.zeros_(model.conv1.weight)
    assert not values(first_filters(model, 1)).any()
    nn.init.constant_(model.conv1.weight, float("nan"))
    assert not values(first_filters(model, 1)).any()


def test_a_long_run_shows_its_filters_from_first_to_last_but_not_always():
    for epochs in (1, 2, MAX_PICTURES, MAX_PICTURES + 1, 1000):
        shown = [epoch for epoch in range(1, epochs + 1) if pictures_due(epoch, epochs)]
        assert shown[0] == 1 and shown[-1] == epochs and len(shown) <= MAX_PICTURES + 1
