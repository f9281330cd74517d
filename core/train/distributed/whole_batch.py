"""A network's forward pass over a part of a batch, as it is over the whole.

Two things in a network look beyond one image: dropout, whose masks are drawn for all images at once, and
batch norm, which takes its mean over all. `WholeBatch` finds both where torch is called for them, so an
architecture needs to know nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from core.train.distributed.batch_norm import Exchange, batch_norm
from core.train.distributed.share import Share

DROPOUTS = (F.dropout, F.dropout1d, F.dropout2d, F.dropout3d)


class WholeBatch(TorchFunctionMode):
    """Inside, with torch's generator in the same state in each process, ``torch.nn.functional``'s dropouts
    have the masks that they have for the whole batch, and its batch norm the whole batch's statistics.

    What is drawn by other means is drawn alike in each process.

    Args:
        size: images in the whole batch, the first dimension of what a network computes.
        exchange: what batch norm's statistics travel by.
    """

    def __init__(self, share: Share, size: int, exchange: Exchange) -> None:
        super().__init__()
        self.share, self.size, self.exchange = share, size, exchange
        self.rows = share.rows(size)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func in DROPOUTS:
            return self._dropout(func, *args, **(kwargs or {}))
        if func is F.batch_norm:
            return self._batch_norm(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))

    def _dropout(
        self,
        func: Callable[..., Tensor],
        input: Tensor,
        p: float = 0.5,
        training: bool = True,
        inplace: bool = False,
    ) -> Tensor:
        # Dropout is multiplying by a mask of 0 and 1/(1 − p): of ones it is that mask.
        if not training or not p or len(input) != len(self.rows):
            return func(input, p, training, inplace)
        with torch.no_grad():
            mask = func(ones_like_whole(input, self.size), p, True)
        return input * mask[self.rows.to(mask.device)]

    def _batch_norm(
        self,
        input: Tensor,
        running_mean: Tensor | None,
        running_var: Tensor | None,
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        training: bool = False,
        momentum: float = 0.1,
        eps: float = 1e-5,
    ) -> Tensor:
        if not training:
            return F.batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
        count = self.share.count(self.size)
        return batch_norm(input, running_mean, running_var, weight, bias, momentum, eps, self.exchange, count)


def ones_like_whole(part: Tensor, size: int) -> Tensor:
    """Ones of the shape of ``part`` (M, …) with ``size`` images, lying in memory as the whole of it would:
    masks are drawn in the order of memory."""
    shape = (size, *part.shape[1:])
    order = sorted(range(part.ndim), key=part.stride, reverse=True)
    dense = 1
    for i in reversed(order):
        if part.stride(i) != dense and part.shape[i] > 1:  # not dense: torch's masks then are contiguous
            return part.new_ones(shape)
        dense *= part.shape[i]
    return torch.empty_permuted(shape, order, dtype=part.dtype, device=part.device).fill_(1)
