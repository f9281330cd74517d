"""From an `OptimiserSpec` to one of torch's optimisers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from core.catalogue import imported
from core.optimise.catalogue import OPTIMISERS
from core.run.spec import OptimiserSpec


def build_optimiser(
    spec: OptimiserSpec, weights: Iterable[Tensor], others: Iterable[Tensor]
) -> torch.optim.Optimizer:
    """The optimiser of a completed spec; only ``weights`` (matrices and filters) are ever decayed."""
    entry = OPTIMISERS[spec.kind]
    arguments = entry.arguments(spec.params)
    decay = arguments.pop("weight_decay", None)
    parts: list[Any]
    if decay is None:
        parts = [*weights, *others]
    else:
        groups = ((list(weights), decay), (list(others), 0.0))
        parts = [{"params": params, "weight_decay": rate} for params, rate in groups if params]
    optimiser: torch.optim.Optimizer = imported(entry.makes)(parts, lr=spec.lr, **arguments)
    return optimiser
