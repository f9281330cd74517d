"""Quantised weights as a file that is as small as they are: whole numbers of a few bits side by side.

A tensor whose rows lie on grids of b bits becomes ``NAME.packed`` (uint8, its whole numbers from the lowest
up, b bits each, rows after one another), ``NAME.scale`` and ``NAME.zero`` (float32, one a row, or one); the
file's metadata say its shape, its bits and its lowest whole number. All else is stored as it is. What is
unpacked is what was packed, bit for bit: a grid that does not give the very numbers back is not used.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

BITS = (2, 3, 4, 5, 6, 7, 8)
FORMAT = "augury-packed-1"
Floats = NDArray[np.float32]


def pack(state: Mapping[str, Floats]) -> tuple[dict[str, NDArray[np.generic]], dict[str, str]]:
    """The tensors of a packed file, and its metadata."""
    tensors: dict[str, NDArray[np.generic]] = {}
    grids: dict[str, object] = {}
    for name, values in state.items():
        found = _grid(values) if values.ndim > 1 and values.dtype == np.float32 else None
        if found is None:
            tensors[name] = np.ascontiguousarray(values)
            continue
        bits, lowest, whole, scale, zero = found
        places = (whole - lowest).astype(np.uint8)
        spread = (places.reshape(-1, 1) >> np.arange(bits - 1, -1, -1, dtype=np.uint8)) & 1
        tensors[f"{name}.packed"] = np.packbits(spread.astype(np.uint8))
        tensors[f"{name}.scale"], tensors[f"{name}.zero"] = scale, zero
        grids[name] = {"shape": list(values.shape), "bits": bits, "lowest": lowest}
    return tensors, {"format": FORMAT, "grids": json.dumps(grids)}


def write_packed(weights: Path, packed: Path) -> int:
    """Pack a file of weights; how many tensors are on grids."""
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
