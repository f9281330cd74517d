"""Label smoothing (Szegedy et al. 2015, arXiv 1512.00567, section 7): targets that are never quite sure."""

from __future__ import annotations

import math

from core.regularise.regulariser import Regulariser


class LabelSmoothing(Regulariser):
    """Every target shares ε of itself out equally among all K classes: ``(1 - ε)·y + ε/K``.

    It changes the loss's targets and nothing else, so it is the loop that applies it, to mixed targets
    too: `Regularisation.label_smoothing` says how much.
    """


def smallest_loss(smoothing: float, num_classes: int) -> float:
    """The cross-entropy in nats that the best possible network has against smoothed labels: their entropy."""
    other = smoothing / num_classes
    shares = [1 - smoothing + other, *[other] * (num_classes - 1)]
    return -sum(share * math.log(share) for share in shares if share)
