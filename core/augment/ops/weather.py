"""Operations that show the image in other weather: rain, snow, the shadows of clouds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.augment.entry import Drawn, OpEntry, Values, all_of, number, scalar
from core.augment.ops.light import ROUGHNESS
from core.catalogue import Range


def _rain_arguments(values: Mapping[str, Any], side: int) -> dict[str, Any]:
    """In pixels, so that drops are as long, and cover as much, on images of any side."""
    least, most = (min(max(1, round(share * side)), side - 1) for share in values["drop_height"])
    left, right = (round(share * side) for share in values["drop_width"])
    length = max((least + most) / 2, abs(left + right) / 2)
    few, many = (round(share * side**2 / length) for share in values["number_of_drops"])
    return {"number_of_drops": (few, many), "drop_height": (least, most), "drop_width": (left, right)}


def _describe_rain(drawn: Drawn, i: int) -> Values:
    height, width = (int(drawn[f"drop_{way}_factor"][i]) for way in ("height", "width"))
    return (
        ("drops", f"{int(drawn['number_of_drops_factor'][i])}"),
        ("each", f"{height} px down, {number(width, 0, ' px', sign=True)} to the right"),
    )


WEATHER = (
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
        makes="kornia.augmentation:RandomRain",
        arguments=_rain_arguments,
        describe=_describe_rain,
        fits="Cameras that work outdoors.",
        can_lie="A drop across a thin stroke can close a C to an O.",
    ),
    OpEntry(
        name="RandomSnow",
        title="Snow",
        help="Makes what is darker than a threshold lighter, as snow on the ground does; black stays black.",
        source="kornia.augmentation.RandomSnow",
        group="intensity",
        parameters=(
            Range(
                "snow_coefficient",
                (0.3, 0.7),
                0,
                1,
                "Pixels below this lightness become lighter; at 0 none do.",
                "",
                0.05,
                neutral=0,
            ),
            Range(
                "brightness", (1.5, 2.5), 1, 5, "How many times as light they become.", "×", 0.1, neutral=1
            ),
        ),
        makes="core.augment.modules.on_grey:Snow",
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
                "Shadow falls where the clouds are below this: at 0 nowhere, at 0.5 on about half the image, "
                "at 1 everywhere.",
                "",
                0.05,
                neutral=0,
            ),
        ),
        makes="kornia.augmentation:RandomPlasmaShadow",
        describe=all_of(
            scalar("roughness", "roughness"),
            scalar("added", "shade_intensity", sign=True),
            scalar("quantity", "shade_quantity"),
        ),
        fits="Outdoor photographs, with shadows of leaves and clouds.",
        can_lie="A deep shadow over a small subject hides it.",
    ),
)
