"""Operations that take detail away, or bring it out: blurs, sharpening, low resolution."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from core.augment.entry import OpEntry, all_of, nothing, scalar
from core.augment.ops.crops import pixels
from core.catalogue import Choice, Flag, Number, Range

_WINDOW = Choice("kernel_size", "3", ("3", "5", "7"), "The side of the square neighbourhood.", "px")


def _gaussian_blur_arguments(values: Mapping[str, Any], side: int) -> dict[str, Any]:
    """The kernel reaches three deviations, as far as the mirrored border of so small an image allows."""
    reach = min(math.ceil(3 * values["sigma"][1]), side - 1)
    sigma = tuple(max(0.01, end) for end in values["sigma"])  # Kornia divides by it
    return {"kernel_size": (2 * reach + 1, 2 * reach + 1), "sigma": sigma}


def _window_arguments(values: Mapping[str, Any], side: int) -> dict[str, Any]:
    return {"kernel_size": (int(values["kernel_size"]),) * 2}


def _motion_blur_arguments(values: Mapping[str, Any], side: int) -> dict[str, Any]:
    # Kornia's own border, black, would darken the edges.
    return {**values, "kernel_size": int(values["kernel_size"]), "border_type": "replicate"}


def _low_resolution_arguments(values: Mapping[str, Any], side: int) -> dict[str, Any]:
    return {**values, "size": pixels(values["size"], side)}


BLUR = (
    OpEntry(
        name="RandomGaussianBlur",
        title="Gaussian blur",
        help="Blurs, as a lens out of focus does.",
        source="kornia.augmentation.RandomGaussianBlur; Chen et al. 2020, arXiv:2002.05709",
        group="intensity",
        parameters=(
            Range("sigma", (0.5, 1.5), 0, 10, "The blur's standard deviation.", "px", 0.1, neutral=0),
        ),
        makes="kornia.augmentation:RandomGaussianBlur",
        arguments=_gaussian_blur_arguments,
        describe=scalar("deviation", "sigma", unit=" px"),
        fits="Photographs of mixed sharpness, and images that will arrive in low resolution.",
        can_lie="Strong blur closes the loops of small digits.",
    ),
    OpEntry(
        name="RandomBoxBlur",
        title="Box blur",
        help="Replaces every value by the mean of its neighbourhood.",
        source="kornia.augmentation.RandomBoxBlur",
        group="intensity",
        parameters=(_WINDOW,),
        makes="kornia.augmentation:RandomBoxBlur",
        arguments=_window_arguments,
        describe=nothing,
        fits="Images that will arrive in low resolution.",
        can_lie="A wide box closes the loops of small digits.",
    ),
    OpEntry(
        name="RandomMotionBlur",
        title="Motion blur",
        help="Smears the image along a line, as a moving camera does.",
        source="kornia.augmentation.RandomMotionBlur",
        group="intensity",
        parameters=(
            Choice("kernel_size", "5", ("3", "5", "7", "9", "13"), "How long the line is.", "px"),
            Range(
                "angle",
                (-180.0, 180.0),
                -180,
                180,
                "The line's angle: 0 is across, positive is counter-clockwise.",
                "°",
                1,
            ),
            Range(
                "direction",
                (-1.0, 1.0),
                -1,
                1,
                "Where the smear is strongest: 1 ahead along the angle, −1 behind; 0 is even.",
                "",
                0.1,
            ),
        ),
        makes="kornia.augmentation:RandomMotionBlur",
        arguments=_motion_blur_arguments,
        describe=all_of(
            scalar("angle", "angle_factor", digits=1, unit="°", sign=True),
            scalar("direction", "direction_factor", sign=True),
        ),
        fits="Hand-held and driving cameras.",
        can_lie="A long smear across a thin stroke wipes it out.",
    ),
    OpEntry(
        name="RandomMedianBlur",
        title="Median blur",
        help="Replaces every value by the median of its neighbourhood: specks go, edges stay.",
        source="kornia.augmentation.RandomMedianBlur",
        group="intensity",
        parameters=(_WINDOW,),
        makes="kornia.augmentation:RandomMedianBlur",
        arguments=_window_arguments,
        describe=nothing,
        fits="Scans and noisy sensors.",
        can_lie="A wide neighbourhood wipes out strokes thinner than half of it.",
    ),
    OpEntry(
        name="RandomSharpness",
        title="Sharpness",
        help="Blurs a little or sharpens, by mixing the image with a smoothed one.",
        source="kornia.augmentation.RandomSharpness; Cubuk et al. 2018, arXiv:1805.09501",
        group="intensity",
        parameters=(
            Range(
                "sharpness",
                (2.0, 6.0),
                0,
                10,
                "0 blurs, 1 leaves the image alone, 5 is crisp.",
                "",
                0.5,
                neutral=1,
            ),
        ),
        makes="kornia.augmentation:RandomSharpness",
        describe=scalar("sharpness", "sharpness"),
        fits="Photographs from cameras that sharpen differently.",
    ),
    OpEntry(
        name="Resize",
        title="Low resolution",
        help="Shrinks the image and enlarges it again: its detail is lost, and nothing moves.",
        source="kornia.augmentation.Resize",
        group="intensity",
        parameters=(
            Number("size", 0.4, 0.1, 1, "How large it is in between.", "of the side", 0.05, neutral=1),
            Choice(
                "resample",
                "bilinear",
                ("bilinear", "nearest"),
                "How it is enlarged: smoothly, or in blocks.",
            ),
            Flag("antialias", True, "Whether it is smoothed before it is shrunk."),
        ),
        makes="core.augment.modules.resizing:LowResolution",
        arguments=_low_resolution_arguments,
        describe=nothing,
        fits="Cameras far away, thumbnails, and images from mixed sources.",
        can_lie="At a few pixels a side, an 8 and a 3 are the same blot.",
    ),
)
