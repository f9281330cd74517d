"""Operations that change values as a scene, its weather and its lamps do, or a camera and what it writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import kornia.augmentation as K
from kornia.augmentation import AugmentationBase2D
from torch import Tensor

from core.augment.entry import Drawn, OpEntry, Values, all_of, nothing, number, scalar
from core.augment.ops.tones import ROUGHNESS, describe_light, kernel
from core.catalogue import Choice, Number, Range


class _OnGrey:
    """Gives an operation that wants three channels a grey image as three equal ones, and takes one back."""

    def apply_transform(
        self, input: Tensor, params: dict[str, Tensor], flags: dict[str, Any], transform: Tensor | None = None
    ) -> Tensor:
        channels = input.shape[1]
        colour = input.expand(-1, 3, -1, -1)
        after: Tensor = super().apply_transform(colour, params, flags, transform)  # type: ignore[misc]
        return after[:, :channels]


class JPEG(_OnGrey, K.RandomJPEG):
    """Kornia's, on grey images too."""


class Snow(_OnGrey, K.RandomSnow):
    """Kornia's, on grey images too."""


def _build_clahe(values: Mapping[str, Any], p: float, side: int) -> AugmentationBase2D:
    grid = min(values["grid_size"], side // 2)  # a tile has 2 × 2 pixels at least
    return K.RandomClahe(values["clip_limit"], (grid, grid), p=p)


def _build_rain(values: Mapping[str, Any], p: float, side: int) -> AugmentationBase2D:
    """Drops in pixels: they are as long, and cover as much, on images of any side."""
    least, most = (min(max(1, round(share * side)), side - 1) for share in values["drop_height"])
    left, right = (round(share * side) for share in values["drop_width"])
    length = max((least + most) / 2, abs(left + right) / 2)
    few, many = (round(share * side**2 / length) for share in values["number_of_drops"])
    return K.RandomRain((few, many), (least, most), (left, right), p=p)


def _describe_rain(drawn: Drawn, i: int) -> Values:
    height, width = (int(drawn[f"drop_{way}_factor"][i]) for way in ("height", "width"))
    return (
        ("drops", f"{int(drawn['number_of_drops_factor'][i])}"),
        ("each", f"{height} px down, {number(width, 0, ' px', sign=True)} to the right"),
    )


def _describe_illuminant(drawn: Drawn, i: int) -> Values:
    return (("illuminant", f"no. {int(drawn['idx'][i]) + 1}"),)


def _describe_contrast(drawn: Drawn, i: int) -> Values:
    factors = 4 * drawn["plasma"][i]  # as Kornia applies it
    return (("contrast", f"×{number(factors.min(), 2)} to ×{number(factors.max(), 2)}"),)


SCENES = (
    OpEntry(
        name="RandomRain",
        title="Rain",
        help="Draws thin light grey lines, all of one length and slant in each image.",
        source="kornia.augmentation.RandomRain",
        group="intensity",
        parameters=(
            Range(
                "number_of_drops",
                (0.05, 0.15),
                0,
                0.5,
                "How much of the image drops cover, about.",
                "of the area",
                0.01,
                neutral=0,
            ),
            Range("drop_height", (0.1, 0.25), 0.05, 0.5, "How far a drop reaches down.", "of the side", 0.05),
            Range(
                "drop_width",
                (-0.05, 0.05),
                -0.3,
                0.3,
                "How far it slants to the right on its way down.",
                "of the side",
                0.05,
            ),
        ),
        build=_build_rain,
        describe=_describe_rain,
        fits="Cameras that work outdoors.",
        can_lie="A drop across a thin stroke can close a C to an O.",
    ),
    OpEntry(
        name="RandomSnow",
        title="Snow",
        help="Whitens what is darker than a threshold, as snow on the ground does.",
        source="kornia.augmentation.RandomSnow",
        group="intensity",
        parameters=(
            Range(
                "snow_coefficient",
                (0.3, 0.7),
                0,
                1,
                "Below which lightness pixels become lighter; 0 is none of them.",
                "",
                0.05,
                neutral=0,
            ),
            Range(
                "brightness", (1.5, 2.5), 1, 5, "How many times as light they become.", "×", 0.1, neutral=1
            ),
        ),
        build=lambda values, p, side: Snow(values["snow_coefficient"], values["brightness"], p=p),
        describe=all_of(scalar("below", "snow_coefficient"), scalar("lightness", "brightness", before="×")),
        fits="Cameras that work outdoors.",
    ),
    OpEntry(
        name="RandomPlasmaShadow",
        title="Shadow",
        help="Darkens a part of the image, in the shape of clouds.",
        source="kornia.augmentation.RandomPlasmaShadow; Nicolaou et al. 2022 (TorMentor)",
        group="intensity",
        parameters=(
            ROUGHNESS,
            Range(
                "shade_intensity",
                (-0.6, -0.2),
                -1,
                0,
                "What is added to each value in the shadow; −1 makes it black.",
                "",
                0.05,
                neutral=0,
            ),
            Range(
                "shade_quantity",
                (0.3, 0.6),
                0,
                1,
                "How much lies in the shadow: 0 is nothing, 1 all of it.",
                "",
                0.05,
                neutral=0,
            ),
        ),
        build=lambda values, p, side: K.RandomPlasmaShadow(
            values["roughness"], values["shade_intensity"], values["shade_quantity"], p=p
        ),
        describe=all_of(
            scalar("roughness", "roughness"),
            scalar("added", "shade_intensity", sign=True),
            scalar("quantity", "shade_quantity"),
        ),
        fits="Outdoor photographs, with shadows of leaves and clouds.",
        can_lie="A deep shadow over a small subject hides it.",
    ),
    OpEntry(
        name="RandomPlasmaContrast",
        title="Cloudy contrast",
        help="Raises the contrast in some places and lowers it in others, in the shape of clouds.",
        source="kornia.augmentation.RandomPlasmaContrast; Nicolaou et al. 2022 (TorMentor)",
        group="intensity",
        parameters=(ROUGHNESS,),
        build=lambda values, p, side: K.RandomPlasmaContrast(values["roughness"], p=p),
        describe=all_of(scalar("roughness", "roughness"), _describe_contrast),
        fits="Photographs through mist and dirty panes.",
        can_lie="Where the contrast is near 0 all is grey, and a small subject is lost.",
    ),
    OpEntry(
        name="RandomGaussianIllumination",
        title="Spot of light",
        help="Adds light, or takes it, around a point, less and less away from it.",
        source="kornia.augmentation.RandomGaussianIllumination",
        group="intensity",
        parameters=(
            Range(
                "gain",
                (0.2, 0.5),
                0,
                1,
                "How much light is added or taken at the point.",
                "",
                0.05,
                neutral=0,
            ),
            Range("center", (0.1, 0.9), 0, 1, "Where the point is, across and down.", "of the side", 0.05),
            Range("sigma", (0.2, 0.6), 0.05, 1, "How wide the light reaches.", "of the side", 0.05),
        ),
        build=lambda values, p, side: K.RandomGaussianIllumination(
            values["gain"], values["center"], values["sigma"], p=p
        ),
        describe=describe_light,
        fits="Photographs with a flash, a lamp or a reflection.",
    ),
    OpEntry(
        name="RandomPlanckianJitter",
        title="Lamp colour",
        help="Shows the scene under another lamp, from candle-like red to the blue of a clear sky.",
        source="kornia.augmentation.RandomPlanckianJitter; Zini et al. 2022, arXiv:2202.07993",
        group="intensity",
        parameters=(
            Choice(
                "mode",
                "blackbody",
                ("blackbody", "cied"),
                "Which lamps: those that glow, from 3,000 to 15,000 K, or daylight, from 4,000 K.",
            ),
        ),
        build=lambda values, p, side: K.RandomPlanckianJitter(values["mode"], p=p),
        describe=_describe_illuminant,
        fits="Photographs indoors and outdoors, with the wrong white balance.",
        can_lie="Where a slight tint is the label, such as ripe or unripe, it changes it.",
        colour_only=True,
    ),
    OpEntry(
        name="RandomClahe",
        title="Local equalise",
        help="Equalises tile by tile, with a limit on the contrast (CLAHE).",
        source="kornia.augmentation.RandomClahe; Zuiderveld 1994, Graphics Gems IV",
        group="intensity",
        parameters=(
            Range("clip_limit", (2.0, 8.0), 1, 40, "How much contrast at most; 40 is hardly limited.", "", 1),
            Number("grid_size", 4, 1, 8, "How many tiles across, and down.", "tiles", 1, True),
        ),
        build=_build_clahe,
        describe=scalar("limit", "clip_limit_factor", digits=1),
        fits="X-rays, microscope images, and photographs with deep shadows.",
    ),
    OpEntry(
        name="RandomMedianBlur",
        title="Median blur",
        help="Replaces every value by the median of its neighbourhood: specks go, edges stay.",
        source="kornia.augmentation.RandomMedianBlur",
        group="intensity",
        parameters=(kernel("3", "5", "7"),),
        build=lambda values, p, side: K.RandomMedianBlur((int(values["kernel_size"]),) * 2, p=p),
        describe=nothing,
        fits="Scans and noisy sensors.",
        can_lie="A wide neighbourhood wipes out strokes thinner than half of it.",
    ),
    OpEntry(
        name="RandomJPEG",
        title="JPEG",
        help="Compresses the image as a JPEG file does, with its blocks and ringing.",
        source="kornia.augmentation.RandomJPEG; Reich et al. 2024, arXiv:2309.06978",
        group="intensity",
        parameters=(
            Range("jpeg_quality", (5.0, 30.0), 1, 100, "From crude (1) to nearly exact (100).", "", 1),
        ),
        build=lambda values, p, side: JPEG(values["jpeg_quality"], p=p),
        describe=scalar("quality", "jpeg_quality", digits=0),
        fits="Images from the web and from messengers.",
    ),
)
