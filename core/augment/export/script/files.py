"""Image files, read and written with Pillow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    CHANNELS, SIDE = 3, 224


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
