"""Kornia's operations that want three channels, on grey images too."""

from __future__ import annotations

from typing import Any

import kornia.augmentation as K
from torch import Tensor


class OnGrey:
    """Gives an operation a grey image as three equal channels, and takes one of them back."""

    def apply_transform(
        self, input: Tensor, params: dict[str, Tensor], flags: dict[str, Any], transform: Tensor | None = None
    ) -> Tensor:
        channels = input.shape[1]
        colour = input.expand(-1, 3, -1, -1)
        after: Tensor = super().apply_transform(colour, params, flags, transform)  # type: ignore[misc]
        return after[:, :channels]


class JPEG(OnGrey, K.RandomJPEG):
    """Kornia's, on grey images too."""


class Snow(OnGrey, K.RandomSnow):
    """Kornia's, on grey images too."""
