"""Kornia's affine matrices in fewer products, to the same numbers, bit for bit; and warping only what moves.

Kornia 0.9 multiplies five matrices where two products round.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

Warp = Callable[[Tensor, Tensor], Tensor]
"""Images and a matrix (3, 3) for each, to images of the same shape."""


def affine_matrices(drawn: Mapping[str, Tensor], like: Tensor) -> Tensor:
    """Where `RandomAffine` takes each point of an image to: (B, 3, 3), of the type and device of ``like``.

    Points are in pixels, (0, 0) the centre of the top left one. They are sheared along x, then y, scaled and
    turned clockwise, all about the image's centre, and shifted.
    """
    center, scale, shift = (drawn[key].to(like).unbind(1) for key in ("center", "scale", "translations"))
    turn, shear_x, shear_y = (
        drawn[key].to(like) * (math.pi / 180) for key in ("angle", "shear_x", "shear_y")
    )
    cos, sin = turn.neg().cos(), turn.neg().sin()
    x, y = center
    zero, one = torch.zeros_like(cos), torch.ones_like(cos)
    rows = (cos * scale[0], sin * scale[1], x, -sin * scale[0], cos * scale[1], y, zero, zero, one)
    forth = _matrices(rows) @ _matrices((one, zero, -x, zero, one, -y, zero, zero, one))
    forth[:, 0, 2] += shift[0]
    forth[:, 1, 2] += shift[1]
    a, b = shear_x.tan(), shear_y.tan()
    return forth @ _matrices((one, -a, a * y, -b, one + a * b, b * (x - a * y), zero, zero, one))


def _matrices(entries: tuple[Tensor, ...]) -> Tensor:
    return torch.stack(entries, -1).view(-1, 3, 3)


def warp_moved(images: Tensor, moves: Tensor, matrices: Tensor, warp: Warp) -> Tensor:
    """``images`` after ``warp`` with ``matrices``, but for those whose ``moves`` (B,) is False."""
    if moves.all():
        return warp(images, matrices)
    after, index = images.clone(), moves.nonzero()[:, 0].to(images.device)
    after[index] = warp(images[index], matrices[index.to(matrices.device)])
    return after
