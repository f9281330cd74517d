"""Steps of one length."""

import torch


class ToyOptimiser(torch.optim.Optimizer):
    """Follows the gradient's sign."""

    def __init__(self, params, lr):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    weight -= group["lr"] * weight.grad.sign()
