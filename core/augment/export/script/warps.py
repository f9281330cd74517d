"""Operations that share a warp run as one."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from core.augment.fast.fuse import apply


def run(parts: list[tuple[Any, Any]], images: Tensor) -> Tensor:
    """The images after operations with what was drawn for them: none, one, or several in one warp."""
    if len(parts) > 1:
        return apply(parts, images).clamp(0, 1)
    for operation, drawn in parts:
        images = operation(images, params=drawn).clamp(0, 1)
    return images
