"""The group lasso (Yuan & Lin 2006; for networks, Wen et al. 2016, arXiv 1608.03665): whole filters,
neurons and heads, or nothing.

**The proximal step.** For one group of ``n`` weights ``x``, of which weight i has the step size ``s_i``
(`core.regularise.metric`), it is the ``w`` that minimises ``½ Σ (w_i - x_i)²/s_i + c·‖w‖`` with ``c = λ√n``.

- With one step size ``s`` (SGD): ``w = x·max(0, 1 - s·c/‖x‖)``.
- With a step size for each weight (Adam, RMSprop) there is no closed form. ``w = 0`` where
  ``‖x/s‖ <= c``. Elsewhere the derivative is 0, ``(w_i - x_i)/s_i + c·w_i/‖w‖ = 0``, so with ``τ = ‖w‖/c``

      w_i = x_i·τ/(τ + s_i),  and taking norms:  f(τ) = ‖x/(τ + s)‖ = c,

  one equation for each group (Deleu & Bengio 2021, arXiv 2102.03869, solve it for θ = ‖w‖). ``1/f`` is
  concave and rises (it is the secular equation of trust regions: Conn, Gould & Toint 2000, section
  7.3.3), so that Newton's method on ``1/f - 1/c`` from any point left of the root climbs to it and never
  passes it: no bracket, no branch, and every group of a layer at once. By Jensen's inequality,
  ``‖x‖/c - s̄`` is such a point, with ``s̄`` the mean of ``s`` weighted by ``x²``; it is nearly the root when a
  step shrinks a group by little, and that is nearly always.

  `ROUNDS` = 6 reached float32's precision (1e-6 of ‖w‖; where less than a hundredth of a group survives,
  1e-4) on 4,000 random groups whose step sizes and weights both spread over 3 decades.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.linalg import vecdot, vector_norm
from torch.optim import Optimizer

from core.regularise.groups import Groups, weight_groups
from core.regularise.metric import step_sizes
from core.regularise.term import Term

ROUNDS = 6


class GroupLasso(Term):
    """``Σ √n·‖w_g‖`` over all groups ``g``, of ``n`` weights each (Yuan & Lin 2006, equation 2.1: the root
    makes groups of all sizes equally dear).

    When a proximal step leaves a group at zero its biases are set to zero too: a filter that sees
    nothing says nothing, and can be taken out without a trace.
    """

    def __init__(self, model: nn.Module, params: Mapping[str, Any]) -> None:
        super().__init__(model, params)
        self.groups = weight_groups(model)
        self.weights = [part.parameter for groups in self.groups for part in groups.parts]

    def penalty(self) -> Tensor:
        if not self.groups:
            return torch.zeros(())
        norms = [groups.size**0.5 * vector_norm(groups.rows(), dim=1).sum() for groups in self.groups]
        return torch.stack(norms).sum()

    @torch.no_grad()
    def proximal_step(self, optimiser: Optimizer, strength: float) -> None:
        sizes = step_sizes(optimiser, self.weights)
        each = iter([sizes] * len(self.weights) if isinstance(sizes, float) else sizes)
        for groups in self.groups:
            own = [next(each) for _ in groups.parts]
            _shrink(groups, own, strength * groups.size**0.5)


def _shrink(groups: Groups, sizes: list[Any], c: float) -> None:
    rows = groups.rows()
    if isinstance(sizes[0], float):
        shrunk, dead = shrink_rows(rows, sizes[0], c)
    else:
        shrunk, dead = shrink_rows_by_metric(rows, groups.gathered(sizes), c)
    groups.fill(shrunk)
    for bias in groups.biases:
        bias.fill(bias.rows(bias.parameter).masked_fill(dead, 0.0))


def shrink_rows(x: Tensor, s: float, c: float) -> tuple[Tensor, Tensor]:
    """The proximal operator of ``s·c·‖row‖`` for each row of ``x`` (G, n): the rows, and which are now
    zero (G, 1). A row with a NaN stays NaN."""
    norms = vector_norm(x, dim=1, keepdim=True)
    dead = norms <= s * c
    return (x * (1 - s * c / norms)).masked_fill(dead, 0.0), dead


def shrink_rows_by_metric(x: Tensor, s: Tensor, c: float) -> tuple[Tensor, Tensor]:
    """The ``w`` that minimises ``½ Σ (w_i - x_i)²/s_i + c·‖w‖`` for each row of ``x`` (G, n), and which
    are now zero (G, 1); ``s`` (G, n) > 0. A row with a NaN stays NaN."""
    dead = vector_norm(x / s, dim=1, keepdim=True) <= c
    squares = x.square()
    norms = squares.sum(dim=1, keepdim=True)
    mean_size = vecdot(squares, s).unsqueeze(1) / norms
    tau = (norms.sqrt() / c - mean_size).clamp_min(0)  # (G, 1); dead rows carry anything, even NaN
    for _ in range(ROUNDS):
        a = x / (s + tau)
        f = vector_norm(a, dim=1, keepdim=True)
        slope = vecdot(a, a.div(s + tau)).unsqueeze(1)  # -f·f'
        tau = tau + f.square() / slope * (f / c - 1)
    return (x * (tau / (s + tau))).masked_fill(dead, 0.0), dead
