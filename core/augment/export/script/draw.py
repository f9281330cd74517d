"""What an operation draws follows from the seed, its name, the step and the batch's size alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from core.randomness import derive, private_draws

if TYPE_CHECKING:
    SEED = 0


def draw(name: str, operation: Any, shape: torch.Size, step: int) -> Any:
    """What an operation will do to a batch at a step; torch's own random state is left as it was."""
    with private_draws(derive(SEED, "augment", name, step)):
        return operation.forward_parameters(shape)
