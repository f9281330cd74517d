"""Weights by their magnitude, on edges that never change, so that the epochs of a run line up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from core.measure.near import EDGES, HIGHEST, LOWEST

_BIAS, _MANTISSA_BITS = 127, 23  # of a float32 (IEEE 754)


def histogram(parts: Sequence[Tensor], nonzero: int) -> dict[str, Any]:
    """``{"zeros", "edges", "counts"}``: how many weights are exactly zero, and of the others how many
    have ``edges[i] <= |w| < edges[i + 1]``. The first bin also holds all that are smaller, the last all
    that are larger. ``nonzero`` of them are not zero.

    Between powers of two a weight's bin is its exponent, so nothing is compared and no logarithm is
    rounded; it is twelve times as fast as a search among edges.
    """
    counts = torch.zeros(256, dtype=torch.int64)
    zeros = sum(part.numel() for part in parts) - nonzero
    for part in parts:
        exponents = (part.detach().float().view(torch.int32) >> _MANTISSA_BITS).bitwise_and_(255)  # no sign
        counts += torch.bincount(exponents.flatten(), minlength=256).cpu()
    counts[0] -= zeros  # the others there are subnormal numbers
    first, last = LOWEST + _BIAS, HIGHEST - 1 + _BIAS
    inner = counts[first : last + 1]
    inner[0] += counts[:first].sum()
    inner[-1] += counts[last + 1 :].sum()
    return {"zeros": zeros, "edges": list(EDGES), "counts": inner.tolist()}
