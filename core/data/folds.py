"""Cross-validation: the training side in k parts, each of which is judged once by a network that was trained
on the others. What was kept for validation is then kept out of all of it: a test part."""

from __future__ import annotations

import torch
from torch import Tensor

from core.run.errors import SpecError


def folds_of(order: Tensor, labels: Tensor, groups: Tensor, folds: int) -> Tensor:
    """The fold (N,) of each image along ``order`` (N,), from 0: of each class in equal shares, and of equal
    size but for one, both counted in groups; copies of an image, which share a group, lie in one fold.

    Args:
        labels, groups: of the whole dataset, by place.

    Raises:
        SpecError: a class has fewer groups than there are folds.
    """
    found = torch.full((int(groups.max()) + 1,), -1)
    following = 0  # where the class before has left off, so that the first folds don't get one more of each
    for label in range(int(labels.max()) + 1):
        theirs = groups[order[labels[order] == label]].unique_consecutive()
        new = list(dict.fromkeys(group for group in theirs.tolist() if found[group] < 0))
        if 0 < len(new) < folds:
            what = f"a class has only {len(new)} different images to train on; {folds} folds need {folds}."
            raise SpecError("data.folds", what, "too_large", {"value": folds, "le": len(new)})
        for group in new:
            found[group] = following
            following = (following + 1) % folds
    return found[groups[order]]
