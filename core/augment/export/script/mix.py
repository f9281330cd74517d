"""The images of a batch mixed with one another, and their labels alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from core.augment.export.script.draw import draw

if TYPE_CHECKING:
    MIX_NAME = ""
    MIX: Any = None
    find_shares: Any = None


def mix(images: Tensor, labels: Tensor, num_classes: int, step: int) -> tuple[Tensor, Tensor]:
    """The images mixed, and their labels (B,) as they are then: (B, num_classes)."""
    drawn = draw(MIX_NAME, MIX, images.shape, step)
    # (B, K) each: which images of the batch, and how much of each
    sources, shares = find_shares(MIX, drawn, images.shape[-1])
    alone = F.one_hot(torch.zeros_like(sources[:, 0]), sources.shape[1]).double()
    shares = torch.where(drawn["batch_prob"].unsqueeze(1) > 0.5, shares, alone).float()
    classes = F.one_hot(labels[sources.to(labels.device)], num_classes)  # (B, K, num_classes)
    targets = (classes * shares.to(labels.device).unsqueeze(2)).sum(1)
    return MIX(images, params=drawn).clamp(0, 1), targets
