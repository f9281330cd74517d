"""Decoupled weight decay (Loshchilov & Hutter 2017, arXiv 1711.05101, algorithm 2)."""

from __future__ import annotations

import torch
from torch.optim import Optimizer

from core.regularise.regulariser import Regulariser


class WeightDecay(Regulariser):
    """``w ← w - lr·λ·w``, beside the gradient's step and not through it.

    Before the step, as in the paper and in torch's AdamW: the decay is of the weights at which the
    gradient was taken. (After it, the gradient's move would be decayed too, and SGD would settle where
    the penalty is ``λ/(1 - lr·λ)``.) With SGD without momentum this is L2 in the loss; with momentum, and
    with Adam, it is not. It is no term of the loss, so it has no `penalty`.
    """

    @torch.no_grad()
    def before_step(self, optimiser: Optimizer, strength: float) -> None:
        known = {id(weight) for weight in self.weights}
        for group in optimiser.param_groups:
            if weights := [each for each in group["params"] if id(each) in known]:
                torch._foreach_mul_(weights, 1 - group["lr"] * strength)
