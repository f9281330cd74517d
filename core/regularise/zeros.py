"""What holds weights at exactly zero while the others are trained: a mask, laid on after every step.

An optimiser's momentum and moments would move them otherwise, whatever their gradient.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from core.regularise.regulariser import Regulariser


@torch.no_grad()
def smallest(weights: Sequence[Tensor], share: float, *, zeros_together: bool = True) -> list[Tensor]:
    """For each of ``weights`` a mask of its shape: True where it is among the ``share``, in [0, 1], of all
    their numbers that are smallest in magnitude. Of equals the first go, but ``zeros_together`` all, as none
    of them is there any more."""
    sizes = torch.cat([weight.abs().flatten() for weight in weights])
    count = round(share * len(sizes))
    if count == 0:
        return [torch.zeros_like(weight, dtype=torch.bool) for weight in weights]
    threshold = sizes.kthvalue(count).values
    goes = sizes <= threshold
    exact = threshold > 0 or not zeros_together
    if exact and (over := int(goes.sum()) - count):  # of those that are as large, the last stay
        goes[(sizes == threshold).nonzero().flatten()[-over:]] = False
    parts = goes.split([weight.numel() for weight in weights])
    return [part.view(weight.shape) for part, weight in zip(parts, weights, strict=True)]


@torch.no_grad()
def lay_(weights: Iterable[Tensor], masks: Iterable[Tensor]) -> None:
    """Set ``weights`` to 0.0, in place, where their masks say so."""
    for weight, mask in zip(weights, masks, strict=True):
        weight.masked_fill_(mask, 0.0)


class Held(Regulariser):
    """Holds weights at zero by ``masks``, one a weight; a kind says which."""

    def __init__(self, model: nn.Module, params: Mapping[str, Any]) -> None:
        super().__init__(model, params)
        self.masks: list[Tensor] = []

    def after_step(self, optimiser: Optimizer, strength: float) -> None:
        lay_(self.weights, self.masks)

    @contextmanager
    def averaged(self) -> Iterator[bool]:
        """A mean remembers what was there before; whoever put it into the network takes it out again."""
        if self.masks:
            lay_(self.weights, self.masks)
        yield False

    def state(self) -> dict[str, Tensor]:
        return {f"mask.{i}": mask for i, mask in enumerate(self.masks)}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        found = [state[f"mask.{i}"] for i in range(len(self.weights)) if f"mask.{i}" in state]
        if found and [mask.shape for mask in found] != [weight.shape for weight in self.weights]:
            raise ValueError("masks of another network")
        self.masks = [mask.to(torch.bool) for mask in found]


class HoldZeros(Held):
    """What is exactly 0 when training begins stays 0."""

    def begin_step(self, seed: int, step: int) -> None:
        if not self.masks:
            self.masks = [weight.detach() == 0 for weight in self.weights]


class Pruning(Held):
    """The smallest weights go while the network trains (Han et al. 2015, arXiv 1506.02626), along a cubic
    (Zhu & Gupta 2017, arXiv 1710.01878, eq. 1): steep while there is much to spare and flat when there is
    little. The strength is the share that is 0 now, of all layers together or of each.

    What has gone is the smallest the next time, so it stays away. Masks are drawn anew when `FINE` of
    what is left would go, or the share rises no more.
    """

    FINE = 0.02

    def __init__(self, model: nn.Module, params: Mapping[str, Any]) -> None:
        super().__init__(model, params)
        self.drawn_at = self.last = 0.0  # the share then, and that of the last step

    def after_step(self, optimiser: Optimizer, strength: float) -> None:
        settled = strength == self.last != self.drawn_at
        if settled or abs(strength - self.drawn_at) >= self.FINE * (1 - self.drawn_at):
            self._draw(strength)
        self.last = strength
        if self.masks:
            lay_(self.weights, self.masks)

    def epoch_trained(self, share: float) -> None:
        """What is judged has as many zeros as the strength of the epoch's last step asks for."""
        if self.last != self.drawn_at:
            self._draw(self.last)
            lay_(self.weights, self.masks)

    def _draw(self, strength: float) -> None:
        apart = self.params["threshold"] == "layer"
        parts = [[weight] for weight in self.weights] if apart else [self.weights]
        self.masks = [mask for part in parts for mask in smallest(part, strength)]
        self.drawn_at = strength

    def state(self) -> dict[str, Tensor]:
        at = torch.tensor([self.drawn_at, self.last], dtype=torch.float64)
        return {**super().state(), "at": at}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        super().load_state(state)
        self.drawn_at, self.last = state["at"].tolist()
