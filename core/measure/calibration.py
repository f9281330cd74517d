"""Whether a network is as sure as it is right."""

from __future__ import annotations

from torch import Tensor

BINS = 15


def calibration_error(confidence: Tensor, correct: Tensor, bins: int = BINS) -> float:
    """The expected calibration error (Naeini et al. 2015; Guo et al. 2017, arXiv 1706.04599): in equally wide
    bins of the confidence the mean difference between it and the accuracy, weighted by how many images lie
    there.

    Args:
        confidence: (N,) the probability of the answer, in [0, 1].
        correct: (N,) bool.
    """
    place = (confidence.double() * bins).ceil().long().clamp(1, bins) - 1  # (low, high], as the paper has it
    error = 0.0
    for i in range(bins):
        inside = place == i
        if inside.any():
            apart = confidence[inside].double().mean() - correct[inside].double().mean()
            error += float(inside.double().mean() * apart.abs())
    return error
