"""A network's weights as a file that is as small as they are, and a few lines that unpack it."""

from __future__ import annotations

from pathlib import Path

from core.export.source import Asked
from core.run.errors import SpecError
from core.transform.packing import write_packed

FILE, LOADER = "packed.safetensors", "unpack.py"

_UNPACK = '''"""Unpack {run}'s weights: python unpack.py writes weights.safetensors, the numbers as they were.

This needs numpy and safetensors.
"""

import json
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

here = Path(__file__).parent
with safe_open(here / "{file}", "numpy") as file:
    grids = json.loads(file.metadata()["grids"])
    stored = {{name: file.get_tensor(name) for name in file.keys()}}
weights = {{name: value for name, value in stored.items() if name.rpartition(".")[0] not in grids}}
for name, grid in grids.items():
    size, bits = int(np.prod(grid["shape"])), grid["bits"]
    there = np.ones(size, bool)
    if name + ".present" in stored:  # zeros were left out
        there = np.unpackbits(stored[name + ".present"])[:size].astype(bool)
    values, count = np.zeros(size, np.float32), int(there.sum())
    if name + ".values" in stored:
        values[there] = stored[name + ".values"]
    else:
        each = np.unpackbits(stored[name + ".packed"])[: count * bits].reshape(count, bits)
        whole = (each << np.arange(bits - 1, -1, -1)).sum(1) + grid["lowest"]
        row = np.arange(size)[there] * len(stored[name + ".scale"]) // size
        scale, zero = stored[name + ".scale"][row, 0], stored[name + ".zero"][row, 0]
        values[there] = (whole.astype(np.float32) - zero) * scale
    weights[name] = values.reshape(grid["shape"])
save_file(weights, here / "weights.safetensors")
print(f"{{len(grids)}} tensors unpacked")
'''


def write(asked: Asked, folder: Path) -> None:
    """``packed.safetensors`` and ``unpack.py``.

    Raises:
        SpecError: the run has left no weights, or nothing can be saved.
    """
    run = asked.run
    if not write_packed(run.with_weights(), folder / FILE):
        raise SpecError(
            "",
            "None of this network's weights lie on a grid of few bits, and too few are zero; quantise or "
            "prune it first, under Compress.",
        )
    (folder / LOADER).write_text(_UNPACK.format(run=run.stem, file=FILE), encoding="utf-8")
