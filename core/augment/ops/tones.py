"""More operations that change values: tone curves, filters, light, and the play of channels."""

from __future__ import annotations

import kornia.augmentation as K

from core.augment.entry import Describe, Drawn, OpEntry, Values, all_of, nothing, number, scalar
from core.catalogue import Choice, Number, Range


def _describe_bits(drawn: Drawn, i: int) -> Values:
    return (("levels", f"{2 ** int(drawn['bits_factor'][i])}"),)


def describe_light(drawn: Drawn, i: int) -> Values:
    light = drawn["gradient"][i].flatten()
    return (("at most", number(light[light.abs().argmax()], 2, sign=True)),)


def _describe_channels(key: str, label: str) -> Describe:
    def describe(drawn: Drawn, i: int) -> Values:
        return ((label, ", ".join(("red", "green", "blue")[int(c)] for c in drawn[key][i])),)

    return describe


def kernel(*sizes: str) -> Choice:
    return Choice("kernel_size", sizes[0], sizes, "Over how many pixels, across and down, it is taken.", "px")


def _shift(channel: str) -> Number:
    text = f"How much {channel} gains or loses at most."
    return Number(f"{channel[0]}_shift_limit", 0.2, 0, 1, text, "", 0.05, neutral=0)


ROUGHNESS = Range("roughness", (0.1, 0.7), 0, 1, "From soft clouds (0) to fine grain (1).", "", 0.05)
_GAIN = Range("gain", (0.1, 0.4), 0, 1, "How much light is added or taken at most.", "", 0.05, neutral=0)

