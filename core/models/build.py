"""From a `ModelSpec` to a network: checked and counted first, then built from its own seed."""

from __future__ import annotations

import torch
from torch import nn

from core.catalogue import imported
from core.models.catalogue import ARCHITECTURES
from core.models.check import completed_model
from core.randomness import derive, private_draws
from core.run.spec import ModelSpec


def build_model(spec: ModelSpec, *, channels: int, side: int, num_classes: int, seed: int) -> nn.Module:
    """The network, on the CPU, in training mode: normalised (B, C, S, S) to logits (B, num_classes).

    The same ``seed`` gives the same weights bit for bit; torch's global generator is left alone.

    Raises:
        SpecError: as `completed_model`.
    """
    spec = completed_model(spec, channels=channels, side=side, num_classes=num_classes)
    with private_draws(derive(seed, "weights")):
        return _made(spec, channels, side, num_classes)


def shape_of_model(spec: ModelSpec, *, channels: int, side: int, num_classes: int) -> nn.Module:
    """The network on torch's meta device: it has shapes but no numbers, so it takes no memory.

    Raises:
        SpecError: as `completed_model`.
    """
    spec = completed_model(spec, channels=channels, side=side, num_classes=num_classes)
    with torch.device("meta"):
        return _made(spec, channels, side, num_classes)


def count_parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def _made(spec: ModelSpec, channels: int, side: int, num_classes: int) -> nn.Module:
    model: nn.Module = imported(ARCHITECTURES[spec.arch].makes)(channels, side, num_classes, **spec.params)
    return model
