"""How far one optimiser step carries a weight for each unit of its gradient: the step a proximal
operator must use to balance the loss.

A proximal step with threshold ``t`` rests at a weight whose gradient is ``g`` when the optimiser's move,
``s·g``, and the pull towards zero, at most ``t``, cancel. That is the lasso's own condition, ``|g| <= λ`` at
zero and ``g = -λ·sign(w)`` elsewhere, exactly when ``t = s·λ``, with ``s`` the distance a *constant* gradient
of 1 moves the weight in one step once the optimiser's averages have settled:

- SGD: the buffer ``b ← μ·b + g`` settles at ``g/(1 - μ)``, so ``s = lr/(1 - μ)``. With Nesterov the move is
  ``lr·(g + μ·b) = lr·g·(1 + μ/(1 - μ))``: the same.
- Adam and AdamW: ``m̂`` settles at ``g``, so ``s = lr/(√v̂ + eps)``, with ``v̂ = v/(1 - β₂^k)`` after
  ``k`` steps.
- RMSprop: the same with its ``α`` for ``β₂``, and with momentum times ``(1 - μ^k)/(1 - μ)``, for the buffer's
  reason. torch does not correct ``v`` for starting at 0, so its first move is ten times as long; what it
  settles at is not.

This is ProxGen: Yun, Lozano & Yang 2021, Adaptive proximal gradient methods for structured neural
networks (arXiv 2007.07484). A plain ``lr·λ`` under Adam is far too weak: 0.1 % zeros where this gives over
60 % (scikit-learn's digits, a 64-128-10 network, λ = 1e-3, 60 epochs, one seed).

**A floor.** √v is a weight's root mean square gradient, and one batch says little about it: a ReLU unit that
is silent on the first batch has ``v = 0``, a step of ``lr/eps`` and so a threshold above its weights at any
λ, although it may fire on the next. So √v counts at least `FLOOR` times the mean of √v over its tensor,
unless every v of the tensor is 0.

The lasso's minimum stays where it is. There, on the whole data, a weight that is not 0 has ``√v = |g| = λ``,
and none has more, so the floor is at most ``FLOOR·λ``; a zero weight that it raises stays zero, for its move
is at most lr, its threshold at least ``lr/FLOOR``. With other penalties (a group's, the elastic net's) a
weight that is not 0 may rest at a gradient below the floor; there it is pulled less, and its gradient is off
by less than the floor.

Trade-offs. In the first ``1/(1 - μ)`` steps of SGD the buffer is still filling, so the pull is stronger than
the loss's by up to that factor; Adam corrects ``m̂`` and has no such phase. In the first ``1/(1 - α)`` steps
of RMSprop the pull is weaker than the loss's, by up to ten in the first. A penalty acts at
once, a gradient through its average, so weights shrink a few steps ahead; where they rest is the
same. All this is about the gradient of the whole data. With batches λ is weighed against the gradient of one
batch (with momentum, and under Adam, the mean of the last few), whose noise lifts weights off zero that the
lasso has at zero: the objective is nearly the least, but there are fewer exact zeros, and how many depends
on the optimiser and the batch size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.optim import SGD, Adam, Optimizer, RMSprop

FLOOR = 0.03  # of its tensor's mean √v: what a weight's √v counts at least


def group_of(optimiser: Optimizer, weights: list[Tensor]) -> dict[str, Any]:
    """The parameter group that holds all of ``weights``: the one with their learning rate."""
    wanted = {id(weight) for weight in weights}
    for group in optimiser.param_groups:
        if wanted <= {id(parameter) for parameter in group["params"]}:
            return group
    raise AssertionError("the regularised weights are not all in one of the optimiser's parameter groups")


def mean_followed(optimiser: Optimizer) -> tuple[float, bool]:
    """Of the mean of gradients that ``optimiser`` follows: the share in [0, 1) of it that a step leaves, and
    whether it looks a step ahead, as Nesterov's momentum does. (0, False): the gradient itself."""
    group = optimiser.param_groups[0]
    keeps = group["betas"][0] if "betas" in group else group.get("momentum", 0.0)
    return float(keeps), bool(group.get("nesterov", False))


