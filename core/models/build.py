"""From a `ModelSpec` to a network: checked and counted first, then built from its own seed."""

from __future__ import annotations

import torch
from torch import nn

from core.catalogue import completed_params, look_up
from core.models.catalogue import ARCHITECTURES
from core.randomness import derive, private_draws
from core.run.errors import SpecError
from core.run.spec import MAX_PARAMETERS, ModelSpec


def completed_model(spec: ModelSpec, *, channels: int, side: int, num_classes: int) -> ModelSpec:
    """``spec`` with its defaults filled in, known to fit images (channels, side, side).

    Raises:
        SpecError: an unknown architecture or parameter, a value out of bounds or one that does not
            fit these images, or more than `MAX_PARAMETERS` parameters.
    """
    entry = look_up(ARCHITECTURES, spec.arch, "model.arch", "architecture")
    params = completed_params(entry, spec.params, "model.params")
    with torch.device("meta"):  # shapes only: nothing is allocated and nothing is drawn
        model = entry.build(channels, side, num_classes, **params)
    count = count_parameters(model)
    if count > MAX_PARAMETERS:
        raise SpecError(
            "model.params",
            f"this network would have {count:,} parameters; at most {MAX_PARAMETERS:,} are allowed: "
            "make it narrower or less deep.",
        )
    # Lists, as JSON has no tuples: a spec equals what its own JSON reads back as.
    listed = {name: list(v) if isinstance(v, tuple) else v for name, v in params.items()}
    return spec.model_copy(update={"params": listed})


def build_model(spec: ModelSpec, *, channels: int, side: int, num_classes: int, seed: int) -> nn.Module:
    """The network, on the CPU, in training mode: normalised (B, C, S, S) to logits (B, num_classes).

    The same ``seed`` gives the same weights bit for bit; torch's global generator is left alone.

    Raises:
        SpecError: as `check`.
    """
    spec = completed_model(spec, channels=channels, side=side, num_classes=num_classes)
    with private_draws(derive(seed, "weights")):
        return ARCHITECTURES[spec.arch].build(channels, side, num_classes, **spec.params)


def count_parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())
