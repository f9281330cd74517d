"""Operations that change colours. All need three channels."""

from __future__ import annotations

from core.augment.entry import Describe, Drawn, OpEntry, Values, all_of, nothing, scalar
from core.augment.ops.brightness import (
    DESCRIBE_BRIGHTNESS,
    DESCRIBE_CONTRAST,
    brightness_range,
    contrast_range,
)
from core.catalogue import Choice, Number, Range

_DESCRIBE_SATURATION = scalar("saturation", "saturation_factor", before="×")
_DESCRIBE_HUE = scalar("hue", "hue_factor", times=360.0, digits=0, unit="°", sign=True)


def _describe_order(drawn: Drawn, i: int) -> Values:
    names = ("brightness", "contrast", "saturation", "hue")
    return (("order", ", ".join(names[int(step)] for step in drawn["order"])),)


def _describe_channels(key: str, label: str) -> Describe:
    def describe(drawn: Drawn, i: int) -> Values:
        return ((label, ", ".join(("red", "green", "blue")[int(c)] for c in drawn[key][i])),)

    return describe


def _describe_illuminant(drawn: Drawn, i: int) -> Values:
    return (("illuminant", f"no. {int(drawn['idx'][i]) + 1}"),)


def _saturation(default: tuple[float, float]) -> Range:
    text = "0 makes the image grey, 1 leaves it alone, 2 doubles how vivid it is."
    return Range("saturation", default, 0, 4, text, "×", 0.05, neutral=1)


def _hue(default: tuple[float, float]) -> Range:
    text = "How far colours move around the colour wheel; 0 leaves them alone, 0.5 is the opposite side."
    return Range("hue", default, -0.5, 0.5, text, "turns", 0.01, neutral=0)


def _shift(channel: str) -> Number:
    text = f"How much {channel} gains or loses at most."
    return Number(f"{channel[0]}_shift_limit", 0.2, 0, 1, text, "", 0.05, neutral=0)


COLOUR = (
    OpEntry(
        name="RandomSaturation",
        title="Saturation",
        help="Makes colours paler or more vivid.",
        source="kornia.augmentation.RandomSaturation",
        group="intensity",
        parameters=(_saturation((0.4, 1.6)),),
        makes="kornia.augmentation:RandomSaturation",
        describe=_DESCRIBE_SATURATION,
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
        makes="kornia.augmentation:RandomHue",
        describe=_DESCRIBE_HUE,
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
            brightness_range((0.8, 1.2)),
            contrast_range((0.8, 1.2)),
            _saturation((0.6, 1.4)),
            _hue((-0.05, 0.05)),
        ),
        makes="kornia.augmentation:ColorJiggle",
        describe=all_of(
            DESCRIBE_BRIGHTNESS, DESCRIBE_CONTRAST, _DESCRIBE_SATURATION, _DESCRIBE_HUE, _describe_order
        ),
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
        makes="kornia.augmentation:ColorJitter",
        describe=all_of(
            scalar("brightness", "brightness_factor", before="×"),
            DESCRIBE_CONTRAST,
            _DESCRIBE_SATURATION,
            _DESCRIBE_HUE,
            _describe_order,
        ),
        fits="Photographs, where results are to compare with torchvision's.",
        can_lie="Where colour is the label, such as ripe or unripe, it changes it.",
        colour_only=True,
        default_p=1.0,
    ),
    OpEntry(
        name="RandomGrayscale",
        title="Grey",
        help="Takes all colour away.",
        source="kornia.augmentation.RandomGrayscale; Chen et al. 2020, arXiv:2002.05709",
        group="intensity",
        makes="kornia.augmentation:RandomGrayscale",
        describe=nothing,
        fits="Things that are known by their shape.",
        can_lie="Where colour is the label, such as ripe or unripe, it hides it.",
        colour_only=True,
        default_p=0.2,
    ),
    OpEntry(
        name="RandomChannelShuffle",
        title="Shuffle channels",
        help="Puts red, green and blue in a random order.",
        source="kornia.augmentation.RandomChannelShuffle",
        group="intensity",
        makes="kornia.augmentation:RandomChannelShuffle",
        describe=_describe_channels("channels", "order"),
        fits="Things whose colour says nothing about what they are: cars, clothes.",
        can_lie="Where colour is the label, such as ripe or unripe, it changes it.",
        colour_only=True,
    ),
    OpEntry(
        name="RandomChannelDropout",
        title="Drop a channel",
        help="Sets one or two of red, green and blue to black.",
        source="kornia.augmentation.RandomChannelDropout",
        group="intensity",
        parameters=(Number("num_drop_channels", 1, 1, 2, "How many are dropped.", "channels", 1, True),),
        makes="kornia.augmentation:RandomChannelDropout",
        describe=_describe_channels("channel_idx", "dropped"),
        fits="Satellite images, and networks that lean on one colour.",
        can_lie="Where colour is the label, such as ripe or unripe, it hides it.",
        colour_only=True,
    ),
    OpEntry(
        name="RandomRGBShift",
        title="Colour shift",
        help="Adds a different amount to each of red, green and blue.",
        source="kornia.augmentation.RandomRGBShift",
        group="intensity",
        parameters=(_shift("red"), _shift("green"), _shift("blue")),
        makes="kornia.augmentation:RandomRGBShift",
        describe=all_of(
            scalar("red", "r_shift", sign=True),
            scalar("green", "g_shift", sign=True),
            scalar("blue", "b_shift", sign=True),
        ),
        fits="Photographs under lamps of different colours.",
        can_lie="Where colour is the label, such as ripe or unripe, it changes it.",
        colour_only=True,
    ),
    OpEntry(
        name="RandomPlanckianJitter",
        title="Lamp colour",
        help="Shows the scene under another light, from the orange of a light bulb to the blue of a clear "
        "sky.",
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
        makes="kornia.augmentation:RandomPlanckianJitter",
        describe=_describe_illuminant,
        fits="Photographs indoors and outdoors, with the wrong white balance.",
        can_lie="Where a slight tint is the label, such as ripe or unripe, it changes it.",
        colour_only=True,
    ),
)
