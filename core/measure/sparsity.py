"""How sparse a network is, counted two ways and named so: exact zeros, and weights near zero."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from core.layers.weights import regularised_weights
from core.measure.near import NEAR


class Counts(NamedTuple):
    """What is counted of one weight tensor."""

    weights: int
    nonzero: int
    near: int


@torch.no_grad()
def counts(layers: Mapping[str, Sequence[Tensor]], near: float = NEAR) -> dict[str, list[Counts]]:
    """`Counts` of each tensor of each layer; ``near``, above 0, counts exact zeros, too."""
    parts = [weight for layer in layers.values() for weight in layer]
    # Stacked, so that there is one wait for the device and not two a layer.
    found = [torch.stack([w.count_nonzero(), (w.abs() < near).sum()]) for w in parts]
    rows = (Counts(w.numel(), *count) for w, count in zip(parts, torch.stack(found).tolist(), strict=True))
    return {name: [next(rows) for _ in layer] for name, layer in layers.items()}


def sparsity(model: nn.Module, near: float = NEAR) -> dict[str, Any]:
    """The share of weights that are exactly 0.0, and of those with ``|w| < near``, in [0, 1].

    Returns:
        What `shares` does, of those of `regularised_weights`, so without biases and norm layers.
    """
    return shares(counts(regularised_weights(model), near))


def shares(counted: Mapping[str, Sequence[Counts]]) -> dict[str, Any]:
    """``{"exact", "near", "weights", "layers": {name: {"exact", "near", "weights"}}}``, with ``weights`` the
    number counted."""
    every = [part for layer in counted.values() for part in layer]
    return {**_shares(every), "layers": {name: _shares(layer) for name, layer in counted.items()}}


def _shares(parts: Sequence[Counts]) -> dict[str, Any]:
    weights, nonzero, near = map(sum, zip(*parts, strict=True))
    return {"exact": (weights - nonzero) / weights, "near": near / weights, "weights": weights}


@torch.no_grad()
def share_within(parts: Sequence[Tensor], bound: float) -> float:
    """The share of the weights of ``parts`` with |w| <= ``bound``, in [0, 1]."""
    within = sum(int((part.abs() <= bound).sum()) for part in parts)
    return within / sum(part.numel() for part in parts)
