"""Some of the operations for each batch, at random."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from core.randomness import derive, generator

if TYPE_CHECKING:
    SEED, CHOOSE = 0, 1
    OPERATIONS: dict[str, Any] = {}


def chosen(step: int) -> dict[str, Any]:
    """The operations that run at a step: `CHOOSE` of them, in their order."""
    order = torch.randperm(len(OPERATIONS), generator=generator(derive(SEED, "augment", "choose", step)))
    places = order[:CHOOSE].tolist()
    return {name: operation for i, (name, operation) in enumerate(OPERATIONS.items()) if i in places}
