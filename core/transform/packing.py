"""Weights of few bits, or with many zeros, as a file that is as small as they are.

A tensor whose rows lie on grids of b bits becomes ``NAME.packed`` (uint8, its whole numbers from the lowest
up, b bits each, rows after one another), ``NAME.scale`` and ``NAME.zero`` (float32, one a row, or one). Where
that saves more than it costs, zeros are left out, and ``NAME.present`` (uint8) says by a bit for each number
where there is one; what lies on no grid is then ``NAME.values`` (float32), those that are there. The file's
metadata say shape, bits and lowest whole number of each. All else is stored as it is. What is unpacked is
what was packed, number for number: a grid that does not give the very numbers back is not used. (On a grid a
-0.0 becomes a 0.0, which equals it.)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

BITS = (2, 3, 4, 5, 6, 7, 8)
FORMAT = "augury-packed-2"
FLOAT_BITS = 32
Floats = NDArray[np.float32]


def pack(state: Mapping[str, Floats]) -> tuple[dict[str, NDArray[np.generic]], dict[str, str]]:
    """The tensors of a packed file, and its metadata."""
    tensors: dict[str, NDArray[np.generic]] = {}
    grids: dict[str, object] = {}
    for name, values in state.items():
        is_matrix = values.ndim > 1 and values.dtype == np.float32
        found = _grid(values) if is_matrix else None
        bits = found[0] if found else FLOAT_BITS
        present = _present(values, bits) if is_matrix else None
        if found is None and present is None:
            tensors[name] = np.asarray(values, order="C")  # one number stays without dimensions
            continue
        told: dict[str, object] = {"shape": list(values.shape), "bits": bits}
        if present is not None:
            tensors[f"{name}.present"] = np.packbits(present)
        if found is None:
            tensors[f"{name}.values"] = values.reshape(-1)[present]
        else:
            _, lowest, whole, scale, zero = found
            places = (whole - lowest).astype(np.uint8).reshape(-1)
            kept = places if present is None else places[present]
            spread = (kept[:, None] >> np.arange(bits - 1, -1, -1, dtype=np.uint8)) & 1
            tensors[f"{name}.packed"] = np.packbits(spread.astype(np.uint8))
            tensors[f"{name}.scale"], tensors[f"{name}.zero"] = scale, zero
            told["lowest"] = lowest
        grids[name] = told
    return tensors, {"format": FORMAT, "grids": json.dumps(grids)}


def _present(values: Floats, bits: int) -> NDArray[np.bool_] | None:
    """Where there is no zero, flat; None: to say so costs more than the zeros, of ``bits`` each. A -0.0
    that is not put on a grid stays what it is."""
    flat = values.reshape(-1)
    there = flat.view(np.int32) != 0 if bits == FLOAT_BITS else flat != 0
    return there if there.size + int(there.sum()) * bits < there.size * bits else None


def write_packed(weights: Path, packed: Path) -> int:
    """Pack a file of weights; how many tensors became smaller."""
    tensors, metadata = pack(load_file(weights))
    save_file(tensors, packed, metadata=metadata)
    return len(json.loads(metadata["grids"]))


def packed_bytes(weights: Path) -> int:
    """How large the packed file would be: the size of a real one."""
    from safetensors.numpy import save

    tensors, metadata = pack(load_file(weights))
    return len(save(tensors, metadata=metadata))


def _grid(values: Floats) -> tuple[int, int, NDArray[np.int64], Floats, Floats] | None:
    """Bits, lowest whole number, whole numbers, scale and zero of a tensor that lies on a grid; None: it does
    not. One grid for all rows is tried first, which needs one scale, then one for each."""
    rows = values.reshape(len(values), -1)
    for bits in BITS:
        for part in (rows.reshape(1, -1), rows):
            for symmetric in (True, False):
                if found := _fits(part, bits, symmetric):
                    return bits, *found
    return None


def _fits(rows: Floats, bits: int, symmetric: bool) -> tuple[int, NDArray[np.int64], Floats, Floats] | None:
    """Whether whole numbers of so many bits give the very rows back."""
    most = np.float32(2 ** (bits - 1) - 1 if symmetric else 2**bits - 1)
    if symmetric:
        scale = np.abs(rows).max(1, keepdims=True) / most
    else:
        least = np.minimum(rows.min(1, keepdims=True), np.float32(0))
        scale = (np.maximum(rows.max(1, keepdims=True), np.float32(0)) - least) / most
    scale = np.where(scale > 0, scale, np.float32(1)).astype(np.float32)
    lowest = int(-most) if symmetric else 0
    whole = np.zeros(rows.shape, np.int64)
    zero = np.zeros_like(scale)
    open_rows = np.ones(len(rows), bool)
    # The scale that was used, and what is computed from the rounded ends, may be some last bits apart.
    near = [scale]
    for towards in (np.float32(np.inf), np.float32(-np.inf)):
        step = scale
        for _ in range(2):
            step = np.nextafter(step, towards)
            near.append(step)
    best = scale.copy()
    for tried in near:
        offset = np.zeros_like(tried) if symmetric else np.rint(-least / tried)
        places = np.rint(rows / tried) + offset
        inside = ((places >= lowest) & (places <= most)).all(1)
        same = (((places.astype(np.float32) - offset) * tried) == rows).all(1) & inside & open_rows
        whole[same], best[same], zero[same] = places[same].astype(np.int64), tried[same], offset[same]
        open_rows &= ~same
        if not open_rows.any():
            return lowest, whole, best, zero
    return None
