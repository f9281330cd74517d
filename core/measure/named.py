"""Which classes a network takes for which, counted where its answers are."""

from __future__ import annotations

import torch
from torch import Tensor

MOST_CLASSES = 30  # of more an event would be long, and nobody could read the matrix


def named(labels: Tensor, answers: Tensor, num_classes: int) -> list[list[int]] | None:
    """How many images of each class (a row) were named what (a column), in the classes' own order; None for
    more than `MOST_CLASSES`.

    Args:
        labels, answers: (N,) classes.
    """
    if num_classes > MOST_CLASSES:
        return None
    pairs = (labels * num_classes + answers).cpu()
    return torch.bincount(pairs, minlength=num_classes**2).view(num_classes, num_classes).tolist()
