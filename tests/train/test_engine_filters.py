"""The first layer's weights, as they travel in an event."""

import base64

import numpy as np
import torch
from torch import nn

from core.measure.filters import MAX_FILTERS, MAX_TIMES, MAX_VALUES, due, first_filters
from core.models.build import build_model, completed_model
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
    dense = nn.Sequential(nn.Flatten(), nn.Linear(784, 300), nn.Linear(300, 10))
    event = first_filters(dense, 1)
    assert event["of"] == 300 and event["shape"][1:] == [1, 28, 28] and values(event).size <= MAX_VALUES
    assert first_filters(network("rnn"), 1) is None
    assert first_filters(nn.Sequential(nn.Linear(3 * 256 * 256, 1)), 3) is None


def test_a_dead_or_broken_layer_is_still_an_event():
    layer = nn.Conv2d(1, 4, 3)
    nn.init.zeros_(layer.weight)
    assert not values(first_filters(layer, 1)).any()
    nn.init.constant_(layer.weight, float("nan"))
    assert not values(first_filters(layer, 1)).any()


def test_a_long_run_shows_its_filters_from_first_to_last_but_not_always():
    for epochs in (1, 2, MAX_TIMES, MAX_TIMES + 1, 1000):
        shown = [epoch for epoch in range(1, epochs + 1) if due(epoch, epochs)]
        assert shown[0] == 1 and shown[-1] == epochs and len(shown) <= MAX_TIMES + 1
