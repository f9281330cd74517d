"""Some of Kornia's operations, applied faster and to the same numbers, bit for bit.

Where Kornia picks with `torch.where` or indexing, these multiply by 0 and 1 and add: a CPU does that in
vectors, and finite values stay exact. The warps are those of `core.augment.fast.affine`. docs/LOG.md says how
much faster each is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import kornia.augmentation as K
import torch
from kornia.augmentation import AugmentationBase2D
from torch import Tensor

from core.augment.entry import Drawn
from core.augment.fast.affine import warp_affine
from core.augment.fast.fuse import reading_of
from core.augment.fast.matrices import affine_matrices, warp_moved

Fast = Callable[[Any, Tensor, Drawn], Tensor]
"""What a module does to images (B, C, H, W) with what it drew: a new tensor, not cut off at 0 and 1."""


def fired(drawn: Drawn, images: Tensor) -> Tensor:
    """1 for each image that the operation runs on, and 0 for the others: (B, 1, 1, 1)."""
    return (drawn["batch_prob"] > 0.5).view(-1, 1, 1, 1).to(images)


def _flip(dim: int) -> Fast:
    return lambda module, images, drawn: images.lerp(images.flip(dim), fired(drawn, images))


def _erase(module: K.RandomErasing, images: Tensor, drawn: Drawn) -> Tensor:
    left, top, width, height, value = (
        drawn[key].view(-1, 1, 1, 1).to(images) for key in ("xs", "ys", "widths", "heights", "values")
    )
    x = torch.arange(images.shape[3], device=images.device)
    y = torch.arange(images.shape[2], device=images.device).view(-1, 1)
    across = ((x >= left) & (x <= left + width - 1)).to(images)  # (B, 1, 1, W)
    down = ((y >= top) & (y <= top + height - 1)).to(images)  # (B, 1, H, 1)
    return images.lerp(value, across * fired(drawn, images) * down)


def _salt_and_pepper(module: K.RandomSaltAndPepperNoise, images: Tensor, drawn: Drawn) -> Tensor:
    # Kornia draws the same masks for every channel, and where both are set pepper wins.
    salt, pepper = (drawn[key][:, :1].to(images.device) for key in ("mask_salt", "mask_pepper"))
    changed = (salt | pepper) * fired(drawn, images)  # (B, 1, H, W)
    return images.lerp((salt & ~pepper).to(images), changed)


def _brighten(module: K.RandomBrightness, images: Tensor, drawn: Drawn) -> Tensor:
    return images + (drawn["brightness_factor"].view(-1, 1, 1, 1).to(images) - 1) * fired(drawn, images)


def _contrast(module: K.RandomContrast, images: Tensor, drawn: Drawn) -> Tensor:
    factor = drawn["contrast_factor"].view(-1, 1, 1, 1).to(images)
    return images * torch.ones_like(factor).lerp(factor, fired(drawn, images))


def _crop(module: K.RandomCrop, images: Tensor, drawn: Drawn) -> Tensor:
    """For a crop of the images' own size out of padded ones, and p = 1: the catalogue's."""
    height, width = images.shape[2:]
    padded = module.precrop_padding(images)
    corners = drawn["src"][:, 0].long().tolist()
    return torch.stack(
        [image[:, y : y + height, x : x + width] for image, (x, y) in zip(padded, corners, strict=True)]
    )


def _warp(module: Any, images: Tensor, drawn: Drawn) -> Tensor:
    if isinstance(module, K.RandomAffine):
        forth = affine_matrices(drawn, images)
    else:
        forth = module.compute_transformation(images, drawn, module.flags)
    how = reading_of(module)
    assert how is not None and how.resample is not None and how.padding is not None
    warp = partial(
        warp_affine,
        mode=how.resample,
        padding=how.padding,
        align_corners=module.flags["align_corners"],
    )
    return warp_moved(images, drawn["batch_prob"] > 0.5, forth, warp)


FAST: dict[type[AugmentationBase2D], Fast] = {
    K.RandomHorizontalFlip: _flip(-1),
    K.RandomVerticalFlip: _flip(-2),
    K.RandomErasing: _erase,
    K.RandomSaltAndPepperNoise: _salt_and_pepper,
    K.RandomBrightness: _brighten,
    K.RandomContrast: _contrast,
    K.RandomCrop: _crop,
    **dict.fromkeys((K.RandomAffine, K.RandomRotation, K.RandomTranslate, K.RandomShear), _warp),
}
"""By Kornia's class; what is not here is best left to Kornia."""
