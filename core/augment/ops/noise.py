"""Operations that add what does not belong to the image: noise, a hidden part, traces of compression."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.augment.entry import Drawn, OpEntry, Values, number, scalar
from core.catalogue import Number, Range


def _describe_noise(drawn: Drawn, i: int) -> Values:
    noise = drawn["gaussian_noise"][i]
    return (("mean", number(noise.mean(), 3, sign=True)), ("deviation", number(noise.std(), 3)))


def _describe_salt_and_pepper(drawn: Drawn, i: int) -> Values:
    # The masks are the same in every channel.
    salt, pepper = (int(drawn[key][i, 0].sum()) for key in ("mask_salt", "mask_pepper"))
    return (("salt", f"{salt} px"), ("pepper", f"{pepper} px"))


def _erasing_arguments(values: Mapping[str, Any], side: int) -> dict[str, Any]:
    """Kornia's rectangle has at least one pixel, so none of the area means that it runs on no image.

    A ratio keeps six decimals: Kornia asks whether it spans 1 once in single and once in double precision,
    and fails where the answers differ, as for 0.9999999999999999.
    """
    low, high = (round(end, 6) for end in values["ratio"])
    never = {} if values["scale"][1] else {"p": 0.0}
    return {**values, "ratio": (low, high), **never}


def _describe_erasing(drawn: Drawn, i: int) -> Values:
    size = f"{number(drawn['widths'][i], 0)}×{number(drawn['heights'][i], 0, ' px')}"
    return (("box", f"{size} at ({number(drawn['xs'][i], 0)}, {number(drawn['ys'][i], 0)})"),)


NOISE = (
    OpEntry(
        name="RandomGaussianNoise",
        title="Gaussian noise",
        help="Adds an independent random number to every value; the result is cut off at 0 and 1.",
        source="kornia.augmentation.RandomGaussianNoise",
        group="intensity",
        parameters=(
            Number(
                "std",
                0.1,
                0,
                1,
                "The noise's standard deviation; the image spans 0 to 1.",
                "",
                0.01,
                neutral=0,
            ),
            Number("mean", 0.0, -0.5, 0.5, "What the noise adds on average.", "", 0.01, neutral=0),
        ),
        makes="kornia.augmentation:RandomGaussianNoise",
        describe=_describe_noise,
        fits="Cameras in poor light, scans, and small data sets that are learned by heart.",
        can_lie="Beyond a deviation of about 0.5 faint and small subjects drown in it.",
    ),
    OpEntry(
        name="RandomSaltAndPepperNoise",
        title="Salt and pepper",
        help="Turns a few pixels white and a few black, in all channels at once.",
        source="kornia.augmentation.RandomSaltAndPepperNoise",
        group="intensity",
        parameters=(
            Range(
                "amount",
                (0.02, 0.08),
                0,
                0.5,
                "How many of the pixels change.",
                "of the pixels",
                0.01,
                neutral=0,
            ),
            Range("salt_vs_pepper", (0.4, 0.6), 0, 1, "How many of those turn white; 0 is none.", "", 0.05),
        ),
        makes="kornia.augmentation:RandomSaltAndPepperNoise",
        describe=_describe_salt_and_pepper,
        fits="Scans, faxes and broken sensors.",
        can_lie="With half of the pixels changed, thin strokes are lost.",
    ),
    OpEntry(
        name="RandomErasing",
        title="Erasing",
        help="Paints over one rectangle, so that the network can't rely on any one part.",
        source="kornia.augmentation.RandomErasing; Zhong et al. 2017, arXiv:1708.04896",
        group="intensity",
        parameters=(
            Range(
                "scale",
                (0.02, 0.2),
                0,
                0.8,
                "How much of the area is painted over.",
                "of the area",
                0.01,
                neutral=0,
            ),
            Range("ratio", (0.3, 3.3), 0.1, 10, "Height over width of the rectangle.", "", 0.1),
            Number("value", 0.5, 0, 1, "What it is painted with: 0 is black, 1 white.", "", 0.05),
        ),
        makes="kornia.augmentation:RandomErasing",
        arguments=_erasing_arguments,
        describe=_describe_erasing,
        fits="Photographs and street scenes, where things hide one another.",
        can_lie="A large rectangle can hide the stroke that tells a 3 from an 8.",
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
        makes="core.augment.modules.on_grey:JPEG",
        describe=scalar("quality", "jpeg_quality", digits=0),
        fits="Images from the web and from messengers.",
    ),
)
