"""Quantised arithmetic against one in NumPy, bit for bit, and training through the rounding."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from torch import nn

from core.catalogues import completed
from core.layers.quantise import (
    BITS,
    RANGE,
    ends,
    quantise_inputs,
    quantised,
    range_of,
    restore_inputs,
    to_grid,
)  # fmt: skip
from core.models.build import build_model
from core.regularise.quantisation import Quantisation
from core.run.errors import SpecError
from core.run.spec import ModelSpec
from core.train.loop import run
from tests.train.small_runs import epochs, spec

NUMBERS = st.floats(-100, 100, width=32, allow_subnormal=False)
ROWS = arrays.arrays(np.float32, st.tuples(st.integers(1, 4), st.integers(1, 9)), elements=NUMBERS)


def reference(rows, bits, symmetric):
    """The same in NumPy, row by row, in float32."""
    found = []
    for row in rows.astype(np.float32):
        if symmetric:
            high = np.float32(2 ** (bits - 1) - 1)
            low, scale, zero = -high, np.abs(row).max() / high, np.float32(0)
        else:
            low, high = np.float32(0), np.float32(2**bits - 1)
            least = np.minimum(row.min(), np.float32(0))
            scale = (np.maximum(row.max(), np.float32(0)) - least) / high
            zero = np.rint(-least / (scale if scale > 0 else np.float32(1)))
        scale = scale if scale > 0 else np.float32(1)
        whole = np.clip(np.rint(row / scale) + zero, low, high).astype(np.int32)
        found.append((whole.astype(np.float32) - zero) * scale)
    return np.stack(found)


@given(ROWS, st.sampled_from([2, 3, 4, 8]), st.booleans(), st.booleans())
def test_the_arithmetic_is_numpys_bit_for_bit(rows, bits, symmetric, apart):
    by = "channel" if apart else "tensor"
    found = quantised(torch.from_numpy(rows.copy()), bits, by=by, symmetric=symmetric).numpy()
    expected = reference(rows if apart else rows.reshape(1, -1), bits, symmetric).reshape(rows.shape)
    assert np.array_equal(found, expected) and found.dtype == np.float32


@given(ROWS, st.sampled_from([2, 3, 4, 8]), st.booleans())
def test_a_row_has_few_values_near_its_own_and_keeps_its_zeros(rows, bits, symmetric):
    rows[:, 0] = 0
    weight = torch.from_numpy(rows.copy())
    grid = to_grid(weight, bits, symmetric=symmetric)
    low, high = ends(bits, symmetric)
    assert low <= int(grid.whole.min()) and int(grid.whole.max()) <= high
    assert all(len(row.unique()) <= 2**bits - symmetric for row in grid.values)
    assert not grid.values[:, 0].any()
    # Both ends are on the grid up to half a step, and so is all between them.
    half = 0.5 * grid.scale if symmetric else grid.scale
    assert ((grid.values - weight).abs() <= half * 1.001 + 1e-6).all()
    nearest = quantised(weight, bits, by="channel", symmetric=symmetric, ends_at="nearest")
    least, plain = ((each - weight).square().sum(1) for each in (nearest, grid.values))
    assert (least <= plain * 1.0001 + 1e-6).all()


def test_more_bits_are_nearer():
    weight = torch.randn(20, 50, generator=torch.Generator().manual_seed(0))
    errors = [
        float((quantised(weight, bits, by="channel", symmetric=True) - weight).square().mean())
        for bits in (2, 3, 4, 6, 8)
    ]
    assert errors == sorted(errors, reverse=True) and errors[-1] < 1e-3 * errors[0]


def test_the_gradient_is_that_of_the_quantised_network_and_goes_to_the_real_weights():
    model = build_model(
        ModelSpec(arch="mlp", params={"hidden": [8]}), channels=1, side=4, num_classes=3, seed=0
    )
    params = {"bits": 2, "by": "channel", "symmetric": True, "ends_at": "largest"}
    images, labels = torch.rand(6, 1, 4, 4), torch.tensor([0, 1, 2, 0, 1, 2])
    by_hand = copy.deepcopy(model)
    with torch.no_grad():
        for module in by_hand.modules():
            if isinstance(module, nn.Linear):
                module.weight.copy_(quantised(module.weight, 2, by="channel", symmetric=True))
    nn.functional.cross_entropy(by_hand(images), labels).backward()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    quantisation, optimiser = Quantisation(model, params), torch.optim.SGD(model.parameters(), lr=0.1)
    quantisation.begin_step(0, 0)
    nn.functional.cross_entropy(model(images), labels).backward()
    quantisation.before_step(optimiser, 1.0)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    optimiser.step()
    gradients = dict(by_hand.named_parameters())
    for name, parameter in model.named_parameters():
        assert torch.allclose(parameter, before[name] - 0.1 * gradients[name].grad, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("bits", [2, 4])
def test_what_a_run_leaves_lies_on_the_grid(tmp_path, bits):
    list(run(spec({"kind": "quantisation", "params": {"bits": bits}}), out=tmp_path))
    from safetensors.torch import load_file

    weights = load_file(tmp_path / "weights.safetensors")
    for name, weight in weights.items():
        if weight.ndim > 1:
            assert all(len(row.unique()) < 2**bits for row in weight.flatten(1)), name


def test_what_a_layer_hears_is_quantised_and_that_is_saved_with_it():
    model = build_model(
        ModelSpec(arch="mlp", params={"hidden": [8]}), channels=1, side=4, num_classes=3, seed=0
    ).eval()
    images = torch.rand(6, 1, 4, 4)
    plain = model(images)
    layer = dict(model.named_modules())["fc2"] if "fc2" in dict(model.named_modules()) else model[-1]
    name = next(key for key, module in model.named_modules() if module is layer)
    heard = []
    handle = layer.register_forward_hook(lambda _, inputs, __: heard.append(inputs[0]))
    model(images)
    handle.remove()
    quantise_inputs(layer, float(heard[0].detach().min()), float(heard[0].detach().max()), 3)
    coarse = model(images)
    assert not torch.equal(coarse, plain)
    steps = torch.from_numpy(reference(heard[0].detach().reshape(1, -1).numpy(), 3, False))
    with torch.no_grad():
        expected = nn.functional.linear(steps.view_as(heard[0]), layer.weight, layer.bias)
    assert torch.allclose(coarse, expected, atol=1e-6)
    state = model.state_dict()
    assert {f"{name}.{RANGE}", f"{name}.{BITS}"} <= state.keys()
    again = build_model(
        ModelSpec(arch="mlp", params={"hidden": [8]}), channels=1, side=4, num_classes=3, seed=1
    ).eval()
    restore_inputs(again, state)
    again.load_state_dict(state)
    assert torch.equal(again(images), coarse)
    coarse.sum().backward()
    assert layer.weight.grad is not None


@given(arrays.arrays(np.float32, st.integers(1, 200), elements=NUMBERS), st.sampled_from([2, 3, 4, 8]))
def test_a_range_ends_where_the_numbers_change_least(numbers, bits):
    heard = torch.from_numpy(numbers.copy())
    assert range_of(heard.abs(), bits)[0] == 0 == range_of(-heard.abs(), bits)[1]
    least, most = min(float(numbers.min()), 0.0), max(float(numbers.max()), 0.0)
    assert range_of(heard, bits) == (least, most)
    low, high = range_of(heard, bits, "nearest")

    def change(share):
        a, b = np.float32(least) * np.float32(share), np.float32(most) * np.float32(share)
        scale = (b - a) / np.float32(2**bits - 1)
        scale = scale if scale > 0 else np.float32(1)
        inside = np.clip(numbers, a, b)
        zero = np.rint(-a / scale)
        whole = np.clip(np.rint(inside / scale) + zero, 0, 2**bits - 1)
        return float(np.square((whole - zero) * scale - numbers, dtype=np.float64).mean())

    shares = [0.2 + 0.05 * i for i in range(17)]
    found = next(each for each in shares if np.allclose((low, high), (least * each, most * each)))
    assert change(found) <= min(map(change, shares)) * 1.001 + 1e-9


@pytest.mark.parametrize(
    "beside",
    [
        {"kind": "ema", "params": {"decay": 0.95}},
        {"kind": "swa", "params": {"start": 0.0}},
        {"kind": "sam"},
        {"kind": "max_norm", "params": {"c": 0.5}},
        {"kind": "weight_decay", "strength": 0.1},
        {"kind": "l1", "strength": 1e-3, "solver": "proximal"},
        {"kind": "l1", "strength": 1e-3, "solver": "penalty"},
        {"kind": "group_lasso", "strength": 1e-3},
        {"kind": "clipping"},
        {"kind": "early_stopping", "params": {"patience": 1}},
    ],
    ids=lambda each: f"{each['kind']} {each.get('solver', '')}".strip(),
)
def test_what_is_saved_lies_on_the_grid_whatever_acts_beside(tmp_path, beside):
    asked = {"kind": "quantisation", "params": {"bits": 3}}
    alone, told = run(spec(asked)), list(run(spec(asked, beside), out=tmp_path))
    from safetensors.torch import load_file

    weights = load_file(tmp_path / "weights.safetensors")
    for name, weight in weights.items():
        if weight.ndim > 1:
            again = quantised(weight, 3, by="channel", symmetric=True)
            assert torch.allclose(again, weight, rtol=1e-6, atol=0), name
    if beside["kind"] not in ("early_stopping", "clipping"):
        assert epochs(told)[-1]["validation_loss"] != epochs(alone)[-1]["validation_loss"]  # it does act


def test_weights_under_gates_are_not_quantised():
    with pytest.raises(SpecError, match="quantisation would set those beneath"):
        completed(spec({"kind": "quantisation"}, {"kind": "l0"}))
