"""Tiles in a random order, for images of any side."""

from __future__ import annotations

from typing import Any

import kornia.augmentation as K
from torch import Tensor


class Jigsaw(K.RandomJigsaw):
    """Kornia's, also where the grid does not divide the side: what is left over stays as a border."""

    def forward(self, images: Tensor, params: dict[str, Tensor]) -> Tensor:  # type: ignore[override]
        side = images.shape[-1]
        over = side % self.flags["grid"][0]
        inside = slice(over // 2, over // 2 + side - over)
        after = images.clone()
        tiled: Any = super().forward(images[..., inside, inside], params=params)
        after[..., inside, inside] = tiled
        return after
