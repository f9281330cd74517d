"""Consecutive operations that move pixels by a matrix, as one warp instead of one each.

A 3×3 matrix says where a point of an image goes (Hartley and Zisserman, Multiple View Geometry, section
2.3), so several moves are one, by the product of their matrices. One warp is faster than several, and blurs
once. It also sees the whole image all the way: what the first of two operations pushes over the
edge, the second may bring back, where a chain would have lost it.

Coordinates are in pixels, (0, 0) the centre of the top left one. For each pixel of the result a warp needs
the place it comes from, so matrices here point back, from the result to the image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import kornia.augmentation as K
import torch
from kornia.augmentation import AugmentationBase2D, GeometricAugmentationBase2D
from torch import Tensor
from torch.nn.functional import grid_sample, pad

from core.augment.fast.matrices import affine_matrices, warp_moved
from core.augment.fast.reading import Reading, reading


def reading_of(module: AugmentationBase2D) -> Reading | None:
    """How ``module`` reads an image, or None if it can't be fused."""
    flags = {name: module.flags[name] for name in ("resample", "padding_mode") if name in module.flags}
    return reading(type(module).__name__, {k: str(getattr(v, "name", v)).lower() for k, v in flags.items()})


def way_back(module: AugmentationBase2D, drawn: Mapping[str, Tensor], shape: torch.Size) -> Tensor:
    """Where each pixel that ``module`` makes comes from, for images of ``shape`` (B, C, H, W): (B, 3, 3).

    float64 and on the CPU, as all that is drawn; the identity for an image that is spared.
    """
    if isinstance(module, K.RandomResizedCrop):  # Kornia's own matrix is another if a box is one pixel wide
        first, last = drawn["src"][:, 0].double(), drawn["src"][:, 2].double()
        back = torch.eye(3, dtype=torch.float64).repeat(shape[0], 1, 1)
        back[:, [0, 1], [0, 1]] = (last - first) / (torch.tensor([shape[3], shape[2]]) - 1)
        back[:, :2, 2] = first
        return back
    like = torch.zeros((), dtype=torch.float64).expand(shape)  # of the images' shape, without their memory
    if isinstance(module, K.RandomPerspective):  # as Kornia's, which takes more than twice as long
        back = _corner_frame(drawn["start_points"]) @ torch.linalg.inv(_corner_frame(drawn["end_points"]))
    elif isinstance(module, K.RandomAffine):
        back = torch.linalg.inv(affine_matrices(drawn, like))
    else:
        assert isinstance(module, GeometricAugmentationBase2D)
        back = torch.linalg.inv(module.compute_transformation(like, dict(drawn), module.flags))
    return torch.where(drawn["batch_prob"].view(-1, 1, 1) > 0.5, back, torch.eye(3, dtype=torch.float64))


def _corner_frame(corners: Tensor) -> Tensor:
    """A matrix that takes (1, 0, 0), (0, 1, 0), (0, 0, 1) and (1, 1, 1) to four ``corners`` (B, 4, 2)."""
    points = pad(corners.double(), (0, 1), value=1).mT  # (B, 3, 4), homogeneous
    return points[..., :3] * torch.linalg.solve(points[..., :3], points[..., 3]).unsqueeze(1)


def apply(parts: Sequence[tuple[AugmentationBase2D, Mapping[str, Tensor]]], images: Tensor) -> Tensor:
    """``images`` (B, C, H, W) after all of ``parts``, a group, in one warp.

    An image that all of them spare comes back bit for bit.
    """
    back = torch.eye(3, dtype=torch.float64)
    moves = torch.zeros(len(images), dtype=torch.bool)
    for module, drawn in parts:
        back = back @ way_back(module, drawn, images.shape)
        moves |= drawn["batch_prob"] > 0.5
    how = [own for module, _ in parts if (own := reading_of(module))]
    resample = next((own.resample for own in how if own.resample), "nearest")
    padding = next((own.padding for own in how if own.padding), "zeros")
    return warp_moved(images, moves, back, partial(warp, resample=resample, padding=padding))


def warp(images: Tensor, back: Tensor, resample: str, padding: str) -> Tensor:
    """``images`` (B, C, H, W) with each pixel taken from where ``back`` (B, 3, 3) says.

    Args:
        resample: ``bilinear`` or ``nearest``.
        padding: what is beyond the edge: ``zeros``, ``border`` or ``reflection`` (about the edge itself).
    """
    batch, _, height, width = images.shape
    normalised = torch.tensor(  # pixel coordinates to grid_sample's: −1 and 1 are the image's edges
        [[2 / width, 0, 1 / width - 1], [0, 2 / height, 1 / height - 1], [0, 0, 1]], dtype=torch.float64
    )
    entries = (normalised @ back).to(images.device, images.dtype).view(batch, 3, 3, 1, 1)
    x = torch.arange(width, device=images.device, dtype=images.dtype)
    y = torch.arange(height, device=images.device, dtype=images.dtype).view(-1, 1)
    a, b, c = entries[:, :2].unbind(2)  # (B, 2, 1, 1) each
    places = a * x + (b * y + c)  # (B, 2, H, W)
    if back[:, 2, :2].any():  # a perspective
        g, h, i = entries[:, 2:].unbind(2)
        places /= g * x + (h * y + i)
    return grid_sample(images, places.permute(0, 2, 3, 1), resample, padding, align_corners=False)
