"""L1, the lasso (Tibshirani 1996): the sum of the absolute weights."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.optim import Optimizer

from core.regularise.regulariser import Regulariser
from core.regularise.shrinkage import elastic_net_
from core.regularise.step_sizes import step_sizes


class L1(Regulariser):
    """``‖w‖₁``; its subgradient is ``sign(w)``, and 0 at 0."""

    def penalty(self) -> Tensor:
        return torch.stack([weight.abs().sum() for weight in self.weights]).sum()

    def proximal_step(self, optimiser: Optimizer, strength: float, curvature: float = 0.0) -> None:
        elastic_net_(self.weights, step_sizes(optimiser, self.weights, curvature), strength, l1_ratio=1.0)
