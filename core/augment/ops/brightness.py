"""Operations that make values brighter or darker, and contrasts larger or smaller, all over the image.

Values are in [0, 1].
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.augment.entry import Drawn, OpEntry, Values, all_of, nothing, scalar
from core.catalogue import Number, Range

# Kornia adds the drawn factor less 1.
DESCRIBE_BRIGHTNESS = scalar("brightness", "brightness_factor", minus=1.0, sign=True)
DESCRIBE_CONTRAST = scalar("contrast", "contrast_factor", before="×")


def brightness_range(default: tuple[float, float]) -> Range:
    """How much is added to every value, as Kornia counts it: 1 adds nothing."""
    text = "1 leaves the image alone; 1.2 adds 0.2 to every value, 0.8 takes 0.2 away."
    return Range("brightness", default, 0, 2, text, "", 0.05, neutral=1)


def contrast_range(default: tuple[float, float]) -> Range:
    """By how much every value is multiplied."""
    text = "Every value is multiplied by this; 1 leaves the image alone, 0 makes it black."
    return Range("contrast", default, 0, 4, text, "×", 0.05, neutral=1)


def _describe_bits(drawn: Drawn, i: int) -> Values:
    return (("levels", f"{2 ** int(drawn['bits_factor'][i])}"),)


def _clahe_arguments(values: Mapping[str, Any], side: int) -> dict[str, Any]:
    grid = min(values["grid_size"], side // 2)  # a tile has 2 × 2 pixels at least
    return {"clip_limit": values["clip_limit"], "grid_size": (grid, grid)}


BRIGHTNESS = (
    OpEntry(
        name="RandomBrightness",
        title="Brightness",
        help="Adds the same amount to every value, or takes it away.",
        source="kornia.augmentation.RandomBrightness",
        group="intensity",
        parameters=(brightness_range((0.7, 1.3)),),
        makes="kornia.augmentation:RandomBrightness",
        describe=DESCRIBE_BRIGHTNESS,
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
        parameters=(contrast_range((0.6, 1.4)),),
        makes="kornia.augmentation:RandomContrast",
        describe=DESCRIBE_CONTRAST,
        fits="Photographs under changing light, scans of faint ink.",
        can_lie="Near 0 all is black.",
        default_p=1.0,
    ),
    OpEntry(
        name="RandomGamma",
        title="Gamma",
        help="Raises every value to a power: above 1 darkens the middle tones, below 1 brightens them.",
        source="kornia.augmentation.RandomGamma",
        group="intensity",
        parameters=(
            Range("gamma", (0.6, 1.8), 0.1, 5, "The power; 1 leaves the image alone.", "", 0.1, neutral=1),
        ),
        makes="kornia.augmentation:RandomGamma",
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
        makes="kornia.augmentation:RandomInvert",
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
        makes="kornia.augmentation:RandomSolarize",
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
        makes="kornia.augmentation:RandomPosterize",
        describe=_describe_bits,
        fits="Large photographic sets, as one of many strong operations.",
        can_lie="With one bit left, the darker half of all values turns black and the lighter half one grey.",
    ),
    OpEntry(
        name="RandomEqualize",
        title="Equalise",
        help="Spreads the values of each channel of each image evenly from black to white; Kornia's leaves "
        "images of fewer than 16 pixels a side as they are.",
        source="kornia.augmentation.RandomEqualize; Cubuk et al. 2018, arXiv:1805.09501",
        group="intensity",
        makes="kornia.augmentation:RandomEqualize",
        describe=nothing,
        fits="Photographs in fog or with poor exposure, X-rays.",
    ),
    OpEntry(
        name="RandomAutoContrast",
        title="Auto-contrast",
        help="Stretches each channel of each image until it reaches from black to white.",
        source="kornia.augmentation.RandomAutoContrast; Cubuk et al. 2018, arXiv:1805.09501",
        group="intensity",
        makes="kornia.augmentation:RandomAutoContrast",
        describe=nothing,
        fits="Photographs with poor exposure; what reaches from black to white already stays as it is.",
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
        makes="kornia.augmentation:RandomClahe",
        arguments=_clahe_arguments,
        describe=scalar("limit", "clip_limit_factor", digits=1),
        fits="X-rays, microscope images, and photographs with deep shadows.",
    ),
)
