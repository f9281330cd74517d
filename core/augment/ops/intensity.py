"""Operations that change pixels' values and leave them where they are. Values are in [0, 1]."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import kornia.augmentation as K
from kornia.augmentation import AugmentationBase2D

from core.augment.entry import Drawn, OpEntry, Values, all_of, number, scalar
from core.catalogue import Number, Range


def _describe_erasing(drawn: Drawn, i: int) -> Values:
    size = f"{number(drawn['widths'][i], 0)}×{number(drawn['heights'][i], 0, ' px')}"
    return (("box", f"{size} at ({number(drawn['xs'][i], 0)}, {number(drawn['ys'][i], 0)})"),)


def _build_erasing(values: Mapping[str, Any], p: float, side: int) -> AugmentationBase2D:
    """Kornia's rectangle has a pixel at least, so that none of the area is to run on none of the images.

    A ratio keeps six decimals: Kornia asks whether it spans 1 once in single and once in double precision,
    and fails where the answers differ, as for 0.9999999999999999.
    """
    p = p if values["scale"][1] else 0.0
    low, high = (round(end, 6) for end in values["ratio"])
    return K.RandomErasing(values["scale"], (low, high), values["value"], p=p)


def _describe_noise(drawn: Drawn, i: int) -> Values:
    noise = drawn["gaussian_noise"][i]
    return (("mean", number(noise.mean(), 3, sign=True)), ("deviation", number(noise.std(), 3)))


def _describe_salt_and_pepper(drawn: Drawn, i: int) -> Values:
    # The masks are the same in every channel.
    salt, pepper = (int(drawn[key][i, 0].sum()) for key in ("mask_salt", "mask_pepper"))
    return (("salt", f"{salt} px"), ("pepper", f"{pepper} px"))


def _build_blur(values: Mapping[str, Any], p: float, side: int) -> AugmentationBase2D:
    """The kernel reaches three deviations, as far as the mirrored border of so small an image allows."""
    reach = min(math.ceil(3 * values["sigma"][1]), side - 1)
    sigma = tuple(max(0.01, end) for end in values["sigma"])  # Kornia divides by it
    return K.RandomGaussianBlur((2 * reach + 1, 2 * reach + 1), sigma, p=p)


_BRIGHTNESS = scalar("brightness", "brightness_factor", minus=1.0, sign=True)  # it is added, not multiplied
_CONTRAST = scalar("contrast", "contrast_factor", before="×")
_SATURATION = scalar("saturation", "saturation_factor", before="×")
_HUE = scalar("hue", "hue_factor", times=360.0, digits=0, unit="°", sign=True)


def _describe_order(drawn: Drawn, i: int) -> Values:
    names = ("brightness", "contrast", "saturation", "hue")
    return (("order", ", ".join(names[int(step)] for step in drawn["order"])),)


def _brightness(default: tuple[float, float]) -> Range:
    text = "1 leaves the image alone; 1.2 adds 0.2 to every value, 0.8 takes 0.2 away."
    return Range("brightness", default, 0, 2, text, "", 0.05, neutral=1)


def _contrast(default: tuple[float, float]) -> Range:
    text = "Every value is multiplied by this; 1 leaves the image alone, 0 makes it black."
    return Range("contrast", default, 0, 4, text, "×", 0.05, neutral=1)


def _saturation(default: tuple[float, float]) -> Range:
    text = "0 makes the image grey, 1 leaves it alone, 2 doubles how vivid it is."
    return Range("saturation", default, 0, 4, text, "×", 0.05, neutral=1)


def _hue(default: tuple[float, float]) -> Range:
    text = "How far colours move around the colour wheel; 0 leaves them alone, 0.5 is the opposite side."
    return Range("hue", default, -0.5, 0.5, text, "turns", 0.01, neutral=0)


INTENSITY = (
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
        build=_build_erasing,
        describe=_describe_erasing,
        fits="Photographs and street scenes, where things hide one another.",
        can_lie="A large rectangle can hide the stroke that tells a 3 from an 8.",
    ),
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
        build=lambda values, p, side: K.RandomGaussianNoise(values["mean"], values["std"], p=p),
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
        build=lambda values, p, side: K.RandomSaltAndPepperNoise(
            values["amount"], values["salt_vs_pepper"], p=p
        ),
        describe=_describe_salt_and_pepper,
        fits="Scans, faxes and broken sensors.",
        can_lie="With half of the pixels changed, thin strokes are lost.",
    ),
    OpEntry(
        name="RandomGaussianBlur",
        title="Gaussian blur",
        help="Blurs, as a lens out of focus does.",
        source="kornia.augmentation.RandomGaussianBlur; Chen et al. 2020, arXiv:2002.05709",
        group="intensity",
        parameters=(
            Range("sigma", (0.5, 1.5), 0, 10, "The blur's standard deviation.", "px", 0.1, neutral=0),
        ),
        build=_build_blur,
        describe=scalar("deviation", "sigma", unit=" px"),
        fits="Photographs of mixed sharpness, and images that will arrive in low resolution.",
        can_lie="Strong blur closes the loops of small digits.",
    ),
    OpEntry(
        name="RandomBrightness",
        title="Brightness",
        help="Adds the same amount to every value, or takes it away.",
        source="kornia.augmentation.RandomBrightness",
        group="intensity",
        parameters=(_brightness((0.7, 1.3)),),
        build=lambda values, p, side: K.RandomBrightness(values["brightness"], p=p),
        describe=_BRIGHTNESS,
        fits="Photographs under changing light.",
        can_lie="Near 0 and 2 most of the image is black or white; day may become night.",
        default_p=1.0,
    ),
    OpEntry(
        name="RandomContrast",
        title="Contrast",
        help="Multiplies every value by the same factor, as a longer or shorter exposure does.",
        source="kornia.augmentation.RandomContrast",
        group="intensity",
        parameters=(_contrast((0.6, 1.4)),),
        build=lambda values, p, side: K.RandomContrast(values["contrast"], p=p),
        describe=_CONTRAST,
        fits="Photographs under changing light, scans of faint ink.",
        can_lie="Near 0 all is black.",
        default_p=1.0,
    ),
    OpEntry(
        name="RandomSaturation",
        title="Saturation",
        help="Makes colours paler or more vivid.",
        source="kornia.augmentation.RandomSaturation",
        group="intensity",
        parameters=(_saturation((0.4, 1.6)),),
        build=lambda values, p, side: K.RandomSaturation(values["saturation"], p=p),
        describe=_SATURATION,
        fits="Photographs from many cameras.",
        can_lie="Where colour is the label, such as ripe or unripe, 0 hides it.",
        colour_only=True,
        default_p=1.0,
    ),
    OpEntry(
        name="RandomHue",
        title="Hue",
        help="Moves all colours around the colour wheel.",
        source="kornia.augmentation.RandomHue",
        group="intensity",
        parameters=(_hue((-0.1, 0.1)),),
        build=lambda values, p, side: K.RandomHue(values["hue"], p=p),
        describe=_HUE,
        fits="Things whose colour says nothing about what they are: cars, clothes.",
        can_lie="Where colour is the label, such as ripe or unripe, it changes it.",
        colour_only=True,
        default_p=1.0,
    ),
    OpEntry(
        name="ColorJiggle",
        title="Colour jiggle",
        help="Brightness, contrast, saturation and hue at once, in an order drawn anew for each batch.",
        source="kornia.augmentation.ColorJiggle; Howard 2013, arXiv:1312.5402",
        group="intensity",
        parameters=(
            _brightness((0.8, 1.2)),
            _contrast((0.8, 1.2)),
            _saturation((0.6, 1.4)),
            _hue((-0.05, 0.05)),
        ),
        build=lambda values, p, side: K.ColorJiggle(
            values["brightness"], values["contrast"], values["saturation"], values["hue"], p=p
        ),
        describe=all_of(_BRIGHTNESS, _CONTRAST, _SATURATION, _HUE, _describe_order),
        fits="Photographs; the standard companion of the resized crop.",
        can_lie="Where colour is the label, such as ripe or unripe, it changes it.",
        colour_only=True,
        default_p=1.0,
    ),
    OpEntry(
        name="ColorJitter",
        title="Colour jitter",
        help="As colour jiggle, but brightness multiplies, and contrast stretches around the mean grey.",
        source="kornia.augmentation.ColorJitter; as torchvision's",
        group="intensity",
        parameters=(
            Range(
                "brightness",
                (0.7, 1.3),
                0,
                4,
                "Every value is multiplied by this; 1 leaves the image alone, 0 makes it black.",
                "×",
                0.05,
                neutral=1,
            ),
            Range(
                "contrast",
                (0.7, 1.3),
                0,
                4,
                "How far values lie from the image's mean; 1 leaves it alone, 0 makes it one grey.",
                "×",
                0.05,
                neutral=1,
            ),
            _saturation((0.6, 1.4)),
            _hue((-0.05, 0.05)),
        ),
        build=lambda values, p, side: K.ColorJitter(
            values["brightness"], values["contrast"], values["saturation"], values["hue"], p=p
        ),
        describe=all_of(
            scalar("brightness", "brightness_factor", before="×"),
            _CONTRAST,
            _SATURATION,
            _HUE,
            _describe_order,
        ),
        fits="Photographs, where results are to compare with torchvision's.",
        can_lie="Where colour is the label, such as ripe or unripe, it changes it.",
        colour_only=True,
        default_p=1.0,
    ),
)
