"""Automatic policies: one entry picks among many operations for each image, and how strong they are."""

from __future__ import annotations

from core.augment.entry import Describe, Drawn, OpEntry, Values, scalar
from core.augment.modules.policy_kinds import KINDS, of_kind
from core.augment.ops.geometry import turn
from core.catalogue import Choice, Number


def _plainly(label: str) -> Describe:
    return lambda drawn, i: ((label, "yes"),)


def _describe_turn(drawn: Drawn, i: int) -> Values:
    return (("rotation", turn(float(drawn["degrees"][i]))),)


def _describe_levels(drawn: Drawn, i: int) -> Values:
    return (("posterise", f"{2 ** int(drawn['bits_factor'][i])} levels"),)


SHOWN: dict[str, Describe] = {
    "AutoContrast": _plainly("auto-contrast"),
    "Equalize": _plainly("equalise"),
    "Invert": _plainly("invert"),
    "Rotate": _describe_turn,
    "Posterize": _describe_levels,
    "Solarize": scalar("solarise above", "thresholds"),
    "SolarizeAdd": scalar("solarise, added", "additions", sign=True),
    "Saturate": scalar("saturation", "saturation_factor", before="×"),
    "Contrast": scalar("contrast", "contrast_factor", before="×"),
    "Brightness": scalar("brightness", "brightness_factor", minus=1.0, sign=True),
    "Sharpness": scalar("sharpness", "sharpness"),
    "ShearX": scalar("shear across", "shear_x", digits=1, unit="°", sign=True),
    "ShearY": scalar("shear down", "shear_y", digits=1, unit="°", sign=True),
    "TranslateX": scalar("shift right", "translate_x", digits=1, unit=" px", sign=True),
    "TranslateY": scalar("shift down", "translate_y", digits=1, unit=" px", sign=True),
}


def describe_picks(drawn: Drawn, i: int) -> Values:
    """Each operation that ran on image ``i``, in order, and how strong it was."""
    shown: Values = ()
    for kind, place in zip(drawn["kind"][i].tolist(), drawn["place"][i].tolist(), strict=True):
        if kind >= 0:
            own = {name: value[:, place] for name, value in of_kind(drawn, kind).items()}
            shown += SHOWN[KINDS[kind]](own, i)
    return shown or (("operations", "none this time"),)


_CAN_LIE = (
    "At its strongest it turns by up to 30° and shears by up to 54°; it inverts and shifts: an arrow may "
    "point elsewhere, a digit leave the view."
)

POLICIES = (
    OpEntry(
        name="TrivialAugment",
        title="TrivialAugment",
        help="One of twelve operations for each image, at a strength drawn anew; there is nothing to tune. "
        "The ranges are Kornia's; the paper has fourteen operations, one of which changes nothing.",
        source="kornia.augmentation.auto.TrivialAugment; Müller & Hutter 2021, arXiv:2103.10158",
        group="policy",
        makes="core.augment.modules.per_image:TrivialAugmentPerImage",
        describe=describe_picks,
        fits="Photographs, as the first thing to try: in its paper it did as well as policies that were "
        "searched for.",
        can_lie="It shifts by up to half the side, shears by up to 54° and darkens to black: a small "
        "subject may be gone.",
        default_p=1.0,
    ),
    OpEntry(
        name="RandAugment",
        title="RandAugment",
        help="A few of fifteen operations for each image, all at one strength, in Kornia's ranges, which "
        "are not the paper's; on grey images of fourteen, without saturation.",
        source="kornia.augmentation.auto.RandAugment; Cubuk et al. 2019, arXiv:1909.13719",
        group="policy",
        parameters=(
            Number("n", 2, 1, 6, "How many operations, one after the other.", "operations", 1, True),
            Number(
                "m",
                10,
                1,
                29,
                "How far it turns, shears, shifts and posterises, and what “solarise, added” adds. It is no "
                "strength for the others: "
                "brightness, contrast, saturation and sharpness change nothing at 15 and most at 1 and 29, "
                "and solarising changes most at 1.",
                "of 30",
                1,
                True,
            ),
        ),
        makes="core.augment.modules.per_image:RandAugmentPerImage",
        describe=describe_picks,
        fits="Large photographic sets; two numbers to tune instead of a pipeline.",
        can_lie=_CAN_LIE,
        default_p=1.0,
    ),
    OpEntry(
        name="AutoAugment",
        title="AutoAugment",
        help="One of 25 pairs of operations for each image, found by a search on a known set; each of the "
        "two runs with a probability of its own. On grey images the pairs that change saturation are left "
        "out. The ranges are Kornia's: each pair turns, shears and shifts one way only.",
        source="kornia.augmentation.auto.AutoAugment; Cubuk et al. 2018, arXiv:1805.09501",
        group="policy",
        parameters=(
            Choice(
                "policy",
                "imagenet",
                ("imagenet", "cifar10", "svhn"),
                "On which set it was found: photographs, small photographs, or house numbers.",
            ),
        ),
        makes="core.augment.modules.per_image:AutoAugmentPerImage",
        describe=describe_picks,
        fits="Sets that resemble the one it was found on.",
        can_lie="Depending on the set, it turns by up to 30°, shears by up to 54°, shifts by up to half the "
        "side, and inverts: an arrow may point elsewhere, a digit leave the view.",
        default_p=1.0,
    ),
)
