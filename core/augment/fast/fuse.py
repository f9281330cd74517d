"""Consecutive operations that move pixels by a matrix, as one warp instead of one each.

A 3×3 matrix says where a point of an image goes (Hartley and Zisserman, Multiple View Geometry, section
2.3), so several moves are one, by the product of their matrices. One warp is faster than several, and blurs
once. It also sees the whole image all the way: what the first of two operations pushes over the
edge, the second may bring back, where a chain would have lost it.

Measured (tests/benchmarks/fused.py, 2 threads, 256×1×28×28 and 32×3×224×224): rotation, translation and
shear 2.8 to 3.2 times as fast as Kornia's own one after the other, 1.6 to 2.1 times as ours of the same
numbers; affine, perspective and flip 2.8 to 4.2 and 2.6 to 3.2 times.

Coordinates are in pixels, (0, 0) the centre of the top left one. For each pixel of the result a warp needs
the place it comes from, so matrices here point back, from the result to the image.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import kornia.augmentation as K
import torch
from kornia.augmentation import AugmentationBase2D, GeometricAugmentationBase2D
from torch import Tensor
from torch.nn.functional import grid_sample, pad

from core.augment.entry import Drawn
from core.augment.fast.affine import affine_matrices, warp_moved


class Sampling(NamedTuple):
    """How an operation reads between pixels, and beyond the edge; None where it needs neither."""

    resample: str | None
    padding: str | None


def sampling(module: AugmentationBase2D) -> Sampling | None:
    """How ``module`` reads an image, or None if it can't be fused."""
    kind = type(module)
    if kind in (K.RandomHorizontalFlip, K.RandomVerticalFlip):
        return Sampling(None, None)
    if kind is K.RandomRotation90:  # of a square: never beyond its edge
        return Sampling(_name(module, "resample"), None)
    if kind in (K.RandomAffine, K.RandomTranslate, K.RandomShear):
        return Sampling(_name(module, "resample"), _name(module, "padding_mode"))
    if kind in (K.RandomRotation, K.RandomPerspective, K.RandomResizedCrop):
        return Sampling(_name(module, "resample"), "zeros")
    if kind is K.RandomCrop:
        padding = {"constant": "zeros", "replicate": "border"}.get(module.flags["padding_mode"])
        return Sampling(None, padding) if padding else None  # "reflect" mirrors at pixels, a warp at edges
    return None


def _name(module: AugmentationBase2D, flag: str) -> str:
    return str(module.flags[flag].name).lower()


def groups(modules: Sequence[AugmentationBase2D]) -> tuple[tuple[int, ...], ...]:
    """The places of ``modules``, in order; those that are to be one warp are together.

    They are neighbours that read alike. Flips and crops read whole pixels: they join any warp, and
    where there is none, they stay as they are, which is faster and exact.
    """
    found: list[list[int]] = []
    common = None  # how the last group reads
    for i, module in enumerate(modules):
        own = sampling(module)
        joint = None if common is None or own is None else _joint(common, own)
        if joint is None:
            found.append([i])
            common = own
        else:
            found[-1].append(i)
            common = joint
    whole_pixels = [s is not None and s.resample is None for s in map(sampling, modules)]
    split: list[tuple[int, ...]] = []
    for group in found:
        split += [(i,) for i in group] if all(whole_pixels[i] for i in group) else [tuple(group)]
    return tuple(split)


def _joint(one: Sampling, other: Sampling) -> Sampling | None:
    """How to read for both, or None if they differ."""
    if any(a is not None and b is not None and a != b for a, b in zip(one, other, strict=True)):
        return None
    return Sampling(one.resample or other.resample, one.padding or other.padding)


def way_back(module: AugmentationBase2D, drawn: Drawn, shape: torch.Size) -> Tensor:
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
        back = _frame(drawn["start_points"]) @ torch.linalg.inv(_frame(drawn["end_points"]))
    elif isinstance(module, K.RandomAffine):
        back = torch.linalg.inv(affine_matrices(drawn, like))
    else:
        assert isinstance(module, GeometricAugmentationBase2D)
        back = torch.linalg.inv(module.compute_transformation(like, dict(drawn), module.flags))
    return torch.where(drawn["batch_prob"].view(-1, 1, 1) > 0.5, back, torch.eye(3, dtype=torch.float64))


def _frame(corners: Tensor) -> Tensor:
    """A matrix that takes (1, 0, 0), (0, 1, 0), (0, 0, 1) and (1, 1, 1) to four ``corners`` (B, 4, 2)."""
    points = pad(corners.double(), (0, 1), value=1).mT  # (B, 3, 4), homogeneous
    return points[..., :3] * torch.linalg.solve(points[..., :3], points[..., 3]).unsqueeze(1)


def apply(parts: Sequence[tuple[AugmentationBase2D, Drawn]], images: Tensor) -> Tensor:
    """``images`` (B, C, H, W) after all of ``parts``, a group, in one warp.

    An image that all of them spare comes back bit for bit.
    """
    back = torch.eye(3, dtype=torch.float64)
    moves = torch.zeros(len(images), dtype=torch.bool)
    for module, drawn in parts:
        back = back @ way_back(module, drawn, images.shape)
        moves |= drawn["batch_prob"] > 0.5
    how = [own for module, _ in parts if (own := sampling(module))]
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
