"""Muon for matrices and AdamW for the rest, as one optimiser.

Muon (Jordan et al. 2024) replaces the momentum of a matrix, ``U S Vᵀ``, by about ``U Vᵀ``, in five rounds of
a Newton-Schulz iteration in bfloat16. It is torch's own, `torch.optim.Muon`, which takes matrices only and
says of all else: "should be optimized by a standard method such as AdamW". Its steps are scaled by
``0.2·√max(rows, columns)``, so that their root mean square is that of AdamW's and one learning rate and one
weight decay serve both (Liu et al. 2025, arXiv 2502.16982, section 2.2).

**Why no proximal step goes with it.** A proximal step needs a metric in which the move is the gradient: a
distance for each unit of a weight's own gradient (`core.regularise.step_sizes`). In ``U Vᵀ`` each weight's
move hangs on the gradients of all the matrix, and its length on none: it is the steepest step under the
spectral norm, and that norm is no sum over weights. So no threshold for each weight balances it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import torch
from torch.optim import AdamW, Muon, Optimizer


class MuonAdamW(Optimizer):
    """Muon for the matrices of the first group, AdamW for its filters and for the other groups.

    Both are torch's; their states and groups are kept here, so that what reads or loads those of an
    optimiser finds all in one place.

    Args:
        params: groups with their ``weight_decay`` each, the network's weights first. Of the others a matrix,
            e.g. of positions, is no layer's and follows AdamW.
        momentum, nesterov: Muon's.
    """

    def __init__(
        self,
        params: Sequence[dict[str, Any]],
        lr: float = 1e-3,
        momentum: float = 0.95,
        nesterov: bool = True,
    ) -> None:
        first, *others = params
        matrices = [weight for weight in first["params"] if weight.ndim == 2]
        filters = [weight for weight in first["params"] if weight.ndim != 2]
        decay = first["weight_decay"]
        self._parts: list[tuple[Optimizer, int]] = []  # each with how many of the groups are its
        if matrices:
            of = {"weight_decay": decay, "momentum": momentum, "nesterov": nesterov}
            self._add(Muon(matrices, lr, adjust_lr_fn="match_rms_adamw", **of))
        if filters:
            others = [{"params": filters, "weight_decay": decay}, *others]
        if others:
            self._add(AdamW(others, lr, fused=True))
        super().__init__([group for part, _ in self._parts for group in part.param_groups], {})

    def _add(self, part: Optimizer) -> None:
        self._parts.append((part, len(part.param_groups)))

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move the weights that have a gradient."""
        assert closure is None
        groups = iter(self.param_groups)
        for part, count in self._parts:
            # Loading a state puts others in the place of both.
            part.param_groups, part.state = list(islice(groups, count)), self.state
            part.step()
