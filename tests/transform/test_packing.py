"""Packed weights: every grid is found again, from the file alone, and takes no more room than it must."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from safetensors.numpy import save_file

from core.layers.quantise import quantised
from core.transform.packing import pack, packed_bytes, write_packed

NUMBERS = st.floats(-8, 8, width=32, allow_subnormal=False).map(
    lambda each: each if abs(each) > 1e-6 else 0.0
)
WEIGHTS = arrays.arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(1, 20)), elements=NUMBERS)


def unpacked(tensors, metadata, name="w"):
    """By the words of `core.transform.packing`, number after number."""
    grid = json.loads(metadata["grids"])[name]
    count, bits = math.prod(grid["shape"]), grid["bits"]
    present = "1" * count
    if f"{name}.present" in tensors:
        present = "".join(f"{byte:08b}" for byte in tensors[f"{name}.present"])[:count]
    there = [place for place in range(count) if present[place] == "1"]
    values = np.zeros(count, np.float32)
    if f"{name}.values" in tensors:
        values[there] = tensors[f"{name}.values"]
        return values.reshape(grid["shape"])
    line = "".join(f"{byte:08b}" for byte in tensors[f"{name}.packed"])
    scale, zero = tensors[f"{name}.scale"][:, 0], tensors[f"{name}.zero"][:, 0]
    for i, place in enumerate(there):
        row = place * len(scale) // count
        whole = int(line[i * bits : (i + 1) * bits], 2) + grid["lowest"]
        values[place] = (np.float32(whole) - zero[row]) * scale[row]
    return values.reshape(grid["shape"])


@given(
    WEIGHTS,
    st.sampled_from([2, 3, 4, 8]),
    st.sampled_from(["channel", "tensor"]),
    st.booleans(),
    st.sampled_from(["largest", "nearest"]),
)
def test_what_is_unpacked_is_what_was_packed(weights, bits, by, symmetric, ends_at):
    weight = torch.from_numpy(weights.copy())
    values = quantised(weight, bits, by=by, symmetric=symmetric, ends_at=ends_at).numpy()
    tensors, metadata = pack({"w": values})
    assert json.loads(metadata["grids"])["w"]["bits"] <= bits
    assert len(tensors["w.packed"]) <= math.ceil(values.size * bits / 8)
    found = unpacked(tensors, metadata)
    assert found.dtype == np.float32 and np.array_equal(found, values)


@given(
    arrays.arrays(np.float32, (7, 9), elements=st.floats(-8, 8, width=32, allow_subnormal=False)),
    st.floats(0, 1),
)
def test_zeros_of_any_share_are_left_out_where_that_saves(values, share):
    order = np.random.default_rng(0).permutation(values.size)
    values.reshape(-1)[order[: round(share * values.size)]] = 0.0
    tensors, metadata = pack({"w": values, "b": values[0]})
    assert np.array_equal(tensors["b"], values[0])
    if "w" in tensors:
        found = tensors["w"]
    else:
        found = unpacked(tensors, metadata)
        assert (
            "w.packed" in tensors or tensors["w.values"].nbytes + tensors["w.present"].nbytes < values.nbytes
        )
    assert np.array_equal(
        found.view(np.int32) | np.int32(-(2**31)), values.view(np.int32) | np.int32(-(2**31))
    )


def test_a_minus_zero_on_no_grid_stays():
    values = np.zeros((1, 12), np.float32)
    values[0, :4] = 0.3, -0.0, 0.7, np.pi
    tensors, metadata = pack({"w": values})
    assert unpacked(tensors, metadata).tobytes() == values.tobytes()


@pytest.mark.parametrize(("bits", "share"), [(None, 0.9), (None, 0.5), (4, 0.9), (2, 0.9)])
def test_a_pruned_networks_file_is_as_small_as_what_is_left(bits, share):
    weight = torch.randn(64, 125, generator=torch.Generator().manual_seed(1))
    gone = torch.rand(64, 125, generator=torch.Generator().manual_seed(2)) < share
    weight[gone] = 0
    if bits is not None:
        weight = quantised(weight, bits, by="tensor", symmetric=True)
    values = weight.numpy()
    tensors, metadata = pack({"w": values})
    left = np.count_nonzero(values)
    expected = 8000 / 8 + left * (bits or 32) / 8 + (8 if bits else 0)
    assert sum(each.nbytes for each in tensors.values()) == pytest.approx(expected, abs=2)
    assert np.array_equal(unpacked(tensors, metadata), values)


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_one_grid_for_all_needs_one_scale(bits):
    weight = torch.randn(40, 30, generator=torch.Generator().manual_seed(bits))
    for by, count in (("tensor", 1), ("channel", 40)):
        tensors, _ = pack({"w": quantised(weight, bits, by=by, symmetric=True).numpy()})
        assert len(tensors["w.scale"]) == len(tensors["w.zero"]) == count


def test_the_size_that_is_told_is_that_of_the_file(tmp_path):
    weight = torch.randn(40, 30, generator=torch.Generator().manual_seed(0))
    state = {
        "fc.weight": quantised(weight, 3, by="channel", symmetric=True).numpy(),
        "fc.bias": np.zeros(40, np.float32),
        "free.weight": weight.numpy(),
    }
    save_file(state, tmp_path / "weights.safetensors")
    assert write_packed(tmp_path / "weights.safetensors", tmp_path / "packed.safetensors") == 1
    size = (tmp_path / "packed.safetensors").stat().st_size
    assert packed_bytes(tmp_path / "weights.safetensors") == size
    numbers = 40 * 30 * 3 / 8 + 4 * (2 * 40 + 40 + 40 * 30)  # packed; scales and zeros, bias, free ones
    assert numbers < size < numbers + 1000


def test_a_number_without_dimensions_stays_so():
    tensors, _ = pack({"norm.num_batches_tracked": np.array(7, np.int64), "w": np.zeros((4, 9), np.float32)})
    assert (
        tensors["norm.num_batches_tracked"].shape == () and "w.packed" in tensors
    ) or "w.values" in tensors
