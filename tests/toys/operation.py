"""Every value times one number."""

from __future__ import annotations

from typing import Any

import kornia.augmentation as K
from torch import Tensor


class ToyOperation(K.IntensityAugmentationBase2D):
    """Images as dark as ``share`` says."""

    def __init__(self, share: float = 0.5, p: float = 0.5) -> None:
        super().__init__(p=p)
        self.flags = {"share": share}

    def apply_transform(
        self, input: Tensor, params: dict[str, Tensor], flags: dict[str, Any], transform: Tensor | None = None
    ) -> Tensor:
        return input * flags["share"]
