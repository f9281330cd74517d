"""A shrunk network against the one it came from: the same logits, and only what does nothing gone."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from core.layers.groups import weight_groups
from core.models.build import build_model, count_parameters
from core.models.catalogue import ARCHITECTURES
from core.models.summary import summarise
from core.run.spec import ModelSpec
from core.transform.shrink import shrink

SHAPE = {"channels": 3, "side": 12}


def make(arch, seed=0, **params):
    """A network with nothing left at its start: biases and norms are drawn, too."""
    model = build_model(ModelSpec(arch=arch, params=params), **SHAPE, num_classes=4, seed=seed).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if name.endswith("bias") or "norm" in name:
                tensor.copy_(torch.randn(tensor.shape, generator=generator).clamp(-2, 2))
            if name.endswith("running_var"):
                tensor.abs_().add_(0.1)
    return model


def same_logits(model, shrunk):
    images = torch.randn(6, 3, 12, 12)
    with torch.no_grad():
        expected, actual = model(images), shrunk.model.eval()(images)
    assert (actual - expected).abs().max() < 1e-5 * max(1.0, float(expected.abs().max()))


def silence(layer, units):
    with torch.no_grad():
        layer.weight[units] = 0


def choice(draw, count):
    return draw(st.lists(st.integers(0, count - 1), unique=True, max_size=count))


@st.composite
def zeroed_cnns(draw):
    widths = draw(st.lists(st.sampled_from([4, 6]), min_size=1, max_size=5))
    params = {"batch_norm": draw(st.booleans()), "channel_dropout": draw(st.sampled_from([0.0, 0.3]))}
    model = make("cnn", draw(st.integers(0, 99)), channels=widths, hidden=16, **params)
    for number, width in enumerate(widths, 1):
        silence(model.get_submodule(f"conv{number}"), choice(draw, width))
    silence(model.fc1, choice(draw, 16))
    with torch.no_grad():
        model.fc2.weight[:, choice(draw, 16)] = 0
    return model


@settings(max_examples=60, deadline=None)
@given(model=zeroed_cnns(), channels_last=st.booleans())
def test_a_cnn_gives_the_same_logits(model, channels_last):
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
    shrunk = shrink(model, **SHAPE)
    same_logits(model, shrunk)
    for name, (kept, every) in shrunk.layers.items():
        assert every == len(model.get_submodule(name).weight)
        layer = shrunk.model.get_submodule(name)
        assert kept == len(layer.weight)
        # All that is left is heard, and hears something; of filters the next ones see, one may be deaf.
        deaf = int((~layer.weight.flatten(1).any(1)).sum())
        followed = name.startswith("conv") and name != f"conv{len(shrunk.layers) - 1}"
        assert deaf == 0 or kept == 1 or (followed and deaf == 1)


@st.composite
def zeroed_mlps(draw):
    widths = draw(st.lists(st.sampled_from([4, 9]), min_size=1, max_size=5))
    model = make("mlp", draw(st.integers(0, 99)), hidden=widths)
    for number, width in enumerate(widths, 1):
        silence(model.get_submodule(f"fc{number}"), choice(draw, width))
    return model


@settings(max_examples=30, deadline=None)
@given(model=zeroed_mlps())
def test_an_mlp_gives_the_same_logits(model):
    same_logits(model, shrink(model, **SHAPE))


@st.composite
def zeroed_transformers(draw):
    heads = draw(st.sampled_from([1, 2, 4]))
    model = make("attention", draw(st.integers(0, 99)), patch=4, width=16, heads=heads, depth=2, mlp_ratio=1)
    for block in model.blocks:
        groups = block.attention.weight_groups()
        for head in choice(draw, heads):
            with torch.no_grad():
                for part in draw(st.sets(st.integers(0, 3))):  # queries, keys, values, ways out
                    parameter, index = groups[head][part]
                    parameter[index] = 0
        silence(block.fc1, choice(draw, 16))
    return model


@settings(max_examples=30, deadline=None)
@given(model=zeroed_transformers())
def test_attention_gives_the_same_logits(model):
    shrunk = shrink(model, **SHAPE)
    same_logits(model, shrunk)
    for number, block in enumerate(shrunk.model.blocks, 1):
        kept, every = shrunk.layers[f"block{number}.attention"]
        assert (kept, every) == (block.attention.heads, model.blocks[0].attention.heads)
        assert len(block.attention.weight_groups()) == kept


def test_a_head_without_values_goes_and_its_bias_stays():
    model = make("attention", width=16, heads=4, depth=1, patch=4)
    (block,) = model.blocks
    with torch.no_grad():
        for head, part in ((0, 2), (3, 3)):  # the values of one, the way out of another
            parameter, index = block.attention.weight_groups()[head][part]
            parameter[index] = 0
    shrunk = shrink(model, **SHAPE)
    assert shrunk.layers == {"block1.attention": (2, 4), "block1.fc1": (32, 32)}
    assert not torch.equal(shrunk.model.blocks[0].attention.output.bias, block.attention.output.bias)
    same_logits(model, shrunk)


def test_filters_and_neurons_are_counted_and_costs_are_those_of_the_narrow_network():
    model = make("cnn", channels=[8, 8], hidden=20)
    silence(model.conv1, [0, 5, 6])
    silence(model.conv2, slice(3, 8))
    silence(model.fc1, slice(0, 4))
    with torch.no_grad():
        model.conv1.bias.clamp_(max=-0.1)  # so that the zero filters put out zeros
    shrunk = shrink(model, **SHAPE)
    assert shrunk.layers == {"conv1": (5, 8), "conv2": (3, 8), "fc1": (16, 20)}
    narrow = ModelSpec(arch="cnn", params={"channels": [5, 4], "hidden": 16})  # 4 is the least there
    wide = ModelSpec(arch="cnn", params={"channels": [8, 8], "hidden": 20})
    narrow, wide = (summarise(spec, **SHAPE, num_classes=4) for spec in (narrow, wide))
    assert (shrunk.before.parameters, shrunk.before.multiply_adds) == (wide.parameters, wide.multiply_adds)
    # A filter less in conv2: 5·9 weights and a bias at 6·6 places, and 3·3·16 weights of fc1.
    assert shrunk.after.parameters == narrow.parameters - 5 * 9 - 1 - 9 * 16
    assert shrunk.after.multiply_adds == narrow.multiply_adds - 5 * 9 * 36 - 9 * 16
    assert shrunk.after.parameters == count_parameters(shrunk.model)


def test_a_filter_without_weights_is_not_silent_if_its_bias_is_positive():
    """One such filter stays for all, as the next ones also see the zeros around the image."""
    model = make("cnn", channels=[6, 6], hidden=16)
    silence(model.conv1, [1, 2, 3])
    with torch.no_grad():
        model.conv1.bias[1:4] = torch.tensor([0.5, -1.0, 2.0])
    shrunk = shrink(model, **SHAPE)
    assert shrunk.layers["conv1"] == (4, 6)
    same_logits(model, shrunk)


def test_batch_norm_can_make_a_silent_filter_speak():
    model = make("cnn", channels=[6, 6], hidden=16, batch_norm=True)
    silence(model.conv1, [1, 2])
    with torch.no_grad():  # (0 - mean)/std·weight + bias is 1 - 3 and 3 - 1
        model.norm1.running_var[1:3] = 1 - model.norm1.eps
        model.norm1.running_mean[1:3] = torch.tensor([-1.0, 1.0])
        model.norm1.weight[1:3] = torch.tensor([1.0, -3.0])
        model.norm1.bias[1:3] = torch.tensor([-3.0, -1.0])
    shrunk = shrink(model, **SHAPE)
    assert shrunk.layers["conv1"] == (5, 6)
    same_logits(model, shrunk)


def test_what_nobody_listens_to_goes_and_takes_its_sources_with_it():
    model = make("mlp", hidden=[6, 6, 6])
    with torch.no_grad():
        model.fc4.weight[:, 2:] = 0  # so four units of fc3 are not heard …
        model.fc3.weight[:2, 3:] = 0  # … and three of fc2 only by those
    shrunk = shrink(model, **SHAPE)
    assert shrunk.layers == {"fc1": (6, 6), "fc2": (3, 6), "fc3": (2, 6)}
    same_logits(model, shrunk)


def test_a_unit_that_hears_only_silent_ones_is_silent():
    model = make("mlp", hidden=[6, 6])
    silence(model.fc1, [0, 1])
    with torch.no_grad():
        model.fc2.weight[4, 2:] = 0
    shrunk = shrink(model, **SHAPE)
    assert shrunk.layers == {"fc1": (4, 6), "fc2": (5, 6)}
    same_logits(model, shrunk)


@pytest.mark.parametrize("arch", ["cnn", "mlp", "attention"])
def test_a_network_of_zeros_keeps_one_unit_a_layer(arch):
    model = make(arch)
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            silence(module, slice(None))
    shrunk = shrink(model, **SHAPE)
    assert {kept for kept, _ in shrunk.layers.values()} == {1}
    same_logits(model, shrunk)


@pytest.mark.parametrize("arch", ["cnn", "mlp", "rnn", "attention"])
def test_a_full_network_is_given_back_as_it_was(arch):
    model = make(arch).train()
    before = copy.deepcopy(model.state_dict())
    shrunk = shrink(model, **SHAPE)
    assert shrunk.before == shrunk.after and shrunk.model.training and shrunk.model is not model
    assert all(kept == every for kept, every in shrunk.layers.values())
    for state in (model.state_dict(), shrunk.model.state_dict()):
        assert all(torch.equal(state[name], value) for name, value in before.items())
    assert shrunk.layers


def test_what_is_left_can_be_trained():
    model = make("cnn", channels=[8, 8], hidden=16, batch_norm=True).train()
    silence(model.conv1, slice(0, 5))
    small = shrink(model, **SHAPE).model
    small(torch.randn(4, 3, 12, 12)).square().sum().backward()
    assert all(p.grad is not None and p.grad.shape == p.shape for p in small.parameters())


@pytest.mark.parametrize("arch", ["cnn", "mlp", "attention"])
def test_what_group_lasso_calls_a_zero_group_goes(arch):
    """Both packages mean the same by a filter, a neuron and a head, though neither knows the other."""
    model, expected = make(arch), {}
    for groups in weight_groups(model):
        rows = groups.rows().detach().clone()
        count = len(rows) // 2
        rows[:count] = 0
        with torch.no_grad():
            groups.fill(rows)
            for bias in groups.biases:
                bias.parameter[:count] = -1
        expected[groups.layer] = (len(rows) - count, len(rows))
    shrunk = shrink(model, **SHAPE)
    assert shrunk.layers == {name: expected[name] for name in shrunk.layers}
    # What is left of it: the rows that write into attention's stream of tokens.
    assert {name.split(".")[-1] for name in expected.keys() - shrunk.layers} <= {"embed", "fc2"}
    same_logits(model, shrunk)
    families = {family for family in FAMILIES if all(layer in shrunk.layers for layer in of(model, family))}
    assert families & {groups.family for groups in weight_groups(model)} == set(ARCHITECTURES[arch].removable)


FAMILIES = ("filters", "neurons", "heads")


def of(model, family):
    return [groups.layer for groups in weight_groups(model) if groups.family == family]


def test_nothing_is_said_to_go_from_a_recurrent_network():
    """A unit that hears nothing is no constant there: its biases make it a function of time."""
    model = make("rnn")
    with torch.no_grad():
        for groups in weight_groups(model):
            groups.fill(torch.zeros_like(groups.rows()))
    assert all(kept == of for kept, of in shrink(model, **SHAPE).layers.values())
    assert ARCHITECTURES["rnn"].removable == ()
