"""What each architecture computes, against a second way of computing it."""

import math

import pytest
import torch
from torch.nn import functional as F

from core.models.build import build_model
from core.run.spec import ModelSpec


def make(arch, side=28, channels=1, seed=0, **params):
    spec = ModelSpec(arch=arch, params=params)
    return build_model(spec, channels=channels, side=side, num_classes=10, seed=seed).eval()


def test_cnn_is_what_it_says():
    model = make("cnn", channels=1)
    weights = model.state_dict()
    x = images = torch.randn(3, 1, 28, 28)
    for number in (1, 2, 3):
        x = F.conv2d(x, weights[f"conv{number}.weight"], weights[f"conv{number}.bias"], padding=1)
        x = F.max_pool2d(x.relu(), 2)
    x = F.linear(x.flatten(1), weights["fc1.weight"], weights["fc1.bias"]).relu()
    x = F.linear(x, weights["fc2.weight"], weights["fc2.bias"])
    torch.testing.assert_close(model(images), x, atol=1e-5, rtol=1e-4)


def test_mlp_is_what_it_says():
    model = make("mlp", channels=3, side=8)
    weights = model.state_dict()
    assert [tuple(weights[f"fc{n}.weight"].shape) for n in (1, 2, 3)] == [(300, 192), (100, 300), (10, 100)]
    images = torch.randn(3, 3, 8, 8)
    x = torch.cat([images[:, channel].flatten(1) for channel in range(3)], dim=1)
    for number in (1, 2):
        x = (x @ weights[f"fc{number}.weight"].T + weights[f"fc{number}.bias"]).clamp(min=0)
    x = x @ weights["fc3.weight"].T + weights["fc3.bias"]
    torch.testing.assert_close(model(images), x, atol=1e-5, rtol=1e-4)


def test_cnn_gives_the_same_in_channels_last():
    model, images = make("cnn", channels=3), torch.randn(2, 3, 28, 28)
    expected = model(images)
    model.to(memory_format=torch.channels_last)
    actual = model(images.to(memory_format=torch.channels_last))
    torch.testing.assert_close(actual, expected, atol=1e-5, rtol=1e-4)