TONES = (
    OpEntry(
        name="RandomGamma",
        title="Gamma",
        help="Raises every value to a power: above 1 darkens the middle tones, below 1 brightens them.",
        source="kornia.augmentation.RandomGamma",
        group="intensity",
        parameters=(
            Range("gamma", (0.6, 1.8), 0.1, 5, "The power; 1 leaves the image alone.", "", 0.1, neutral=1),
        ),
        build=lambda values, p, side: K.RandomGamma(values["gamma"], p=p),
        describe=scalar("gamma", "gamma_factor"),
        fits="Photographs from different screens, cameras and scanners.",
        default_p=1.0,
    ),
    OpEntry(
        name="RandomInvert",
        title="Invert",
        help="Turns the image into its negative.",
        source="kornia.augmentation.RandomInvert",
        group="intensity",
        build=lambda values, p, side: K.RandomInvert(p=p),
        describe=nothing,
        fits="Writing that is dark on light as well as light on dark.",
        can_lie="Where light and dark are the label, such as chess pieces, it swaps them.",
    ),
    OpEntry(
        name="RandomSolarize",
        title="Solarise",
        help="Adds an amount to every value, then inverts those above a threshold.",
        source="kornia.augmentation.RandomSolarize; Cubuk et al. 2018, arXiv:1805.09501",
        group="intensity",
        parameters=(
            Range("thresholds", (0.4, 0.6), 0, 1, "Above which value pixels are inverted.", "", 0.05),
            Range("additions", (-0.1, 0.1), -0.5, 0.5, "What is added before.", "", 0.05),
        ),
        build=lambda values, p, side: K.RandomSolarize(values["thresholds"], values["additions"], p=p),
        describe=all_of(scalar("threshold", "thresholds"), scalar("added", "additions", sign=True)),
        fits="Large photographic sets, as one of many strong operations.",
        can_lie="Where light and dark are the label, such as chess pieces, it mixes them up.",
    ),
    OpEntry(
        name="RandomPosterize",
        title="Posterise",
        help="Keeps only the highest bits of each value; the two ends are drawn half as often.",
        source="kornia.augmentation.RandomPosterize; Cubuk et al. 2018, arXiv:1805.09501",
        group="intensity",
        parameters=(
            Range("bits", (2, 4), 1, 8, "How many are kept; 8 is all of them.", "bits", 1, True, neutral=8),
        ),
        build=lambda values, p, side: K.RandomPosterize(values["bits"], p=p),
        describe=_describe_bits,
        fits="Large photographic sets, as one of many strong operations.",
        can_lie="With one bit left, what is grey turns all black.",
    ),
    OpEntry(
        name="RandomEqualize",
        title="Equalise",
        help="Spreads the values of each image evenly from black to white.",
        source="kornia.augmentation.RandomEqualize; Cubuk et al. 2018, arXiv:1805.09501",
        group="intensity",
        build=lambda values, p, side: K.RandomEqualize(p=p),
        describe=nothing,
        fits="Photographs in fog or with poor exposure, X-rays.",
    ),
    OpEntry(
        name="RandomAutoContrast",
        title="Auto-contrast",
        help="Stretches each channel of each image until it reaches from black to white.",
        source="kornia.augmentation.RandomAutoContrast; Cubuk et al. 2018, arXiv:1805.09501",
        group="intensity",
        build=lambda values, p, side: K.RandomAutoContrast(p=p),
        describe=nothing,
        fits="Photographs with poor exposure; nothing that is black and white already.",
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
        build=lambda values, p, side: K.RandomSharpness(values["sharpness"], p=p),
        describe=scalar("sharpness", "sharpness"),
        fits="Photographs from cameras that sharpen differently.",
    ),
    OpEntry(
        name="RandomBoxBlur",
        title="Box blur",
        help="Replaces every value by the mean of its neighbourhood.",
        source="kornia.augmentation.RandomBoxBlur",
        group="intensity",
        parameters=(kernel("3", "5", "7"),),
        build=lambda values, p, side: K.RandomBoxBlur((int(values["kernel_size"]),) * 2, p=p),
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
            Range("angle", (-180.0, 180.0), -180, 180, "Between which angles the line lies.", "°", 1),
            Range(
                "direction",
                (-1.0, 1.0),
                -1,
                1,
                "−1 trails behind, 1 ahead, 0 both alike.",
                "",
                0.1,
            ),
        ),
        # Kornia's own border, black, would darken the edges.
        build=lambda values, p, side: K.RandomMotionBlur(
            int(values["kernel_size"]), values["angle"], values["direction"], border_type="replicate", p=p
        ),
        describe=all_of(
            scalar("angle", "angle_factor", digits=1, unit="°", sign=True),
            scalar("direction", "direction_factor", sign=True),
        ),
        fits="Hand-held and driving cameras.",
        can_lie="A long smear across a thin stroke wipes it out.",
    ),
    OpEntry(
        name="RandomLinearIllumination",
        title="Light from a side",
        help="Adds or takes light, growing from one side of the image to the other.",
        source="kornia.augmentation.RandomLinearIllumination",
        group="intensity",
        parameters=(_GAIN,),
        build=lambda values, p, side: K.RandomLinearIllumination(values["gain"], p=p),
        describe=describe_light,
        fits="Photographs and scans that are lit unevenly.",
    ),
    OpEntry(
        name="RandomLinearCornerIllumination",
        title="Light from a corner",
        help="Adds or takes light, growing from one corner of the image to the opposite one.",
        source="kornia.augmentation.RandomLinearCornerIllumination",
        group="intensity",
        parameters=(_GAIN,),
        build=lambda values, p, side: K.RandomLinearCornerIllumination(values["gain"], p=p),
        describe=describe_light,
        fits="Photographs and scans that are lit unevenly.",
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
        build=lambda values, p, side: K.RandomPlasmaBrightness(values["roughness"], values["intensity"], p=p),
        describe=all_of(scalar("roughness", "roughness"), scalar("intensity", "intensity")),
        fits="Outdoor photographs, with shadows of leaves and clouds.",
    ),
    OpEntry(
        name="RandomGrayscale",
        title="Grey",
        help="Takes all colour away.",
        source="kornia.augmentation.RandomGrayscale; Chen et al. 2020, arXiv:2002.05709",
        group="intensity",
        build=lambda values, p, side: K.RandomGrayscale(p=p),
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
        build=lambda values, p, side: K.RandomChannelShuffle(p=p),
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
        build=lambda values, p, side: K.RandomChannelDropout(values["num_drop_channels"], p=p),
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
        build=lambda values, p, side: K.RandomRGBShift(**values, p=p),
        describe=all_of(
            scalar("red", "r_shift", sign=True),
            scalar("green", "g_shift", sign=True),
            scalar("blue", "b_shift", sign=True),
        ),
        fits="Photographs under lamps of different colours.",
        can_lie="Where colour is the label, such as ripe or unripe, it changes it.",
        colour_only=True,
    ),
)
