"""Batch norm over a batch that several processes share.

torch's own, `SyncBatchNorm`, is for GPUs only. The mean and the squared deviations of the parts are put
together as Chan et al. 1983 do ("Algorithms for computing the sample variance", eq. 2.1), which loses no
digits where the mean is large; the gradient is Ioffe & Szegedy's (1502.03167, section 3), its two sums taken
over all processes.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F


class Exchange(Protocol):
    """What all processes do together, in the same order."""

    def gather(self, values: Tensor) -> Tensor:
        """The ``values`` (K,) of each process: (processes, K), the same in all."""
        ...

    def add(self, values: Tensor) -> Tensor:
        """Their sum (K,)."""
        ...


def batch_norm(
    images: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    momentum: float,
    eps: float,
    exchange: Exchange,
    count: int,
) -> Tensor:
    """As `torch.nn.functional.batch_norm` in training, over the images of all processes.

    Args:
        images: (M, C, …), this process's.
        running_mean, running_var: (C,), which are moved; None: there are none.
        count: as many of these images, the first, are this process's; the others count nothing.
    """
    num_channels = images.shape[1]
    with torch.no_grad():
        told = torch.zeros(2 * num_channels + 1, device=images.device)
        if count:
            own = images[:count].float()
            here = own.numel() // num_channels
            mean, variance = torch.ops.aten.batch_norm_update_stats(own, None, None, 0.0)
            torch.cat([mean, variance * here, mean.new_tensor([here])], out=told)
        parts = exchange.gather(told)  # (processes, 2C + 1)
        means, squares, numbers = parts.split([num_channels, num_channels, 1], dim=1)
        total = numbers.sum()
        mean = (means * numbers).sum(0) / total
        variance = (squares + numbers * (means - mean) ** 2).sum(0) / total
        if running_mean is not None and running_var is not None:
            running_mean.lerp_(mean, momentum)
            running_var.lerp_(variance * (total / (total - 1)), momentum)
    result: Tensor = _Normalise.apply(images, mean, variance, weight, bias, eps, total, exchange, count)
    return result


class _Normalise(torch.autograd.Function):
    """``(images − mean) / √(variance + eps) · weight + bias``, where mean and variance follow from the images
    of all processes. What can be done for each image by itself is torch's own, as in evaluation."""

    @staticmethod
    def forward(
        ctx: Any,
        images: Tensor,
        mean: Tensor,
        variance: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        eps: float,
        total: Tensor,
        exchange: Exchange,
        count: int,
    ) -> Tensor:
        ctx.save_for_backward(images, mean, variance, weight, total)
        ctx.eps, ctx.exchange, ctx.count = eps, exchange, count
        return F.batch_norm(images, mean, variance, weight, bias, False, 0.0, eps)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        images, mean, variance, weight, total = ctx.saved_tensors
        ones = torch.ones_like(mean) if weight is None else weight
        # With mean and variance held: slope·g, Σ g·x̂ and Σ g
        by_images, by_slope, by_shift = torch.ops.aten.native_batch_norm_backward(
            gradients[0], images, ones, mean, variance, None, None, False, ctx.eps, [True, True, True]
        )
        sums = ctx.exchange.add(torch.cat([by_slope, by_shift])) / total
        slope = ones * torch.rsqrt(variance + ctx.eps)
        of_slope, of_shift = (slope * each for each in sums.split(len(mean)))
        # What they owe to the images: slope·(x̂·mean(g·x̂) + mean(g))
        by_images -= F.batch_norm(images, mean, variance, of_slope, of_shift, False, 0.0, ctx.eps)
        by_images[ctx.count :] = 0
        by_weight, by_bias = (
            each if needed else None
            for each, needed in zip((by_slope, by_shift), ctx.needs_input_grad[3:5], strict=True)
        )
        return by_images, None, None, by_weight, by_bias, None, None, None, None
