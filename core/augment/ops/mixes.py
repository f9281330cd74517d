"""Operations that make one image of several of a batch, and mix their labels alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.augment.entry import MixEntry
from core.catalogue import Integers, Number, Range


def _cutmix_arguments(values: Mapping[str, Any], side: int) -> dict[str, Any]:
    least, most = values["cut_size"]
    # Kornia refuses a least share of 1, where there is nothing to cut; a millionth cuts nothing as well.
    return {**values, "cut_size": (min(least, 1 - 1e-6), most), "use_correct_lambda": True}


def _patchmix_arguments(values: Mapping[str, Any], side: int) -> dict[str, Any]:
    # Kornia's alpha draws a weight that blends nothing.
    return {"patch_size": round(values["patch_size"] * side)}


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
        makes="kornia.augmentation:RandomMixUpV2",
        shares="core.augment.modules.shares:mixup_shares",
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
                "How much of the image itself one cut leaves; 1 is all of it: large values are small cuts.",
                "left of the image",
                0.05,
                neutral=1,
            ),
            Number(
                "beta",
                1.0,
                0.1,
                10,
                "1 draws all sizes of the range alike; below 1 more of its ends, above more between.",
                scale="log",
            ),
            Number("num_mix", 1, 1, 4, "How many rectangles, each of another image.", "cuts", 1, True),
        ),
        makes="core.augment.modules.cutmix:CutMix",
        arguments=_cutmix_arguments,
        shares="core.augment.modules.shares:cutmix_shares",
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
        makes="kornia.augmentation:PatchMix",
        arguments=_patchmix_arguments,
        shares="core.augment.modules.shares:patchmix_shares",
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
        makes="kornia.augmentation:RandomMosaic",
        shares="core.augment.modules.shares:mosaic_shares",
        gate="image",
        fits="Object detection, and photographs with several subjects.",
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
        makes="kornia.augmentation:RandomTransplantation",
        gate="image",
        fits="Segmentation, such as of organs in images from surgery.",
        needs_masks=True,
        default_p=0.5,
    ),
)

MIXES: dict[str, MixEntry] = {entry.name: entry for entry in _ENTRIES}
