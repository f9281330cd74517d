"""Proximal operators, element by element: what pulls a weight to zero, and leaves it exactly there.

The proximal operator of ``r`` at ``x``, in a metric of step sizes ``s``, is the ``w`` that minimises
``(w - x)²/2s + r(w)``: of all the weights near ``x``, the best compromise with the penalty ``r`` (Parikh &
Boyd 2014, Proximal algorithms, sections 1.1 and 6.5.2). Where ``|w|`` is in the penalty its corner makes
that 0 for a whole band of ``x``.

All of a model's weights are taken together: on a GPU a ``_foreach`` operation is one kernel for all of
them, and small networks are bound by the number of kernels. On a CPU it costs what a loop costs, and
what counts are passes over the weights and the memory that they need besides.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import softshrink

from core.regularise.step_sizes import StepSizes


@torch.no_grad()
def soft_threshold_(weights: list[Tensor], threshold: float) -> None:
    """In place, ``w ← sign(w)·max(|w| - t, 0)`` with ``t >= 0``: the proximal operator of ``t·|w|``.

    Rounded once, as the formula is; +0.0 and never -0.0 inside the band. A NaN stays NaN.
    """
    if weights[0].is_cpu:
        for weight in weights:
            softshrink(weight, threshold, out=weight)  # type: ignore[call-arg]
        torch._foreach_add_(weights, 0.0)  # softshrink leaves a -0.0 here and there
        return
    _threshold_together_(weights, threshold)


def _threshold_together_(weights: list[Tensor], threshold: float) -> None:
    """`soft_threshold_` in three kernels, however many weights there are."""
    inside = torch._foreach_clamp_max(weights, threshold)
    torch._foreach_clamp_min_(inside, -threshold)
    torch._foreach_sub_(weights, inside)


@torch.no_grad()
def elastic_net_(weights: list[Tensor], step: float | StepSizes, strength: float, l1_ratio: float) -> None:
    """In place, the proximal operator of ``λ·(a·|w| + (1 - a)/2·w²)``; with ``a`` = 1 the lasso's.

    With ``d = 1/s`` it is ``soft(d·x, a·λ)/(d + (1 - a)·λ)``: Parikh & Boyd, section 6.5.3, and Zou &
    Hastie 2005, equation 6, where ``s`` is one number. Rounded a few times under a metric: to within 3e-7
    of ``|x|`` in single precision.

    Args:
        step: ``s``: one number for all weights, or `StepSizes`.
        strength: ``λ >= 0``.
        l1_ratio: ``a`` in [0, 1].
    """
    l1, l2 = l1_ratio * strength, (1 - l1_ratio) * strength
    if isinstance(step, float):
        soft_threshold_(weights, l1 * step)
        if l2:
            torch._foreach_div_(weights, 1 + l2 * step)
        return
    inverse, unit = step.inverse()
    torch._foreach_mul_(weights, inverse)
    soft_threshold_(weights, l1 * unit)
    if l2:
        torch._foreach_add_(inverse, l2 * unit)
    torch._foreach_div_(weights, inverse)
