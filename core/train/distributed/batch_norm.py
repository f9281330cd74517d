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
    dims = [dim for dim in range(images.ndim) if dim != 1]
    with torch.no_grad():
        num_channels = images.shape[1]
        told = torch.zeros(2 * num_channels + 1, device=images.device)
        if count:
            own = images[:count].float()
            here = own.numel() // num_channels
            variance, mean = torch.var_mean(own, dims, correction=0)
            torch.cat([mean, variance * here, mean.new_tensor([here])], out=told)
        parts = exchange.gather(told)  # (processes, 2C + 1)
        means, squares, numbers = parts.split([num_channels, num_channels, 1], dim=1)
        total = numbers.sum()
        mean = (means * numbers).sum(0) / total
        variance = (squares + numbers * (means - mean) ** 2).sum(0) / total
        if running_mean is not None and running_var is not None:
            running_mean.lerp_(mean, momentum)
            running_var.lerp_(variance * (total / (total - 1)), momentum)
    scale = torch.rsqrt(variance + eps)
    result: Tensor = _Normalise.apply(images, mean, scale, weight, bias, total, exchange, count)
    return result


class _Normalise(torch.autograd.Function):
    """``(images − mean)·scale·weight + bias``; mean and scale follow from the images of all processes."""

    @staticmethod
    def forward(
        ctx: Any,
        images: Tensor,
        mean: Tensor,
        scale: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        total: Tensor,
        exchange: Exchange,
        count: int,
    ) -> Tensor:
        ctx.save_for_backward(images, mean, scale, weight, total)
        ctx.exchange, ctx.count = exchange, count
        shape = [1, -1, *[1] * (images.ndim - 2)]
        slope = scale if weight is None else scale * weight
        shift = -mean * slope if bias is None else bias - mean * slope
        return torch.addcmul(shift.view(shape), images, slope.view(shape)).to(images.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        images, mean, scale, weight, total = ctx.saved_tensors
        (gradient,) = gradients
        shape = [1, -1, *[1] * (images.ndim - 2)]
        dims = [dim for dim in range(images.ndim) if dim != 1]
        centred = images - mean.view(shape)
        by_shift = gradient.float().sum(dims)
        by_slope = (gradient * centred).float().sum(dims) * scale  # Σ g·x̂
        sums = ctx.exchange.add(torch.cat([by_shift, by_slope])) / total
        of_shift, of_slope = sums.split(len(by_shift))
        slope = scale if weight is None else scale * weight
        # slope·(g − mean(g) − x̂·mean(g·x̂)), in two passes
        by_images = torch.addcmul(
            gradient - of_shift.view(shape), centred, (scale * of_slope).view(shape), value=-1
        ).mul_(slope.view(shape))
        by_images[ctx.count :] = 0
        by_weight, by_bias = (
            each if needed else None
            for each, needed in zip((by_slope, by_shift), ctx.needs_input_grad[3:5], strict=True)
        )
        return by_images.to(images.dtype), None, None, by_weight, by_bias, None, None, None
