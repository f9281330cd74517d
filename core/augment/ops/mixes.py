"""Operations that make one image of several, and which share of each image is in the result.

Kornia says how to weigh the labels for MixUp and CutMix only, and CutMix's weight ignores cuts that
overlap. Here each share is counted from the numbers that were drawn: it is the share of the pixels
(for MixUp, of every pixel's value), exactly, so that labels can be mixed as the images are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import kornia.augmentation as K
import torch
from kornia.augmentation import MixAugmentationBaseV2
from torch import Tensor

from core.augment.entry import Drawn
from core.augment.fast.mixes import cut_and_paste, mosaic
from core.catalogue import Entry, Integers, Number, Range

Shares = Callable[[Drawn, Mapping[str, Any], int], tuple[Tensor, Tensor]]
"""From what was drawn, the parameters' values and the images' side: which images of the batch each result
is made of (B, K), itself first, and the share of each (B, K), float64, as if the operation always ran."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MixEntry(Entry):
    """One operation that mixes the images of a batch; named as Kornia's class is.

    Args:
        build: the Kornia module, from the parameters' values, the probability, and the side of the
            (square) images in pixels.
        shares: what each result is made of; None where only the pixels' own masks would tell.
        pixels: the module's work done faster, to the same numbers; None: Kornia's own is best.
        gate: what the probability p decides about: a whole batch, or each image by itself.
        fits: in which tasks it helps, one short sentence.
        can_lie: when the mixed label may not be what the image shows; empty if it hardly can.
        needs_masks: whether it must know which pixels belong to what, and so can't train a classifier.
        default_p: the probability that it starts with.
    """

    build: Callable[[Mapping[str, Any], float, int], MixAugmentationBaseV2]
    shares: Shares | None
    pixels: Callable[[Tensor, Drawn], Tensor] | None = None
    gate: Literal["batch", "image"]
    fits: str
    can_lie: str = ""
    needs_masks: bool = False
    default_p: float = 1.0


def _with_own(others: Tensor) -> Tensor:
    """Indices (B, K) of the others, with each image's own index before them: (B, 1 + K)."""
    return torch.cat([torch.arange(len(others)).unsqueeze(1), others], 1)


def _mixup_shares(drawn: Drawn, values: Mapping[str, Any], side: int) -> tuple[Tensor, Tensor]:
    other = drawn["mixup_lambdas"].double()  # Kornia's λ is the other's; ours is the image's own
    return _with_own(drawn["mixup_pairs"].unsqueeze(1)), torch.stack([1 - other, other], 1)


def _overlap(first: Tensor, last: Tensor) -> Tensor:
    """How many pixels (B,) lie in all of K rectangles, given by their first and last pixels (K, B, 2)."""
    return (last.amin(0) - first.amax(0) + 1).clamp(min=0).prod(-1)


def _pasted_shares(first: Tensor, last: Tensor, side: int) -> Tensor:
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
        counts = ((-1) ** len(s) * _overlap(first[[k, *s]], last[[k, *s]]) for s in subsets)
        seen.append(torch.stack(list(counts)).sum(0))
    others = torch.stack(seen, 1)
    return torch.cat([side**2 - others.sum(1, keepdim=True), others], 1) / side**2


def _cutmix_shares(drawn: Drawn, values: Mapping[str, Any], side: int) -> tuple[Tensor, Tensor]:
    corners = drawn["crop_src"]  # (num_mix, B, 4, 2), clockwise from the top left
    return _with_own(drawn["mix_pairs"].T), _pasted_shares(corners[:, :, 0], corners[:, :, 2], side)


def _patch_side(values: Mapping[str, Any], side: int) -> int:
    return round(values["patch_size"] * side)


def _patchmix_shares(drawn: Drawn, values: Mapping[str, Any], side: int) -> tuple[Tensor, Tensor]:
    first = drawn["patch_coords"].unsqueeze(0)  # (1, B, 2)
    last = first + _patch_side(values, side) - 1
    return _with_own(drawn["mix_pairs"].unsqueeze(1)), _pasted_shares(first, last, side)


def _mosaic_shares(drawn: Drawn, values: Mapping[str, Any], side: int) -> tuple[Tensor, Tensor]:
    """The window begins at (x, y) of the first of four tiles; Kornia orders them down, then right."""
    x, y = (drawn["src"][:, 0].double() / side).unbind(-1)
    shares = torch.stack([(1 - x) * (1 - y), (1 - x) * y, x * (1 - y), x * y], 1)
    return drawn["permutation"], shares


