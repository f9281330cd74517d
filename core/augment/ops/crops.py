"""Operations that cut the image or add to it, and bring it back to its own size; and one that cuts it into
tiles.

Kornia's CenterCrop and PadTo leave images of another size, for a whole batch at once. Our modules add the way
back, and with it each image can be cut or spared by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.augment.entry import Drawn, OpEntry, Values, nothing, number
from core.augment.ops.geometry import RESAMPLE, pair
from core.catalogue import Choice, Number, Range


def pixels(share: float, side: int) -> int:
    """A share of the side in whole pixels, two at least."""
    return max(2, round(share * side))


def _resized_crop_arguments(values: Mapping[str, Any], side: int) -> dict[str, Any]:
    # "resample" is one warp of the batch, "slice" a Python loop over its images; they agree to 5e-6.
    return {"size": (side, side), **values, "cropping_mode": "resample"}


def _describe_resized_crop(drawn: Drawn, i: int) -> Values:
    (left, top), _, (right, bottom), _ = drawn["src"][i].tolist()  # corners, both ends inside the box
    size = f"{number(right - left + 1, 0)}×{number(bottom - top + 1, 0, ' px')}"
    return (("box", f"{size} at ({number(left, 0)}, {number(top, 0)})"),)


def _crop_arguments(values: Mapping[str, Any], side: int) -> dict[str, Any]:
    padding = max(1, round(values["padding"] * side)) if values["padding"] else 0
    return {"size": (side, side), "padding": padding, "padding_mode": values["padding_mode"]}


def _describe_crop(drawn: Drawn, i: int) -> Values:
    left, _, top, _ = drawn["padding_size"][i].tolist()
    x, y = drawn["src"][i, 0].tolist()
    return (("shift", pair(left - x, top - y, 0)),)


def _centre_crop_arguments(values: Mapping[str, Any], side: int) -> dict[str, Any]:
    return {"size": pixels(values["size"], side), "resample": values["resample"]}


def _padding_arguments(values: Mapping[str, Any], side: int) -> dict[str, Any]:
    # A mirror image has no second edge: one pixel less than the side.
    return {**values, "size": min(pixels(values["size"], side), 2 * side - 1)}


def _jigsaw_arguments(values: Mapping[str, Any], side: int) -> dict[str, Any]:
    grid = values["grid"]
    return {"grid": (grid, grid), "ensure_perm": grid > 1}


def _describe_tiles(drawn: Drawn, i: int) -> Values:
    order = drawn["permutation"][i].tolist()
    grid = round(len(order) ** 0.5)
    # Kornia fills the places down each column, and counts the tiles along each row.
    at_home = [row * grid + column for column in range(grid) for row in range(grid)]
    moved = sum(tile != home for tile, home in zip(order, at_home, strict=True))
    return (("tiles moved", f"{moved} of {len(order)}"),)


CROPS = (
    OpEntry(
        name="RandomResizedCrop",
        title="Resized crop",
        help="Cuts out a part of the image and enlarges it to the whole size.",
        source="kornia.augmentation.RandomResizedCrop; Szegedy et al. 2014, arXiv:1409.4842",
        group="geometric",
        parameters=(
            Range(
                "scale", (0.5, 1.0), 0.05, 1, "How much of the area is kept.", "of the area", 0.05, neutral=1
            ),
            Range(
                "ratio",
                (0.75, 1.33),
                0.25,
                4,
                "Width over height of the part that is cut out.",
                "",
                0.01,
                neutral=1,
            ),
            RESAMPLE,
        ),
        makes="kornia.augmentation:RandomResizedCrop",
        arguments=_resized_crop_arguments,
        describe=_describe_resized_crop,
        fits="Photographs whose subject fills the frame; the standard for ImageNet.",
        can_lie="A small crop may leave out the very thing that the label names.",
        default_p=1.0,
        fixed_p=True,
    ),
    OpEntry(
        name="RandomCrop",
        title="Crop with padding",
        help="Pads the image on all sides and cuts its size out again at random: it shifts by whole pixels.",
        source="kornia.augmentation.RandomCrop; He et al. 2015, arXiv:1512.03385, section 4.2",
        group="geometric",
        parameters=(
            Number(
                "padding",
                0.125,
                0,
                0.5,
                "How far it shifts at most, each way.",
                "of the side",
                0.005,
                neutral=0,
            ),
            Choice(
                "padding_mode",
                "constant",
                ("constant", "reflect", "replicate"),
                "What is added around the image: black, a mirror image, or the edge's pixels.",
            ),
        ),
        makes="kornia.augmentation:RandomCrop",
        arguments=_crop_arguments,
        describe=_describe_crop,
        fits="Small images such as CIFAR's, where 4 pixels of 32 are usual.",
        can_lie="A large shift can push the subject out of view.",
        default_p=1.0,
        fixed_p=True,
    ),
    OpEntry(
        name="CenterCrop",
        title="Centre crop",
        help="Cuts the middle out of the image and enlarges it to the whole size; always the same part.",
        source="kornia.augmentation.CenterCrop",
        group="geometric",
        parameters=(
            Number("size", 0.75, 0.2, 1, "How much of the side is kept.", "of the side", 0.05, neutral=1),
            RESAMPLE,
        ),
        makes="core.augment.modules.resizing:EnlargedCrop",
        arguments=_centre_crop_arguments,
        describe=nothing,
        fits="Photographs whose subject is in the middle, with surroundings that should not decide the "
        "class.",
        can_lie="A small crop may leave out the very thing that the label names.",
    ),
    OpEntry(
        name="PadTo",
        title="Padding",
        help="Adds a border to the right and below, and shrinks the whole to the image's size.",
        source="kornia.augmentation.PadTo",
        group="geometric",
        parameters=(
            Number(
                "size", 1.25, 1, 2, "How large it gets before it is shrunk.", "× the side", 0.05, neutral=1
            ),
            Choice(
                "pad_mode",
                "constant",
                ("constant", "reflect", "replicate"),
                "What is added: one value, a mirror image, or the edge's pixels.",
            ),
            Number("pad_value", 0.0, 0, 1, "The value that is added: 0 is black, 1 white.", "", 0.05),
        ),
        makes="core.augment.modules.resizing:ShrunkPad",
        arguments=_padding_arguments,
        describe=nothing,
        fits="Things that will later appear smaller and off centre.",
    ),
    OpEntry(
        name="RandomJigsaw",
        title="Jigsaw",
        help="Cuts the image into tiles and puts them in a random order; the label stays. "
        "What the tiles leave over at the edge stays where it is.",
        source="kornia.augmentation.RandomJigsaw; Chen et al. 2019, DCL, CVPR",
        group="geometric",
        parameters=(
            Number(
                "grid", 2, 1, 8, "How many tiles there are across, and down.", "tiles", 1, True, neutral=1
            ),
        ),
        makes="core.augment.modules.jigsaw:Jigsaw",
        arguments=_jigsaw_arguments,
        describe=_describe_tiles,
        fits="Textures, and fine details such as feathers, where the whole shape says too little.",
        can_lie="Shuffled strokes are no digit or letter any more, and an arrow falls apart.",
    ),
)
