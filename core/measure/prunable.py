"""The prunable share: how many of the smallest weights a network can do without.

It asks for nothing but accuracy, so it compares networks of any regulariser: few weights of an L2 network
are zero, yet many may be prunable. Han et al., 1506.02626, prune so; the bound of half a point is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from core.measure.concentration import magnitudes

POINTS = 0.5  # of validation accuracy
EVALUATIONS = 7  # the answer is off by less than 1/128 of the weights that are not zero yet


@torch.no_grad()
def prunable(
    weights: Sequence[Tensor],
    evaluate: Callable[[float], float],
    *,
    points: float = POINTS,
    accuracy: float | None = None,
) -> dict[str, float]:
    """The largest share of weights, the smallest of all layers together, that can be set to zero for at
    most ``points`` points of accuracy lost.

    Found by bisection, which takes for granted that more zeros never help. Accuracy is not quite that
    smooth, so a larger share may exist that would pass too; that the answer passes is certain.

    Args:
        weights: changed while this runs, and put back to the last bit, whatever happens.
        evaluate: given the least accuracy in [0, 1] that would do, that of the network with the weights
            as they are; if it is less, any number below will do. Called 7 times at most.
        accuracy: of the network as it is; None: it is evaluated first.

    Returns:
        ``{"share", "accuracy", "cutoff"}``: of the weights, in [0, 1], with so many zeros, and the largest
        |w| among them. Zeros that are there already count, so the share is at least theirs.
    """
    whole = evaluate(0.0) if accuracy is None else accuracy
    least = whole - points / 100 - 1e-9  # a tenth of an image at most is rounding
    rising = magnitudes(weights)
    kept = [weight.clone() for weight in weights]
    zeros = len(rising) - int((rising > 0).sum())
    best = {"share": zeros / len(rising), "accuracy": whole, "cutoff": 0.0}
    low, high = zeros, len(rising)
    try:
        for _ in range(EVALUATIONS):
            middle = (low + high + 1) // 2
            if middle == low:
                break
            cutoff = float(rising[middle - 1])
            for weight, original in zip(weights, kept, strict=True):
                weight.copy_(original.masked_fill(original.abs() <= cutoff, 0.0))
            now = evaluate(least)
            if now < least:
                high = middle - 1
                continue
            low = int(rising.searchsorted(cutoff, side="right"))  # equals go together
            best = {"share": low / len(rising), "accuracy": now, "cutoff": cutoff}
    finally:
        for weight, original in zip(weights, kept, strict=True):
            weight.copy_(original)
    return best
