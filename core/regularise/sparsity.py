"""How sparse a network is, counted two ways and named so: exact zeros, and weights near zero."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from core.regularise.weights import regularised_weights

NEAR = 1e-3  # the field's usual bound, an arbitrary one: what L1 by penalty is often called sparse by


@torch.no_grad()
def sparsity(model: nn.Module, near: float = NEAR) -> dict[str, Any]:
    """The share of weights that are exactly 0.0, and of those with ``|w| < near``, in [0, 1].

    Returns:
        ``{"exact", "near", "weights", "layers": {name: {"exact", "near", "weights"}}}``, with ``weights``
        the number counted: those of `regularised_weights`, so without biases and norm layers.
    """
    layers = regularised_weights(model)
    parts = [weight for layer in layers.values() for weight in layer]
    counts = [torch.stack([w.count_nonzero(), (w.abs() < near).count_nonzero()]) for w in parts]
    # One wait for the device, not two a layer.
    tallies = iter(zip(parts, torch.stack(counts).tolist(), strict=True))
    rows = {name: [next(tallies) for _ in layer] for name, layer in layers.items()}
    every = [row for layer in rows.values() for row in layer]
    return {**_shares(every), "layers": {name: _shares(layer) for name, layer in rows.items()}}


def _shares(rows: list[tuple[nn.Parameter, list[int]]]) -> dict[str, Any]:
    """Shares of a few weight tensors, each with its number of non-zeros and of near zeros."""
    weights = sum(weight.numel() for weight, _ in rows)
    nonzero = sum(count[0] for _, count in rows)
    near = sum(count[1] for _, count in rows)
    return {"exact": (weights - nonzero) / weights, "near": near / weights, "weights": weights}
