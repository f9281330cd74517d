"""Operations that light one part of the image more than another."""

from __future__ import annotations

from core.augment.entry import Drawn, OpEntry, Values, all_of, number, scalar
from core.catalogue import Range

ROUGHNESS = Range("roughness", (0.1, 0.7), 0, 1, "From soft clouds (0) to fine grain (1).", "", 0.05)
_GAIN = Range("gain", (0.1, 0.4), 0, 1, "How much light is added or taken at most.", "", 0.05, neutral=0)


def _describe_light(drawn: Drawn, i: int) -> Values:
    light = drawn["gradient"][i].flatten()
    return (("at most", number(light[light.abs().argmax()], 2, sign=True)),)


def _describe_contrast(drawn: Drawn, i: int) -> Values:
    factors = 4 * drawn["plasma"][i]  # as Kornia applies it
    return (("contrast", f"×{number(factors.min(), 2)} to ×{number(factors.max(), 2)}"),)


LIGHT = (
    OpEntry(
        name="RandomLinearIllumination",
        title="Light from a side",
        help="Adds or takes light, growing from one side of the image to the other.",
        source="kornia.augmentation.RandomLinearIllumination",
        group="intensity",
        parameters=(_GAIN,),
        makes="kornia.augmentation:RandomLinearIllumination",
        describe=_describe_light,
        fits="Photographs and scans that are lit unevenly.",
    ),
    OpEntry(
        name="RandomLinearCornerIllumination",
        title="Light from a corner",
        help="Adds or takes light, growing from one corner of the image to the opposite one.",
        source="kornia.augmentation.RandomLinearCornerIllumination",
        group="intensity",
        parameters=(_GAIN,),
        makes="kornia.augmentation:RandomLinearCornerIllumination",
        describe=_describe_light,
        fits="Photographs and scans that are lit unevenly.",
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
            Range(
                "sigma",
                (0.2, 0.6),
                0.05,
                1,
                "How far the light reaches: the standard deviation of its fall-off.",
                "of the side",
                0.05,
            ),
        ),
        makes="kornia.augmentation:RandomGaussianIllumination",
        describe=_describe_light,
        fits="Photographs with a flash, a lamp or a reflection.",
    ),
    OpEntry(
        name="RandomPlasmaBrightness",
        title="Cloudy light",
        help="Adds light in some places and takes it in others, in the shape of clouds.",
        source="kornia.augmentation.RandomPlasmaBrightness; Nicolaou et al. 2022 (TorMentor)",
        group="intensity",
        parameters=(
            ROUGHNESS,
            Range(
                "intensity",
                (0.1, 0.6),
                0,
                1,
                "How much light is added or taken at most.",
                "",
                0.05,
                neutral=0,
            ),
        ),
        makes="kornia.augmentation:RandomPlasmaBrightness",
        describe=all_of(scalar("roughness", "roughness"), scalar("intensity", "intensity")),
        fits="Outdoor photographs, with shadows of leaves and clouds.",
    ),
    OpEntry(
        name="RandomPlasmaContrast",
        title="Cloudy contrast",
        help="Multiplies the contrast by 0 to 4, differently from place to place, in the shape of clouds: by "
        "2 on average, so that it falls almost nowhere unless the roughness is near 1.",
        source="kornia.augmentation.RandomPlasmaContrast; Nicolaou et al. 2022 (TorMentor)",
        group="intensity",
        parameters=(ROUGHNESS,),
        makes="kornia.augmentation:RandomPlasmaContrast",
        describe=all_of(scalar("roughness", "roughness"), _describe_contrast),
        fits="Photographs through mist and dirty panes.",
        can_lie="Where the contrast is high greys turn black or white, and faint detail is lost.",
    ),
)