def test_lstm_steps_by_hand():
    model = make("rnn", side=8, channels=3, hidden=16)
    w = {name.removeprefix("rnn1."): value for name, value in model.state_dict().items()}
    images = torch.randn(4, 3, 8, 8)
    state = memory = torch.zeros(4, 16)
    for row in range(8):
        pixels = torch.cat([images[:, channel, row] for channel in range(3)], dim=1)
        gates = F.linear(pixels, w["weight_ih_l0"], w["bias_ih_l0"])
        gates = gates + F.linear(state, w["weight_hh_l0"], w["bias_hh_l0"])
        enter, forget, new, out = gates.chunk(4, dim=1)
        memory = forget.sigmoid() * memory + enter.sigmoid() * new.tanh()
        state = out.sigmoid() * memory.tanh()
    torch.testing.assert_close(model(images), model.fc(state), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_the_second_direction_ends_at_the_top_row(cell):
    """Reading upwards is reading the flipped image downwards; each direction's last state is used."""
    both, down, up = (make("rnn", cell=cell, hidden=16, bidirectional=b) for b in (True, False, False))
    weights = both.state_dict()
    for model, suffix, part in ((down, "", slice(0, 16)), (up, "_reverse", slice(16, 32))):
        recurrent = {name: weights[name + suffix] for name in model.state_dict() if "rnn1" in name}
        half = {"fc.weight": weights["fc.weight"][:, part], "fc.bias": weights["fc.bias"]}
        model.load_state_dict(recurrent | half)
    images = torch.randn(3, 1, 28, 28)
    expected = down(images) + up(images.flip(2)) - weights["fc.bias"]
    torch.testing.assert_close(both(images), expected, atol=1e-5, rtol=1e-4)


def test_recurrent_weights_start_orthogonal_and_the_forget_gate_open():
    weights = make("rnn", hidden=32, layers=2).state_dict()
    for layer in ("rnn1", "rnn2"):
        for gate in weights[f"{layer}.weight_hh_l0"].split(32):
            torch.testing.assert_close(gate @ gate.T, torch.eye(32), atol=1e-5, rtol=0)
        bias = weights[f"{layer}.bias_ih_l0"] + weights[f"{layer}.bias_hh_l0"]
        expected = torch.zeros(4, 32)
        expected[1] = 1
        assert torch.equal(bias, expected.flatten())


def test_recurrent_dropout_lies_between_layers_and_before_the_classifier():
    model = make("rnn", hidden=16, layers=2, dropout=0.5).train()
    widths = []
    model.dropout.register_forward_hook(lambda module, inputs, output: widths.append(output.shape))
    model(torch.randn(3, 1, 28, 28))
    assert widths == [(3, 28, 16), (3, 16)]


def test_tokens_are_the_patches_row_by_row():
    model, images = make("attention", side=8, channels=3, patch=4), torch.randn(2, 3, 8, 8)
    for number, (top, left) in enumerate([(0, 0), (0, 4), (4, 0), (4, 4)]):
        patch = images[:, :, top : top + 4, left : left + 4].flatten(1)
        expected = model.embed(patch) + model.positions.weight[number]
        torch.testing.assert_close(model.tokens(images)[:, number], expected)


def test_attention_maps_are_the_weights_the_network_uses():
    model, images = make("attention", heads=4, depth=3), torch.randn(2, 1, 28, 28)
    maps = model.attention_maps(images)
    assert [tuple(m.shape) for m in maps] == [(2, 4, 49, 49)] * 3
    tokens = model.tokens(images)
    for block, weights in zip(model.blocks, maps, strict=True):
        torch.testing.assert_close(weights.sum(-1), torch.ones(2, 4, 49))
        query, key, value = block.attention.split(block.norm1(tokens))
        fused = F.scaled_dot_product_attention(query, key, value)
        torch.testing.assert_close(weights @ value, fused, atol=1e-5, rtol=1e-5)
        tokens = block(tokens)
    assert not maps[0].requires_grad


def test_a_block_by_loops_over_heads_and_tokens():
    model = make("attention", side=8, width=16, heads=2, patch=4, depth=1)
    (block,) = model.blocks
    x = torch.randn(1, 4, 16)
    q, k, v = F.linear(F.layer_norm(x, (16,)), block.attention.qkv.weight, block.attention.qkv.bias).chunk(
        3, dim=2
    )
    mixed = torch.zeros(1, 4, 16)
    for head in range(2):
        part = slice(8 * head, 8 * head + 8)
        for i in range(4):
            scores = torch.stack([q[0, i, part] @ k[0, j, part] / math.sqrt(8) for j in range(4)])
            shares = scores.exp() / scores.exp().sum()
            mixed[0, i, part] = sum(shares[j] * v[0, j, part] for j in range(4))
    x1 = x + F.linear(mixed, block.attention.output.weight, block.attention.output.bias)
    inner = F.linear(F.layer_norm(x1, (16,)), block.fc1.weight, block.fc1.bias)
    gelu = inner * 0.5 * (1 + torch.erf(inner / math.sqrt(2)))
    expected = x1 + F.linear(gelu, block.fc2.weight, block.fc2.bias)
    torch.testing.assert_close(block(x), expected, atol=1e-5, rtol=1e-4)


def test_each_head_is_one_group_of_weights():
    attention = make("attention", width=24, heads=3, depth=1).blocks[0].attention
    tokens, head = torch.randn(2, 5, 24), 1
    groups = attention.weight_groups()
    assert [[p[index].numel() for p, index in group] for group in groups] == [[8 * 24] * 4] * 3
    with torch.no_grad():
        before = attention(tokens)
        query, key, value = (part[:, head] for part in attention.split(tokens))
        said = (query @ key.transpose(1, 2) / math.sqrt(8)).softmax(-1) @ value  # (B, T, 8)
        said = said @ attention.output.weight[:, 8 * head : 8 * head + 8].T
        for parameter, index in groups[head]:
            parameter[index] = 0
    torch.testing.assert_close(attention(tokens), before - said, atol=1e-5, rtol=1e-4)
    # Each weight belongs to one head: with the others at zero, too, none is left.
    with torch.no_grad():
        for parameter, index in groups[0] + groups[2]:
            parameter[index] = 0
    assert not attention.qkv.weight.any() and not attention.output.weight.any()


def test_without_its_positions_attention_can_t_tell_shuffled_patches():
    model = make("attention", side=8, patch=4)
    images = torch.randn(2, 1, 8, 8)
    shuffled = torch.cat([images[:, :, 4:], images[:, :, :4]], dim=2)  # lower half on top
    assert (model(images) - model(shuffled)).abs().max() > 0.01
    torch.nn.init.zeros_(model.positions.weight)
    torch.testing.assert_close(model(images), model(shuffled), atol=1e-5, rtol=1e-4)
