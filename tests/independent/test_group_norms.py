"""The group lasso's penalty by loops over what a filter, a neuron and a head are made of."""

import math

import pytest
from torch import nn

from core.models.build import build_model
from core.models.check import completed_model
from core.regularise.group_lasso import GroupLasso
from core.run.spec import ModelSpec

SHAPE = {"channels": 1, "side": 28, "num_classes": 10}


def built(arch, **params):
    return build_model(completed_model(ModelSpec(arch=arch, params=params), **SHAPE), **SHAPE, seed=3)


def norm(*parts):
    values = [float(v) for part in parts for v in part.detach().double().flatten()]
    return math.sqrt(len(values)) * math.sqrt(sum(v * v for v in values))


def dense(weight):
    return sum(norm(row) for row in weight)


def test_of_a_cnn_and_an_mlp():
    for model in (built("cnn", channels=[4, 6], hidden=18), built("mlp", hidden=[14, 9])):
        layers = [m for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear)][:-1]  # no classifier
        expected = sum(dense(layer.weight) for layer in layers)
        assert float(GroupLasso(model, {}).penalty()) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
def test_of_a_recurrent_network_a_unit_is_its_row_in_every_gate(kind):
    model = built("rnn", cell=kind, hidden=16, layers=2, bidirectional=True)
    expected = 0.0
    recurrent = [m for m in model.modules() if isinstance(m, nn.RNNBase)]
    assert len(recurrent) == 2
    for layer in recurrent:
        for way in ("", "_reverse"):
            weights = [getattr(layer, f"weight_{of}_l0{way}") for of in ("ih", "hh")]
            for unit in range(16):
                expected += norm(*(weight[unit::16] for weight in weights))
    others = [m for m in model.modules() if isinstance(m, nn.Linear)][:-1]
    expected += sum(dense(layer.weight) for layer in others)
    assert float(GroupLasso(model, {}).penalty()) == pytest.approx(expected, rel=1e-6)


def test_of_attention_a_head_is_its_queries_keys_values_and_its_way_out():
    model = built("attention", patch=7, width=18, heads=3, depth=2)
    expected = 0.0
    for name, module in model.named_modules():
        if name.endswith("attention"):
            for head in range(3):
                mine = slice(6 * head, 6 * head + 6)
                rows = [module.qkv.weight[18 * part : 18 * part + 18][mine] for part in range(3)]
                expected += norm(*rows, module.output.weight[:, mine])
        elif name.endswith((".fc1", ".fc2")) or name == "embed":
            expected += dense(module.weight)
    assert float(GroupLasso(model, {}).penalty()) == pytest.approx(expected, rel=1e-6)
