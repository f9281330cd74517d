"""What a regulariser is to the training loop: three moments at which it may act, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from core.regularise.weights import regularised_weights


class Term:
    """One regulariser on one model. A kind overrides the moments at which it acts.

    Solver ``penalty``: the strength times `penalty` joins the loss. Any other: `before_step` and
    `after_step` stand around the optimiser's step. Strengths are above 0; at 0 none of this is called.

    Args:
        model: whose weights; a kind that needs parameters or structure of its own finds it here.
        params: the spec's, completed from the catalogue.
    """

    def __init__(self, model: nn.Module, params: Mapping[str, Any]) -> None:
        self.weights: list[Tensor] = [w for layer in regularised_weights(model).values() for w in layer]
        self.params = params

    def penalty(self) -> Tensor:
        """The penalty at strength 1: one number, differentiable."""
        raise NotImplementedError

    def before_step(self, optimiser: Optimizer, strength: float) -> None:
        """After the gradients are there, before the optimiser moves the weights."""

    def after_step(self, optimiser: Optimizer, strength: float) -> None:
        """After the optimiser has moved the weights: where a proximal step goes."""
