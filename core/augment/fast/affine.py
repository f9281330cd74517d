"""Kornia's affine warp in fewer and smaller steps, to the same numbers, bit for bit.

Kornia 0.9 asks each tensor many times what it is, and builds the places that a warp reads from in nine passes
over all of them; here it is two.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from kornia.geometry.conversions import normal_transform_pixel
from torch import Tensor
from torch.nn.functional import grid_sample


def warp_affine(images: Tensor, forth: Tensor, mode: str, padding: str, align_corners: bool) -> Tensor:
    """``images`` (B, C, H, W), their points taken where ``forth`` (B, 3, 3) says, as by Kornia's own of the
    name; beyond the edge is what grid_sample knows as ``padding``."""
    batch, _, height, width = images.shape
    normal, inverse, x, y = _frame(height, width, align_corners, images.device, images.dtype)
    back = _inverses(normal @ (forth @ inverse))
    a, b, c = back[:, :2].reshape(batch, 2, 3, 1, 1).unbind(2)
    places = (a * x + b * y).add_(c)  # (B, 2, H, W)
    return grid_sample(images, places.permute(0, 2, 3, 1), mode, padding, align_corners)


@lru_cache(maxsize=8)
def _frame(
    height: int, width: int, align_corners: bool, device: torch.device, dtype: torch.dtype
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The matrix (1, 3, 3) from pixels to grid_sample's coordinates, −1 to 1, and its inverse; the columns'
    places there, (W,), and the rows', (H, 1)."""
    normal = normal_transform_pixel(height, width, device=device, dtype=dtype, align_corners=align_corners)

    def places(size: int) -> Tensor:
        end = 1.0 if align_corners and size > 1 else 1 - 1 / size
        return torch.linspace(-end, end, size, device=device, dtype=dtype)

    return normal, _inverses(normal), places(width), places(height).view(-1, 1)


def _inverses(matrices: Tensor) -> Tensor:
    """Of matrices (B, 3, 3), by Cramer's rule: the adjugate's rows are cross products of the columns."""
    a, b, c = matrices.unbind(2)
    rows = (torch.linalg.cross(b, c), torch.linalg.cross(c, a), torch.linalg.cross(a, b))
    determinant = (a * rows[0]).sum(-1)
    return torch.stack(rows, 1) / determinant[:, None, None]
