"""A dozen validation images that stay the same all run long, and what the network says of them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from core.data.dataset import Dataset
from core.run.figures import Answers, Strip
from core.train.evaluation import Judgement
from core.train.sprite import sprite

IMAGES = 12
SHOWN_SIDE = 48  # pixels; larger images are made as small, so that the dozen fits into an event


def strip_places(labels: Tensor) -> Tensor:
    """Which `IMAGES` of the validation images are shown: the first of each class, then the second of each,
    and so on; all if there are no more.

    Args:
        labels: (N,) of all of them. The split has put them in a random order.
    """
    labels = labels.cpu()
    turn = torch.empty_like(labels)
    for label in labels.unique():
        of_class = labels == label
        turn[of_class] = torch.arange(int(of_class.sum()))
    order = (turn * (labels.max() + 1) + labels).argsort(stable=True) if len(labels) else labels
    return order[:IMAGES]


def strip(validation: Dataset[Tensor]) -> Strip:
    """The images themselves, and what they are."""
    places = strip_places(validation.labels).to(validation.labels.device)
    images = validation.images[places].cpu()
    if validation.side > SHOWN_SIDE:
        small = F.interpolate(images.float(), (SHOWN_SIDE, SHOWN_SIDE), mode="area")
        images = small.round().to(torch.uint8)
    return {"images": sprite(images), "labels": validation.labels[places].tolist()}


def answers(validation: Dataset[Tensor], judged: Judgement) -> Answers:
    """What the network names each of them, and how sure it is."""
    places = strip_places(validation.labels).to(judged.answers.device)
    return {
        "answers": judged.answers[places].tolist(),
        "confidence": [round(share, 4) for share in judged.confidence[places].tolist()],
    }
