"""Square images cut to another size or put on a larger canvas, and brought back to their own size."""

from __future__ import annotations

from typing import Any

import kornia.augmentation as K
import torch
from kornia.constants import Resample
from torch import Tensor
from torch.nn.functional import interpolate


def resized(images: Tensor, side: int, resample: Resample) -> Tensor:
    """Square images (B, C, S, S) at another size. What shrinks is smoothed first, unless pixels are picked.

    Pixels are areas, as `align_corners=False` has it: the outer edges of the image stay where they are.
    """
    if resample == Resample.NEAREST:
        return interpolate(images, (side, side), mode="nearest-exact")
    return interpolate(images, (side, side), mode="bilinear", antialias=side < images.shape[-1])


def _scaling(images: Tensor, factor: float, start: float) -> Tensor:
    """Matrices (B, 3, 3) that scale pixel coordinates, and take the edge at ``start`` to the image's own."""
    matrix = torch.eye(3, device=images.device, dtype=images.dtype)
    matrix[0, 0] = matrix[1, 1] = factor
    # A pixel's centre lies half a pixel from its edge.
    matrix[0, 2] = matrix[1, 2] = factor * (0.5 - start) - 0.5
    return matrix.expand(len(images), 3, 3)


class EnlargedCrop(K.CenterCrop):
    """The middle ``size`` × ``size`` pixels, enlarged to the whole image."""

    def __init__(self, size: int, resample: str, p: float) -> None:
        super().__init__(size, resample=resample)
        self.p, self.same_on_batch = p, False

    def compute_transformation(
        self, input: Tensor, params: dict[str, Tensor], flags: dict[str, Any]
    ) -> Tensor:
        size, side = self.size[0], input.shape[-1]
        return _scaling(input, side / size, (side - size) // 2)

    def apply_transform(
        self, input: Tensor, params: dict[str, Tensor], flags: dict[str, Any], transform: Tensor | None = None
    ) -> Tensor:
        cropped = super().apply_transform(input, params, flags, transform)
        return resized(cropped, input.shape[-1], flags["resample"])


class ShrunkPad(K.PadTo):
    """The image on a larger canvas of ``size`` × ``size`` pixels, at its top left, shrunk to its own size."""

    def __init__(self, size: int, pad_mode: str, pad_value: float, p: float) -> None:
        # Only "constant" has a value; torch refuses another one for the rest.
        super().__init__((size, size), pad_mode, pad_value if pad_mode == "constant" else 0.0)
        self.p, self.same_on_batch = p, False
        self.flags["resample"] = Resample.BILINEAR

    def compute_transformation(
        self, input: Tensor, params: dict[str, Tensor], flags: dict[str, Any]
    ) -> Tensor:
        return _scaling(input, input.shape[-1] / flags["size"][0], 0)

    def apply_transform(
        self, input: Tensor, params: dict[str, Tensor], flags: dict[str, Any], transform: Tensor | None = None
    ) -> Tensor:
        padded = super().apply_transform(input, params, flags, transform)
        return resized(padded, input.shape[-1], flags["resample"])


class LowResolution(K.Resize):
    """The image made of ``size`` × ``size`` pixels, enlarged to its own size; nothing in it moves."""

    def __init__(self, size: int, resample: str, antialias: bool, p: float) -> None:
        super().__init__((size, size), resample=resample, align_corners=False, antialias=antialias)
        self.p, self.same_on_batch = p, False

    def compute_transformation(
        self, input: Tensor, params: dict[str, Tensor], flags: dict[str, Any]
    ) -> Tensor:
        return self.identity_matrix(input)

    def apply_transform(
        self, input: Tensor, params: dict[str, Tensor], flags: dict[str, Any], transform: Tensor | None = None
    ) -> Tensor:
        # Kornia's smoothing is a Gaussian blur of its own, ten times slower than the one built in here.
        small = interpolate(input, flags["size"], mode="bilinear", antialias=flags["antialias"])
        return resized(small, input.shape[-1], flags["resample"])

    def apply_transform_mask(
        self, input: Tensor, params: dict[str, Tensor], flags: dict[str, Any], transform: Tensor | None = None
    ) -> Tensor:
        return input
