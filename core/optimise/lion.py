"""Lion (EvoLved sIgn mOmeNtum): Chen et al. 2023, Symbolic discovery of optimization algorithms, arXiv
2302.06675, algorithm 2.

**Why no proximal step goes with it.** A proximal step needs a metric: the distance s that one step moves a
weight for each unit of its gradient (`core.regularise.step_sizes`), and takes s·λ off the weight. Lion's move
is ``lr·sign(c)``, so that s would be ``lr/|c|`` with c the mean that decides this step's sign. For the
gradient of the whole data that rests where the lasso does. But c is about one batch's gradient, and for a
noisy one of density p at 0 the mean of 1/|c| is infinite: each time that the sign of a weight's gradient
changes the pull has no bound, and kills the weight at any λ. Adam and RMSprop divide by a running mean of
squares instead, which no single batch makes small.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


class Lion(Optimizer):
    """For each weight w of gradient g, with the mean m, at first 0::

        w ← w - lr·(sign(β₁·m + (1 - β₁)·g) + weight_decay·w)
        m ← β₂·m + (1 - β₂)·g

    A weight whose gradient and mean are both 0 stays where it is.

    Args:
        params: weights, or groups of them.
        betas: β₁, β₂ in [0, 1).
        weight_decay: decoupled, as AdamW's.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move the weights that have a gradient."""
        assert closure is None
        for group in self.param_groups:
            weights = [weight for weight in group["params"] if weight.grad is not None]
            if weights:
                self._move(weights, [weight.grad for weight in weights], group)

    def _move(self, weights: list[Tensor], gradients: list[Tensor], group: dict[str, Any]) -> None:
        for weight in weights:
            if not self.state[weight]:
                self.state[weight]["exp_avg"] = torch.zeros_like(weight)
        means = [self.state[weight]["exp_avg"] for weight in weights]
        beta1, beta2 = group["betas"]
        moves = torch._foreach_lerp(means, gradients, 1 - beta1)
        torch._foreach_sign_(moves)
        if decay := group["weight_decay"]:
            torch._foreach_mul_(weights, 1 - group["lr"] * decay)
        torch._foreach_add_(weights, moves, alpha=-group["lr"])
        torch._foreach_lerp_(means, gradients, 1 - beta2)
