"""The elastic net (Zou & Hastie 2005): L1 and L2 in one, shared out by ``l1_ratio``."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.optim import Optimizer

from core.regularise.regulariser import Regulariser
from core.regularise.shrinkage import elastic_net_
from core.regularise.step_sizes import step_sizes


class ElasticNet(Regulariser):
    """``a‖w‖₁ + (1 - a)/2·‖w‖²``: scikit-learn's convention, with ``a`` its ``l1_ratio``."""

    def penalty(self) -> Tensor:
        a = self.params["l1_ratio"]
        return torch.stack(
            [a * weight.abs().sum() + (1 - a) / 2 * weight.square().sum() for weight in self.weights]
        ).sum()

    def curvature(self, strength: float) -> float:
        return (1 - self.params["l1_ratio"]) * strength

    def proximal_step(self, optimiser: Optimizer, strength: float, curvature: float = 0.0) -> None:
        step = step_sizes(optimiser, self.weights, curvature)
        elastic_net_(self.weights, step, strength, self.params["l1_ratio"])
