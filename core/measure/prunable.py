"""The prunable share: how many of the smallest weights a network can do without.

It compares networks of any regulariser: few weights of an L2 network are zero, yet many may be prunable.
Han et al., 1506.02626, prune so. The bound is ours: the mean probability that the network gives to the right
class may fall by 2 points. Accuracy would be a poor guide: half a point of 1,000 images is five images, and
which share passes is then luck. A mean probability moves a little with every image.

The same images are judged with and without the weights, so the fall is a mean of differences, one an image,
and has a standard error. The interval holds the shares whose fall differs from 2 points by at most 1.96 of
them: a test of each share at 5 %, turned round (Fieller 1954 does so for a ratio).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from core.measure.concentration import magnitudes

POINTS = 2.0  # of the mean probability of the right class
EVALUATIONS = 7  # a bisection ends within 1/128 of the weights that are not zero yet
ERRORS = 1.96  # standard errors: 95 % of a normal distribution lie within

Judged = tuple[Tensor, Tensor]  # losses (N,), cross-entropy in nats, and whether each image is right (N,)


@dataclass(frozen=True, slots=True)
class _Look:
    """What ``zeros`` zeros, all weights up to ``cutoff``, do to the images.

    Args:
        fall: mean probability of the right class that is lost, and ``error``, its standard error.
    """

    zeros: int
    cutoff: float
    fall: float
    error: float
    accuracy: float

    def excess(self, errors: float) -> float:
        """By how much the fall, and so many standard errors, is more than allowed."""
        return self.fall + errors * self.error - POINTS / 100


@torch.no_grad()
def prunable(weights: Sequence[Tensor], evaluate: Callable[[], Judged], whole: Judged) -> dict[str, float]:
    """A share of weights, the smallest of all layers together, that can be set to zero while the mean
    probability of the right class falls by at most `POINTS` points.

    Found by bisection, which takes for granted that more zeros never help. That the share passes is certain;
    a larger one may exist that would pass too.

    Args:
        weights: changed while this runs, and put back to the last bit, whatever happens.
        evaluate: judges the same images in the same order with the weights as they then are. Called 8 times
            where the interval is narrow and 13 where it is wide, as a rule; 21 times at most.
        whole: the judgement with the weights as they are now.

    Returns:
        ``{"share", "low", "high", "accuracy", "cutoff"}``: the share of the weights, in [0, 1]; the ends of
        its 95 % interval, for other images of the same sort; the accuracy with so many zeros; the largest
        |w| among them. Zeros that are there already count, so the share is at least theirs.
    """
    rising = magnitudes(weights)
    kept = [weight.clone() for weight in weights]
    before = whole[0].double().neg().exp()
    zeros = len(rising) - int((rising > 0).sum())
    none = _Look(zeros, 0.0, 0.0, 0.0, _share(whole[1]))
    looks: dict[float, _Look] = {}

    def look(cutoff: float) -> _Look:
        if cutoff not in looks:
            for weight, original in zip(weights, kept, strict=True):
                weight.copy_(original.masked_fill(original.abs() <= cutoff, 0.0))
            losses, correct = evaluate()
            falls = before - losses.double().neg().exp()
            error = float(falls.std(correction=0)) / math.sqrt(len(falls))
            count = int(rising.searchsorted(cutoff, side="right"))  # equals go together
            looks[cutoff] = _Look(count, cutoff, float(falls.mean()), error, _share(correct))
        return looks[cutoff]

    def bisect(errors: float) -> tuple[_Look, _Look | None]:
        """The most zeros found to pass, and the fewest found to fail; None: none did."""
        passes, fails, low, high = none, None, zeros, len(rising)
        for _ in range(EVALUATIONS):
            middle = (low + high + 1) // 2
            if middle == low:
                break
            seen = look(float(rising[middle - 1]))
            if seen.excess(errors) > 0:
                fails, high = seen, middle - 1
            else:
                passes, low = seen, seen.zeros
        return passes, fails

    def end(errors: float) -> float:
        """Where fall and errors are what is allowed: on the line between the two nearest looks."""
        passes, fails = bisect(errors)
        if fails is None:
            return len(rising)
        room, more = -passes.excess(errors), fails.excess(errors)
        return passes.zeros + (fails.zeros - passes.zeros) * room / (room + more)

    try:
        best, _ = bisect(0.0)
        low, high = end(ERRORS), end(-ERRORS)
    finally:
        for weight, original in zip(weights, kept, strict=True):
            weight.copy_(original)
    return {
        "share": best.zeros / len(rising),
        "low": min(low, best.zeros) / len(rising),
        "high": max(high, best.zeros) / len(rising),
        "accuracy": best.accuracy,
        "cutoff": best.cutoff,
    }


def _share(correct: Tensor) -> float:
    return int(correct.sum()) / len(correct)
