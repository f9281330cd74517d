"""How good the network is, on images as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

if TYPE_CHECKING:
    model = nn.Module()
    mean, std = Tensor(), Tensor()

JUDGED_AT_ONCE = 512  # images


def normalised(images: Tensor) -> Tensor:
    """Images in [0, 1] as the network's input."""
    return ((images - mean) / std).contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def judge(images: Tensor, labels: Tensor) -> tuple[float, float]:
    """Of plain images (N, C, S, S), uint8: the mean cross-entropy in nats, and the share that is right."""
    model.eval()
    losses, correct = [], 0
    for part, truth in zip(images.split(JUDGED_AT_ONCE), labels.split(JUDGED_AT_ONCE), strict=True):
        logits = model(normalised(part.float().div_(255)))
        losses.append(F.cross_entropy(logits, truth, reduction="none").float())
        correct += int((logits.argmax(1) == truth).sum())
    return float(torch.cat(losses).double().mean()), correct / len(labels)
