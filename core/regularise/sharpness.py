"""Sharpness-aware minimisation: Foret, Kleiner, Mobahi & Neyshabur 2021, arXiv 2010.01412, algorithm 1.

What is minimised is the highest data loss within a distance ρ of the weights, to first order: that at
``w + ε``, with ``ε = ρ·g/‖g‖`` and g the data loss's gradient at w. A step takes its gradient there, and
moves w by it. So it goes through the network twice, forward and backward, with one batch, one dropout mask
and one draw of gates; the loss and the answers that are shown are those at w. Penalties are taken at w, and
so are proximal steps: as in the paper's equation 1, they are no part of what is looked at nearby. Proximal
steps stay exact: the gradient at ``w + ε`` is what the optimiser follows, and its steps are as long for each
unit of that one as of any other.

Batch norm uses the statistics of the batch in both passes, and its running means take in those of the
first alone, for they are to be of w.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from core.regularise.regulariser import Regulariser


class SharpnessAware(Regulariser):
    """Takes the loss's gradient at the highest point nearby, in all that the network learns, biases and norm
    layers too; the strength is ρ."""

    def __init__(self, model: nn.Module, params: Mapping[str, Any]) -> None:
        super().__init__(model, params)
        self.trained: list[Tensor] = list(model.parameters())
        self.norms = [
            module
            for module in model.modules()
            if isinstance(module, _BatchNorm) and module.track_running_stats
        ]

    @contextmanager
    def uphill(self, strength: float) -> Iterator[None]:
        moved = [weight for weight in self.trained if weight.grad is not None]
        gradients = [weight.grad for weight in moved if weight.grad is not None]
        before = [weight.detach().clone() for weight in moved]  # to have their very bits back
        with torch.no_grad():
            scale = strength / (torch.nn.utils.get_total_norm(gradients) + 1e-12)
            steps = torch._foreach_mul(gradients, scale)
            torch._foreach_add_(moved, list(steps))
        for norm in self.norms:
            norm.track_running_stats = False
        try:
            yield
        finally:
            for norm in self.norms:
                norm.track_running_stats = True
            with torch.no_grad():
                torch._foreach_copy_(moved, before)
