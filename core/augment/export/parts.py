"""The functions of an exported script, which are copied into it as they stand here.

The names that a script gives their values are stand-ins here, for the type checker only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from core.augment.fast.fuse import apply
from core.randomness import derive

if TYPE_CHECKING:
    SEED, CHANNELS, SIDE, CHOOSE = 0, 3, 224, 1
    OPERATIONS: dict[str, Any] = {}
    GROUPS: list[list[str]] = []
    MIX_NAME = ""
    MIX: Any = None
    MIX_VALUES: dict[str, Any] = {}
    find_shares: Any = None


def draw(name: str, operation: Any, shape: torch.Size, step: int) -> Any:
    """What an operation will do to a batch at a step; torch's own random state is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derive(SEED, "augment", name, step))
        return operation.forward_parameters(shape)


def chosen(step: int) -> dict[str, Any]:
    """The operations that run at a step: `CHOOSE` of them, in their order."""
    generator = torch.Generator().manual_seed(derive(SEED, "augment", "choose", step))
    places = torch.randperm(len(OPERATIONS), generator=generator)[:CHOOSE].tolist()
    return {name: operation for i, (name, operation) in enumerate(OPERATIONS.items()) if i in places}


def run(parts: list[tuple[Any, Any]], images: Tensor) -> Tensor:
    """The images after operations with what was drawn for them: none, one, or several in one warp."""
    if len(parts) > 1:
        return apply(parts, images).clamp(0, 1)
    for operation, drawn in parts:
        images = operation(images, params=drawn).clamp(0, 1)
    return images


def mix(images: Tensor, labels: Tensor, num_classes: int, step: int) -> tuple[Tensor, Tensor]:
    """The images of a batch mixed with one another, and their labels (B,) as they are: (B, num_classes)."""
    drawn = draw(MIX_NAME, MIX, images.shape, step)
    # (B, K) each: which images of the batch, and how much of each
    sources, shares = find_shares(drawn, MIX_VALUES, images.shape[-1])
    alone = F.one_hot(torch.zeros_like(sources[:, 0]), sources.shape[1]).double()
    shares = torch.where(drawn["batch_prob"].unsqueeze(1) > 0.5, shares, alone).float()
    classes = F.one_hot(labels[sources.to(labels.device)], num_classes)  # (B, K, num_classes)
    targets = (classes * shares.to(labels.device).unsqueeze(2)).sum(1)
    return MIX(images, params=drawn).clamp(0, 1), targets


def load(path: str) -> Tensor:
    """An image file, upright, on white, its middle square: float (CHANNELS, SIDE, SIDE) in [0, 1]."""
    import numpy as np  # here, as augment() does without these two
    from PIL import Image, ImageOps

    image = Image.open(path)
    image.draft(None, (3 * SIDE, 3 * SIDE))  # a large JPEG is read at a scale near the one needed
    upright = ImageOps.exif_transpose(image).convert("RGBA")
    plain = Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright).convert("RGB")
    square = ImageOps.fit(plain.convert("L" if CHANNELS == 1 else "RGB"), (SIDE, SIDE))
    pixels = torch.from_numpy(np.array(square)).view(SIDE, SIDE, CHANNELS)
    return pixels.permute(2, 0, 1) / 255


def save(image: Tensor, path: str) -> None:
    """Write an image (CHANNELS, SIDE, SIDE) as PNG."""
    from PIL import Image

    pixels = image.mul(255).round().byte().permute(1, 2, 0)
    Image.fromarray(pixels.squeeze(2).numpy() if CHANNELS == 1 else pixels.numpy()).save(path)
