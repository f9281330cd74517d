"""A few images of a batch as one small picture that fits into an event."""

from __future__ import annotations

import base64
import io

import torch
from PIL import Image


def sprite(images: torch.Tensor) -> str:
    """uint8 images (N, C, H, W) side by side as one PNG of N·W by H pixels, in base64."""
    num_images, channels, height, width = images.shape
    row = images.permute(2, 0, 3, 1).reshape(height, num_images * width, channels)  # (H, N·W, C)
    picture = Image.fromarray(row.squeeze(2).numpy() if channels == 1 else row.numpy())
    content = io.BytesIO()
    picture.save(content, "PNG", compress_level=1)
    return base64.b64encode(content.getvalue()).decode("ascii")