@dataclass(frozen=True, slots=True)
class StepSizes:
    """Step sizes of weights whose optimiser keeps their mean squared gradients v: ``rate/(√v + eps)``,
    with no √v below `FLOOR` times its tensor's mean.

    Args:
        squares: v of each weight tensor, shaped like it.
        rate, eps: numbers above 0; or tensors of one such, on the weights' device, not to wait for them.
    """

    squares: list[Tensor]
    rate: float | Tensor
    eps: float | Tensor

    def sizes(self, squares: Tensor, strength: float = 1.0, out: Tensor | None = None) -> Tensor:
        """``strength`` times the step sizes of the tensor whose v are ``squares``; in ``out``, if given."""
        out = _raised_(torch.sqrt(squares, out=out)).add_(self.eps)
        rate = self.rate * strength
        return torch.div(rate if isinstance(rate, Tensor) else torch.tensor(rate), out, out=out)

    def inverse(self) -> tuple[tuple[Tensor, ...], float]:
        """``unit`` times the inverse step sizes of all the weights, and ``unit``: what is cheapest there."""
        inverse = torch._foreach_sqrt(self.squares)
        for roots in inverse:
            _raised_(roots)
        torch._foreach_add_(inverse, self.eps)
        if isinstance(self.rate, float):
            return inverse, self.rate
        torch._foreach_div_(inverse, self.rate)
        return inverse, 1.0


def _raised_(roots: Tensor) -> Tensor:
    """A tensor's √v, in place, with none below the floor; never waits for its device."""
    return roots.clamp_min_(roots.mean().mul_(FLOOR))


@torch.no_grad()
def step_sizes(optimiser: Optimizer, weights: list[Tensor], curvature: float = 0.0) -> float | StepSizes:
    """How far one step moves ``weights`` for a constant gradient of 1: one number (SGD), or each by its own.

    A penalty with ``curvature/2·‖w‖²`` in it that has acted in this step has divided by ``1 + s·curvature``.
    What acts after it must take ``s/(1 + s·curvature)``, for both to be the proximal step of their sum.

    Args:
        optimiser: SGD, Adam, AdamW or RMSprop, in any implementation (loop, foreach, fused), that has
            stepped ``weights`` at least once, together; its state is read, on its device, never waited for.
        weights: parameters of one group.
        curvature: 0 or more: how much steeper the penalties that have acted get with each unit of a weight.
    """
    group, state = group_of(optimiser, weights), optimiser.state
    # Adam has no momentum of that name: its mean is corrected.
    settled, eps = group["lr"] / (1 - group.get("momentum", 0.0)), group.get("eps", 0.0)
    if isinstance(optimiser, SGD):
        assert group["dampening"] == 0
        return float(settled / (1 + settled * curvature))
    if isinstance(optimiser, Adam):  # AdamW is one
        assert not group["amsgrad"]
        name, beta = "exp_avg_sq", group["betas"][1]
    else:
        assert isinstance(optimiser, RMSprop), f"no step sizes for {type(optimiser).__name__}"
        assert not group["centered"]
        name, beta = "square_avg", group["alpha"]
        if momentum := group["momentum"]:  # its buffer has yet to fill
            step = state[weights[0]]["step"]
            settled *= 1 - momentum ** (float(step) if step.is_cpu else step)
    root = _root_of_correction(state[weights[0]]["step"], beta)
    # √v̂ is √v/root. With the curvature 1/s + curvature is (√v + eps + rate·curvature)/rate.
    return StepSizes(
        [state[weight][name] for weight in weights], root * settled, root * (eps + settled * curvature)
    )


def _root_of_correction(step: Tensor, beta: float) -> float | Tensor:
    """``√(1 - βᵏ)`` after ``step`` k, which a fused optimiser keeps on its device."""
    if step.is_cpu:  # numbers cost a tenth of small tensors
        return math.sqrt(-math.expm1(float(step) * math.log(beta)))
    return _root_on_device(step, beta)


def _root_on_device(step: Tensor, beta: float) -> Tensor:
    """The same where ``step`` is, and in its precision: with a number of another ``_foreach`` takes the
    weights one by one."""
    return torch.expm1(step.double() * math.log(beta)).neg_().sqrt_().to(step.dtype)
