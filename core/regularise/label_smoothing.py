"""Label smoothing (Szegedy et al. 2015, arXiv 1512.00567, section 7): targets that are never quite sure."""

from __future__ import annotations

from core.regularise.regulariser import Regulariser


class LabelSmoothing(Regulariser):
    """Every target shares ε of itself out equally among all K classes: ``(1 - ε)·y + ε/K``.

    It changes the loss's targets and nothing else, so it is the loop that applies it, to mixed targets too.
    """

    def label_smoothing(self, strength: float) -> float:
        return strength
