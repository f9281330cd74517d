"""What the first layer looks for, small enough to travel in an event every epoch."""

from __future__ import annotations

import base64
import math

import torch
from torch import Tensor, nn

from core.run.events import Event

MAX_FILTERS = 32
MAX_VALUES = 24_000  # 32 kB in base64: half of what an event may be


@torch.no_grad()
def first_filters(model: nn.Module, channels: int) -> Event | None:
    """The weights of the layer that ``model.filters`` names, each of its outputs as a little image.

    Args:
        channels: of the images; a dense layer's inputs are such an image if they make a square.

    Returns:
        ``{"layer", "of": how many there are, "shape": [N, C, K, K], "values"}``, the first N of them as
        int8 in base64: 127 is the largest |w| among them, and 0 is exactly 0.0 and nothing else. None if
        there is no such layer, as in a recurrent network, whose inputs are rows of pixels.
    """
    name: str = getattr(model, "filters", "")
    filters = _as_images(model.get_parameter(f"{name}.weight"), channels) if name else None
    if filters is None or not (count := min(len(filters), MAX_FILTERS, MAX_VALUES // filters[0].numel())):
        return None
    return {
        "layer": name,
        "of": len(filters),
        "shape": [count, *filters.shape[1:]],
        "values": base64.b64encode(_as_bytes(filters[:count]).cpu().numpy().tobytes()).decode("ascii"),
    }


def _as_images(weight: Tensor, channels: int) -> Tensor | None:
    if weight.ndim == 4:
        return weight  # (N, C, K, K)
    side = math.isqrt(weight.shape[1] // channels)
    return weight.unflatten(1, (channels, side, side)) if channels * side**2 == weight.shape[1] else None


def _as_bytes(filters: Tensor) -> Tensor:
    """(N, C, K, K) in [-127, 127] as int8; a weight that is not 0 is never rounded to 0, a NaN is 0."""
    scaled = filters.float() * (127 / filters.abs().max().float().clamp_min(1e-30))
    rounded = scaled.round().where(scaled.abs() >= 0.5, scaled.sign())
    return rounded.nan_to_num(0.0).clamp(-127, 127).to(torch.int8).contiguous()
