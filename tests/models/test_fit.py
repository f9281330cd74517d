"""Weights of fewer units against networks that are built anew: what fits, and what never could."""

from __future__ import annotations

import copy
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.models.build import build_model
from core.models.fit import fit_to, shapes_of
from core.run.errors import SpecError
from core.run.spec import ModelSpec

SIDE, CHANNELS, CLASSES = 8, 2, 3
GATES = {"rnn": 1, "gru": 3, "lstm": 4}
BUILT = {
    "cnn": ModelSpec(arch="cnn", params={"channels": [5, 4], "hidden": 16}),
    "cnn, batch norm": ModelSpec(arch="cnn", params={"channels": [5, 4], "hidden": 16, "batch_norm": True}),
    "mlp": ModelSpec(arch="mlp", params={"hidden": [5, 4]}),
    **{
        f"{cell}{', both ways' if both else ''}": ModelSpec(
            arch="rnn", params={"cell": cell, "hidden": 16, "layers": 2, "bidirectional": both}
        )
        for cell in GATES
        for both in (False, True)
    },
    "attention": ModelSpec(arch="attention", params={"patch": 4, "width": 16, "heads": 4, "depth": 2}),
}
MOST = {"cnn": (5, 4, 16), "cnn, batch norm": (5, 4, 16), "mlp": (5, 4), "attention": (4, 32, 4, 32)}
WIDTH = 16  # of a token, in four heads
_ONCE = {}


def built(name):
    if name not in _ONCE:
        _ONCE[name] = build_model(BUILT[name], channels=CHANNELS, side=SIDE, num_classes=CLASSES, seed=0)
    return copy.deepcopy(_ONCE[name])


def most(name):
    return MOST.get(name, (16, 16))


def dense(name, outputs, inputs, *kernel):
    return {f"{name}.weight": (outputs, inputs, *kernel), f"{name}.bias": (outputs,)}


