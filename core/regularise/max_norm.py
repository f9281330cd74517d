"""Max-norm (Srebro & Shraibman 2005; Srivastava et al. 2014, section 5.1): no unit may listen too loudly."""

from __future__ import annotations

import torch
from torch.linalg import vector_norm
from torch.optim import Optimizer

from core.regularise.regulariser import Regulariser


class MaxNorm(Regulariser):
    """After each step every unit's incoming weights, a row of a matrix or a filter, are scaled back to
    length ``c`` if they are longer: the nearest point of the ball ``‖w‖ <= c``. Units under ``c`` keep
    every bit, and no weight becomes zero."""

    @torch.no_grad()
    def after_step(self, optimiser: Optimizer, strength: float) -> None:
        for weight in self.weights:
            norms = vector_norm(weight, dim=tuple(range(1, weight.ndim)), keepdim=True)
            weight.mul_((self.params["c"] / norms).clamp_max(1.0))
