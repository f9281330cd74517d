"""CutMix and Mosaic by copying the pixels that change, to Kornia's numbers bit for bit.

Kornia picks CutMix's pixels one by one from a mask over all channels, and lays out four times as many
pixels for a mosaic as it keeps. docs/LOG.md says how much faster this is.
"""

from __future__ import annotations

from collections.abc import Callable

import kornia.augmentation as K
import torch
from torch import Tensor

from core.augment.entry import Drawn
from core.augment.modules.cutmix import CutMix


def cut_and_paste(images: Tensor, drawn: Drawn) -> Tensor:
    """`kornia.augmentation.RandomCutMixV2` on ``images`` (B, C, S, S): rectangles of others on them."""
    if not drawn["batch_prob"].any():
        return images
    place = torch.arange(images.shape[-1], device=images.device)
    mixed = images
    for pairs, corners in zip(drawn["mix_pairs"], drawn["crop_src"].to(images.device), strict=True):
        first, last = corners[:, 0, :, None], corners[:, 2, :, None]  # (B, 2, 1): x, y
        across, down = ((place >= first) & (place <= last)).unbind(1)  # (B, S) each
        inside = down[:, None, :, None] & across[:, None, None, :]  # (B, 1, S, S)
        mixed = torch.where(inside, images[pairs.to(images.device)], mixed)
    return mixed


def mosaic(images: Tensor, drawn: Drawn) -> Tensor:
    """`kornia.augmentation.RandomMosaic` on ``images`` (B, C, S, S): a window that begins at (x, y) of the
    first of four tiles, which lie in two columns."""
    side = images.shape[-1]
    mixed = images.clone()
    tiles, corners = drawn["permutation"].tolist(), drawn["src"][:, 0].long().tolist()
    for i in drawn["batch_prob"].nonzero().flatten().tolist():
        (x, y), (a, b, c, d) = corners[i], tiles[i]
        mixed[i, :, : side - y, : side - x] = images[a, :, y:, x:]
        mixed[i, :, side - y :, : side - x] = images[b, :, :y, x:]
        mixed[i, :, : side - y, side - x :] = images[c, :, y:, :x]
        mixed[i, :, side - y :, side - x :] = images[d, :, :y, :x]
    return mixed


FAST_MIXES: dict[type[K.MixAugmentationBaseV2], Callable[[Tensor, Drawn], Tensor]] = {
    CutMix: cut_and_paste,
    K.RandomMosaic: mosaic,
}
"""By Kornia's class; what is not here is best left to Kornia."""
