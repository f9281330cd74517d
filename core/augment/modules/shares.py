"""Which share of each image is in the result of a mix, counted exactly from what was drawn.

Kornia says how to weigh the labels for MixUp and CutMix only, and CutMix's weight ignores cuts that
overlap. Here a share is the share of the pixels (for MixUp, of every pixel's value), so that labels can be
mixed as the images are. Each function gets Kornia's module, what it drew, and the images' side. It gives
the images of the batch that each result is made of (B, K), itself first, and the share of each (B, K),
float64, as if the operation always ran.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import torch
from torch import Tensor


def with_own(others: Tensor) -> Tensor:
    """Indices (B, K) of the others, with each image's own index before them: (B, 1 + K)."""
    return torch.cat([torch.arange(len(others)).unsqueeze(1), others], 1)


def mixup_shares(module: Any, drawn: Mapping[str, Tensor], side: int) -> tuple[Tensor, Tensor]:
    other = drawn["mixup_lambdas"].double()  # Kornia's λ is the other's; ours is the image's own
    return with_own(drawn["mixup_pairs"].unsqueeze(1)), torch.stack([1 - other, other], 1)


def overlap(first: Tensor, last: Tensor) -> Tensor:
    """How many pixels (B,) lie in all of K rectangles, given by their first and last pixels (K, B, 2)."""
    return (last.amin(0) - first.amax(0) + 1).clamp(min=0).prod(-1)


def pasted_shares(first: Tensor, last: Tensor, side: int) -> Tensor:
    """Shares (B, 1 + K), float64, of the image and of K rectangles that are pasted on it one by one.

    A paste is seen where no later one lies. Rectangles meet in rectangles, so inclusion and exclusion
    over the later ones counts its pixels exactly.

    Args:
        first, last: (K, B, 2), whole numbers: the (x, y) of the top left and bottom right pixel in each.
    """
    first, last = first.double(), last.double()
    seen = []
    for k in range(len(first)):
        later = range(k + 1, len(first))
        subsets = (subset for n in range(len(later) + 1) for subset in combinations(later, n))
        counts = ((-1) ** len(s) * overlap(first[[k, *s]], last[[k, *s]]) for s in subsets)
        seen.append(torch.stack(list(counts)).sum(0))
    others = torch.stack(seen, 1)
    return torch.cat([side**2 - others.sum(1, keepdim=True), others], 1) / side**2


def cutmix_shares(module: Any, drawn: Mapping[str, Tensor], side: int) -> tuple[Tensor, Tensor]:
    corners = drawn["crop_src"]  # (num_mix, B, 4, 2), clockwise from the top left
    return with_own(drawn["mix_pairs"].T), pasted_shares(corners[:, :, 0], corners[:, :, 2], side)


def patchmix_shares(module: Any, drawn: Mapping[str, Tensor], side: int) -> tuple[Tensor, Tensor]:
    first = drawn["patch_coords"].unsqueeze(0)  # (1, B, 2)
    last = first + module.patch_size - 1
    return with_own(drawn["mix_pairs"].unsqueeze(1)), pasted_shares(first, last, side)


def mosaic_shares(module: Any, drawn: Mapping[str, Tensor], side: int) -> tuple[Tensor, Tensor]:
    """The window begins at (x, y) of the first of four tiles; Kornia orders them down, then right."""
    x, y = (drawn["src"][:, 0].double() / side).unbind(-1)
    shares = torch.stack([(1 - x) * (1 - y), (1 - x) * y, x * (1 - y), x * y], 1)
    return drawn["permutation"], shares
