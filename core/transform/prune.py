"""Pruning by magnitude, what regularised sparsity is compared with: the smallest weights go, by decree.

- Han et al. 2015, 1506.02626: a small weight matters little; set it to 0 and train the others on.
- Zhu & Gupta 2017, 1710.01878, eq. 1: not at once, but along a cubic that is steep while there is much
  to spare and flat when there is little.

The threshold is one for all layers together, as the accuracy is the network's and not a layer's.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


@torch.no_grad()
def smallest(weights: Sequence[Tensor], share: float) -> list[Tensor]:
    """For each of ``weights`` a mask of its shape: True where it is among the ``share``, in [0, 1], of all
    their numbers that are smallest in magnitude. Equals go together, so it may be a few more."""
    sizes = torch.cat([weight.abs().flatten() for weight in weights])
    count = round(share * len(sizes))
    if count == 0:
        return [torch.zeros_like(weight, dtype=torch.bool) for weight in weights]
    threshold = sizes.kthvalue(count).values
    return [weight.abs() <= threshold for weight in weights]


@torch.no_grad()
def prune_(weights: Sequence[Tensor], masks: Sequence[Tensor]) -> None:
    """Set ``weights`` to 0.0, in place, where their `smallest` masks say so."""
    for weight, mask in zip(weights, masks, strict=True):
        weight.masked_fill_(mask, 0.0)


def cubic(share: float, progress: float) -> float:
    """How much of the final ``share`` is pruned after ``progress``, in [0, 1], of the pruning."""
    return share * (1 - (1 - progress) ** 3)


class GradualPruning:
    """Prunes while a network trains, then keeps what is pruned at 0 to the end.

    Call `after_step` after each step of the optimiser, which may move pruned weights: its momentum does.

    Args:
        weights: those that may be pruned, of all layers.
        share: of their numbers, in [0, 1], that are 0 at the end.
        first: the step at which pruning starts, and ``last`` at which it has reached ``share``.
        every: steps from one threshold to the next; the paper found 100 to 1,000 to differ little.
    """

    def __init__(self, weights: Sequence[Tensor], share: float, *, first: int, last: int, every: int) -> None:
        assert first < last
        self.weights, self.share = weights, share
        self.first, self.last, self.every = first, last, every
        self.masks = smallest(weights, 0)

    def after_step(self, step: int) -> None:
        since, lasts = step - self.first, self.last - self.first
        if 0 <= since <= lasts and (since % self.every == 0 or since == lasts):
            self.masks = smallest(self.weights, cubic(self.share, since / lasts))
        prune_(self.weights, self.masks)