def _build_cutmix(values: Mapping[str, Any], p: float, side: int) -> MixAugmentationBaseV2:
    least, most = values["cut_size"]
    # Kornia refuses a least share of 1, where there is nothing to cut; a millionth cuts nothing as well.
    return K.RandomCutMixV2(
        values["num_mix"], (min(least, 1 - 1e-6), most), values["beta"], p=p, use_correct_lambda=True
    )


_ENTRIES = (
    MixEntry(
        name="RandomMixUpV2",
        title="MixUp",
        help="Fades every image into another of its batch, and its label alike.",
        source="kornia.augmentation.RandomMixUpV2; Zhang et al. 2018, arXiv:1710.09412",
        parameters=(
            Range(
                "lambda_val",
                (0.0, 0.5),
                0,
                1,
                "How much of the other image is faded in; 0 is nothing of it.",
                "of the image",
                0.05,
                neutral=0,
            ),
        ),
        build=lambda values, p, side: K.RandomMixUpV2(values["lambda_val"], p=p),
        shares=_mixup_shares,
        gate="batch",
        fits="Almost any classifier that learns its training images by heart.",
        can_lie="Two digits, one over the other, may look like a third.",
    ),
    MixEntry(
        name="RandomCutMixV2",
        title="CutMix",
        help="Pastes a rectangle of another image, and mixes the labels by area.",
        source="kornia.augmentation.RandomCutMixV2; Yun et al. 2019, arXiv:1905.04899",
        parameters=(
            Range(
                "cut_size",
                (0.4, 0.95),
                0,
                1,
                "How much of the image itself is left by one cut; 1 is all of it.",
                "of the image",
                0.05,
                neutral=1,
            ),
            Number(
                "beta",
                1.0,
                0.1,
                10,
                "1 draws all sizes alike, less the largest and smallest, more those between.",
                scale="log",
            ),
            Number("num_mix", 1, 1, 4, "How many rectangles, each of another image.", "cuts", 1, True),
        ),
        build=_build_cutmix,
        shares=_cutmix_shares,
        pixels=cut_and_paste,
        gate="batch",
        fits="Photographs, where the subject can be known by any of its parts.",
        can_lie="A rectangle of mere background still counts for its label.",
    ),
    MixEntry(
        name="PatchMix",
        title="PatchMix",
        help="Pastes a square of always the same size, at a random place, of another image.",
        source="kornia.augmentation.PatchMix; Yun et al. 2019, arXiv:1905.04899",
        parameters=(
            Number(
                "patch_size", 0.5, 0, 1, "How wide the square is; 0 is none.", "of the side", 0.05, neutral=0
            ),
        ),
        # Kornia's alpha draws a weight that blends nothing.
        build=lambda values, p, side: K.PatchMix(patch_size=_patch_side(values, side), p=p),
        shares=_patchmix_shares,
        gate="batch",
        fits="The same tasks as CutMix, with one number less to choose.",
        can_lie="A square of mere background still counts for its label.",
    ),
    MixEntry(
        name="RandomMosaic",
        title="Mosaic",
        help="Lays four images side by side and looks through a window at where they meet.",
        source="kornia.augmentation.RandomMosaic; Bochkovskiy et al. 2020, arXiv:2004.10934",
        parameters=(
            Range(
                "start_ratio_range",
                (0.1, 0.5),
                0,
                1,
                "How far the window moves off the image itself, each way; 0 stays on it.",
                "of the side",
                0.05,
                neutral=0,
            ),
        ),
        build=lambda values, p, side: K.RandomMosaic(start_ratio_range=values["start_ratio_range"], p=p),
        shares=_mosaic_shares,
        pixels=mosaic,
        gate="image",
        fits="Detecting things, and photographs with several subjects.",
        can_lie="A corner of mere background still counts for its label.",
        default_p=0.7,
    ),
    MixEntry(
        name="RandomTransplantation",
        title="Transplantation",
        help="Cuts one thing out of the image before it in the batch, by its mask, and pastes it.",
        source="kornia.augmentation.RandomTransplantation; Sellner et al. 2023, arXiv:2303.10972",
        parameters=(
            Integers(
                "excluded_labels",
                (0,),
                0,
                255,
                "Which labels of a mask are never cut out; 0 is the background as a rule.",
                min_length=0,
                max_length=8,
            ),
        ),
        build=lambda values, p, side: K.RandomTransplantation(values["excluded_labels"], p=p),
        shares=None,
        gate="image",
        fits="Finding which pixels belong to what, as in surgery.",
        needs_masks=True,
        default_p=0.5,
    ),
)

MIXES: dict[str, MixEntry] = {entry.name: entry for entry in _ENTRIES}
