"""Proximal operators, element by element: what pulls a weight to zero, and leaves it exactly there.

The proximal operator of ``s·r`` at ``x`` is the ``w`` that minimises ``(w - x)²/2 + s·r(w)``: of all the
weights near ``x``, the best compromise with the penalty ``r`` (Parikh & Boyd 2014, Proximal algorithms,
sections 1.1 and 6.5.2). Where ``|w|`` is in the penalty its corner makes that 0 for a whole band of ``x``.

All of a model's weights are taken together: on a GPU a ``_foreach`` operation is one kernel for all of
them, and small networks are bound by the number of kernels. On a CPU it costs what a loop costs, and
what counts are passes over the weights and the memory that they need besides.
"""

from __future__ import annotations

import torch
from torch import Tensor

# One number for every weight, or a tensor for each weight tensor, shaped like it.
Sizes = float | list[Tensor] | tuple[Tensor, ...]


@torch.no_grad()
def soft_threshold_(weights: list[Tensor], thresholds: Sizes) -> None:
    """In place, ``w ← sign(w)·max(|w| - t, 0)`` with ``t >= 0``: the proximal operator of ``t·|w|``.
    Tensors of thresholds are used up.

    Computed as ``w`` less ``w`` clamped to ``[-t, t]``: rounded once, as the formula is, and ``w - w``, so
    +0.0 and never -0.0, inside the band. A NaN stays NaN.
    """
    if isinstance(thresholds, float):
        inside = torch._foreach_clamp_max(weights, thresholds)
        torch._foreach_clamp_min_(inside, -thresholds)
    else:
        inside = torch._foreach_minimum(weights, thresholds)
        torch._foreach_neg_(thresholds)  # a quarter faster on a CPU than with memory of their own
        torch._foreach_maximum_(inside, thresholds)
    torch._foreach_sub_(weights, inside)


@torch.no_grad()
def elastic_net_(weights: list[Tensor], sizes: Sizes, l1_ratio: float) -> None:
    """In place, the proximal operator of ``s·(a·|w| + (1 - a)/2·w²)`` with ``a`` the ``l1_ratio`` in [0, 1].

    Soft-threshold with ``a·s``, then divide by ``1 + (1 - a)·s`` (Parikh & Boyd, section 6.5.3; Zou &
    Hastie 2005, equation 6). Tensors of sizes are used up.
    """
    if isinstance(sizes, float):
        soft_threshold_(weights, l1_ratio * sizes)
        torch._foreach_div_(weights, 1 + (1 - l1_ratio) * sizes)
        return
    soft_threshold_(weights, torch._foreach_mul(sizes, l1_ratio))
    torch._foreach_mul_(sizes, 1 - l1_ratio)
    torch._foreach_add_(sizes, 1.0)
    torch._foreach_div_(weights, sizes)
