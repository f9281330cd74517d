"""Units of one network put into the order of another's, so that the mean of both is a network that works.

Weight matching, Ainsworth, Hayase & Srinivasa 2023, Git Re-Basin, arXiv 2209.04836, algorithm 1: layer after
layer the assignment that makes the weights most alike, given the others' order, until nothing is gained.
Units are those of `core.transform.units`; the numbers in an attention network's tokens stay as they are.
"""

from __future__ import annotations

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn

from core.transform.units import Units, units_of

MOST_ROUNDS = 100
LEAST = 1e-6  # of the likeness so far: a gain that is rounding


@torch.no_grad()
def match(model: nn.Module, to: nn.Module) -> int:
    """Permute the units of ``model``, in place, so that its weights are most like those of ``to``; it answers
    as before. Returns how many units were moved, in all rounds together."""
    moved = 0
    for _ in range(MOST_ROUNDS):
        now = 0
        for ours, theirs in zip(units_of(model), units_of(to), strict=True):
            order = _best_order(ours, theirs)
            if order is not None:
                now += int((order != torch.arange(len(order))).sum())
                ours.permute(order.to(next(model.parameters()).device))
        moved += now
        if not now:
            break
    return moved


def _best_order(ours: Units, theirs: Units) -> Tensor | None:
    """The order of our units that is most like theirs; None: none is better than that they have.

    A recurrent unit also hears and is heard by units of its own layer, which move with it: such an order is
    taken only if the weights are then more alike, looked at anew.
    """

    def whole(units: Units) -> Tensor:
        return torch.cat([units.incoming(lambda p: p), units.outgoing(lambda p: p)], 1).double().cpu()

    one, other = whole(ours), whole(theirs)
    likeness = other @ one.T  # (theirs, ours)
    _, order = linear_sum_assignment(likeness.numpy(), maximize=True)
    found = torch.from_numpy(order)
    before = float((one * other).sum())
    device = ours.incoming(lambda p: p).device
    ours.permute(found.to(device))
    gained = float((whole(ours) * other).sum()) - before
    ours.permute(found.argsort().to(device))
    return found if gained > LEAST * max(abs(before), 1e-30) else None
