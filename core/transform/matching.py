"""Units of one network put into the order of another's, so that the mean of both is a network that works.

By what they answer: each unit stands where that unit of the other network stood whose answers on some images
go most with its own, by their correlation (Li et al. 2016, Convergent learning, arXiv 1511.07543; Ainsworth,
Hayase & Srinivasa 2023, Git Re-Basin, arXiv 2209.04836, section 3.1). By their weights: layer after layer the
assignment that makes the weights most alike, given the others' order, until nothing is gained (the same,
algorithm 1); so attention heads are matched, each of which answers with several numbers. The numbers in an
attention network's tokens stay as they are.
"""

from __future__ import annotations

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn

from core.transform.units import Units, units_of

MOST_ROUNDS = 100
LEAST = 1e-6  # of the likeness so far: a gain that is rounding
CONSTANT = 1e-12  # of a unit's squares: what varies less does not vary
ASKED = 64  # images at a time: of large ones the first layers answer with gigabytes


@torch.no_grad()
def match(model: nn.Module, to: nn.Module, images: Tensor | None = None) -> int:
    """Permute the units of ``model``, in place, so that they are most like those of ``to``; it answers as
    before. Returns how many units were moved, in all rounds together.

    Args:
        images: that both are asked about, as they take them, (N, C, S, S); None: match by weights alone.
    """
    moved = 0 if images is None else _match_answers(model, to, images)
    heads = images is not None  # all else stands as its answers say
    return moved + _match_weights(model, to, heads_alone=heads)


def _match_answers(model: nn.Module, to: nn.Module, images: Tensor) -> int:
    moved = 0
    ours, theirs = units_of(model), units_of(to)
    known = [_Together() for _ in ours]
    for part in images.split(ASKED):
        told, wanted = _answers(model, ours, part), _answers(to, theirs, part)
        for together, own, other in zip(known, told, wanted, strict=True):
            if own is not None and other is not None:
                together.add(other, own)
    for units, together in zip(ours, known, strict=True):
        if not together.count:
            continue
        _, order = linear_sum_assignment(together.likeness().cpu().numpy(), maximize=True)
        found = torch.from_numpy(order)
        moved += int((found != torch.arange(len(found))).sum())
        units.permute(found.to(images.device))
    return moved


def _answers(model: nn.Module, units: list[Units], images: Tensor) -> list[Tensor | None]:
    """What the units say to their listeners, (samples, count) each."""
    heard: dict[nn.Module, Tensor] = {}

    def listen(module: nn.Module, said: tuple[Tensor, ...]) -> None:
        heard[module] = said[0].detach()

    handles = [each.register_forward_pre_hook(listen) for each in {one.listener for one in units}]
    model.eval()(images)
    for handle in handles:
        handle.remove()
    return [None if one.heard is None else one.heard(heard[one.listener]).double() for one in units]


class _Together:
    """Sums over samples from which the correlation of two networks' units follows."""

    def __init__(self) -> None:
        self.count = 0
        self.sums: list[Tensor] = []

    def add(self, theirs: Tensor, ours: Tensor) -> None:
        """Take in answers to the same samples, float64 (samples, units) each."""
        sums = [theirs.sum(0), ours.sum(0), theirs.square().sum(0), ours.square().sum(0), theirs.T @ ours]
        self.sums = [a + b for a, b in zip(self.sums, sums, strict=True)] if self.count else sums
        self.count += len(ours)

    def likeness(self) -> Tensor:
        """The correlation (theirs, ours), in [-1, 1]; a unit that always says the same is like none."""
        theirs, ours, theirs_squared, ours_squared, products = self.sums
        one = _inverse_spread(theirs, theirs_squared, self.count)
        other = _inverse_spread(ours, ours_squared, self.count)
        return (products - theirs[:, None] * ours / self.count) * one[:, None] * other


def _inverse_spread(total: Tensor, squared: Tensor, count: int) -> Tensor:
    """1 over the length of what is apart from the mean; 0 where that is rounding."""
    spread = squared - total.square() / count
    return torch.where(spread > CONSTANT * squared, spread, torch.inf).rsqrt()


def _match_weights(model: nn.Module, to: nn.Module, *, heads_alone: bool) -> int:
    moved = 0
    for _ in range(MOST_ROUNDS):
        now = 0
        for ours, theirs in zip(units_of(model), units_of(to), strict=True):
            if heads_alone and ours.heard is not None:
                continue
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