def narrow(name, widths):
    """The shapes of a network with so many units in its layers, counted by hand.

    Args:
        widths: filters and neurons in their order; units of each recurrent layer; of each block of attention
            heads and inner neurons, 0 and 0 for one that is left out.
    """
    if name == "mlp":
        sizes = [CHANNELS * SIDE**2, *widths, CLASSES]
        pairs = enumerate(pairwise(sizes), 1)
        return {key: v for i, (a, b) in pairs for key, v in dense(f"fc{i}", b, a).items()}
    if name.startswith("cnn"):
        first, second, hidden = widths
        shapes = {}
        for i, (a, b) in enumerate(((CHANNELS, first), (first, second)), 1):
            shapes |= dense(f"conv{i}", b, a, 3, 3)
            if "norm" in name:
                del shapes[f"conv{i}.bias"]
                each = ("weight", "bias", "running_mean", "running_var")
                shapes |= {f"norm{i}.{of}": (b,) for of in each} | {f"norm{i}.num_batches_tracked": ()}
        return shapes | dense("fc1", hidden, second * (SIDE // 4) ** 2) | dense("fc2", CLASSES, hidden)
    if name == "attention":
        shapes = dense("embed", WIDTH, CHANNELS * 16) | {"positions.weight": (4, WIDTH)}
        shapes |= {"norm.weight": (WIDTH,), "norm.bias": (WIDTH,)} | dense("fc", CLASSES, WIDTH)
        for i, (heads, inner) in enumerate(zip(widths[::2], widths[1::2], strict=True), 1):
            if heads:
                block = {f"norm{n}.{of}": (WIDTH,) for n in (1, 2) for of in ("weight", "bias")}
                block |= dense("attention.qkv", 3 * heads * 4, WIDTH)
                block |= dense("attention.output", WIDTH, heads * 4)
                block |= dense("fc1", inner, WIDTH) | dense("fc2", WIDTH, inner)
                shapes |= {f"block{i}.{key}": shape for key, shape in block.items()}
        return shapes
    ways = ("", "_reverse") if "both" in name else ("",)
    gates, inputs, shapes = GATES[name.partition(",")[0]], CHANNELS * SIDE, {}
    for i, units in enumerate(widths, 1):
        for way in ways:
            shapes[f"rnn{i}.weight_ih_l0{way}"] = (gates * units, inputs)
            shapes[f"rnn{i}.weight_hh_l0{way}"] = (gates * units, units)
            shapes |= {f"rnn{i}.bias_{of}_l0{way}": (gates * units,) for of in ("ih", "hh")}
        inputs = len(ways) * units
    return shapes | dense("fc", CLASSES, inputs)


def widths_in(name, shapes):
    """What `narrow` would have to be asked for to give these shapes, if they are any of its."""
    if name == "mlp":
        return [shapes["fc1.weight"][0], shapes["fc2.weight"][0]]
    if name.startswith("cnn"):
        return [shapes[key][0] for key in ("conv1.weight", "conv2.weight", "fc1.weight")]
    if name == "attention":
        found = []
        for i in (1, 2):
            there = f"block{i}.fc1.weight" in shapes
            found.append(shapes[f"block{i}.attention.qkv.weight"][0] // 12 if there else 0)
            found.append(shapes[f"block{i}.fc1.weight"][0] if there else 0)
        return found
    return [shapes[f"rnn{i}.weight_hh_l0"][1] for i in (1, 2)]


def fitted(name, shapes):
    model = built(name)
    fit_to(model, shapes, channels=CHANNELS, side=SIDE)
    return model


names = pytest.mark.parametrize("name", BUILT)


@names
def test_whole_networks_are_counted_so(name):
    assert narrow(name, most(name)) == shapes_of(built(name).state_dict())


@names
@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_number_of_units_fits(name, data):
    widths = [data.draw(st.integers(1, limit)) for limit in most(name)]
    if name == "attention" and data.draw(st.booleans()):
        place = data.draw(st.sampled_from([0, 2]))
        widths[place : place + 2] = [0, 0]
    shapes = narrow(name, widths)
    model = fitted(name, shapes)
    assert shapes_of(model.state_dict()) == shapes
    draws = torch.Generator().manual_seed(0)
    state = {
        key: torch.randn(shape, generator=draws).abs() if shape else torch.tensor(1)
        for key, shape in shapes.items()
    }
    model.load_state_dict(state)
    images = torch.randn(2, CHANNELS, SIDE, SIDE, generator=draws)
    logits = model.train()(images)
    assert logits.shape == (2, CLASSES)
    logits.sum().backward()
    assert all(p.grad is not None and p.grad.shape == p.shape for p in model.parameters())
    # Units that do nothing in a whole network are none.
    whole = built(name).eval()
    if name == "mlp":
        for key, value in whole.state_dict().items():
            value.zero_()
            value[tuple(slice(size) for size in state[key].shape)] = state[key]
        assert torch.allclose(whole(images), model.eval()(images), atol=1e-5)


@names
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_shapes_fit_if_and_only_if_some_network_has_them(name, data):
    shapes = narrow(name, [data.draw(st.integers(1, limit)) for limit in most(name)])
    full = narrow(name, most(name))
    for key in data.draw(st.lists(st.sampled_from(sorted(shapes)), min_size=1, max_size=4, unique=True)):
        sizes = [
            data.draw(st.sampled_from(sorted({0, 1, size, max(1, size - 1), full[key][i], full[key][i] + 1})))
            for i, size in enumerate(shapes[key])
        ]
        shapes[key] = tuple(sizes)
    widths = widths_in(name, shapes)
    inside = all(0 < width <= limit for width, limit in zip(widths, most(name), strict=True))
    if inside and narrow(name, widths) == shapes:
        assert shapes_of(fitted(name, shapes).state_dict()) == shapes
    else:
        with pytest.raises(SpecError, match="another network"):
            fitted(name, shapes)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("mlp", {"fc2.bias": (1,)}),
        ("mlp", {"fc3.bias": (1,)}),
        ("lstm, both ways", {"rnn1.weight_hh_l0_reverse": (64, 1)}),
        ("lstm, both ways", {"rnn1.weight_ih_l0_reverse": (64, 1)}),
        ("attention", {"embed.weight": (1, 32), "embed.bias": (1,)}),
        ("attention", {"block1.fc2.weight": (1, 32), "block1.fc2.bias": (1,)}),
        ("attention", {"block2.attention.output.weight": (1, 16), "block2.attention.output.bias": (1,)}),
        ("attention", {"positions.weight": (1, 16)}),
    ],
)
def test_what_torch_itself_would_spread_or_read_past_is_refused(name, wrong):
    shapes = narrow(name, most(name))
    assert wrong.keys() <= shapes.keys()
    with pytest.raises(SpecError, match="another network"):
        fitted(name, {**shapes, **wrong})
