"""Operations that turn, mirror, shift, scale or lean the image. Outside the image there is black, unless a
parameter says otherwise.

Coordinates are in pixels from the top left, x to the right and y down. One sign for all rotations: a
positive angle turns the image counter-clockwise. Kornia has two (kornia issue 4408): its RandomAffine turns
clockwise for a positive angle, so what it gets and what it drew change their sign here. A positive shear
moves the top to the right in all operations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.augment.entry import Drawn, OpEntry, Values, nothing, number, scalar
from core.catalogue import Choice, Number, Range

RESAMPLE = Choice(
    "resample",
    "bilinear",
    ("bilinear", "nearest"),
    "How a value between pixels is found: mixed, or the nearest.",
)
PADDING_MODE = Choice(
    "padding_mode",
    "zeros",
    ("zeros", "border", "reflection"),
    "What is seen beyond the edge: black, the edge's pixels, or a mirror image.",
)
_DEGREES = "Between which angles the image turns; positive is counter-clockwise."
_SHEAR = "How far it leans; a positive angle moves the top to the right, 0 keeps it upright."


def turn(angle: float, digits: int = 1) -> str:
    """An angle whose positive values turn counter-clockwise, with an arrow for the way that it turns."""
    return f"{number(angle, digits, '°', sign=True)} {'↺' if angle > 0 else '↻'}"


def pair(x: float, y: float, digits: int = 1, unit: str = " px") -> str:
    """Two signed numbers, to the right and down, and their unit."""
    return f"{number(x, digits, sign=True)}, {number(y, digits, unit, sign=True)}"


def _describe_rotation(drawn: Drawn, i: int) -> Values:
    return (("angle", turn(float(drawn["degrees"][i]))),)


def _describe_quarters(drawn: Drawn, i: int) -> Values:
    return (("angle", turn(90 * int(drawn["times"][i].round()), digits=0)),)


def _affine_arguments(values: Mapping[str, Any], side: int) -> dict[str, Any]:
    least, most = values["degrees"]
    return {
        **values,
        "degrees": (0.0 - most, 0.0 - least),  # Kornia's positive angle turns clockwise here
        "translate": (values["translate"], values["translate"]),
    }


def _describe_affine(drawn: Drawn, i: int) -> Values:
    return (
        ("rotation", turn(0.0 - float(drawn["angle"][i]))),
        ("shift", pair(*drawn["translations"][i].tolist())),
        ("scale", "×" + number(drawn["scale"][i, 0], 2)),
        ("shear", number(drawn["shear_x"][i], 1, "°", sign=True)),
    )


def _describe_translate(drawn: Drawn, i: int) -> Values:
    return (("shift", pair(float(drawn["translate_x"][i]), float(drawn["translate_y"][i]))),)


def _translation(name: str, way: str) -> Range:
    return Range(name, (-0.15, 0.15), -0.5, 0.5, f"How far it shifts {way}.", "of the side", 0.01, neutral=0)


GEOMETRY = (
    OpEntry(
        name="RandomHorizontalFlip",
        title="Horizontal flip",
        help="Mirrors the image left to right.",
        source="kornia.augmentation.RandomHorizontalFlip; Krizhevsky et al. 2012, section 4.1",
        group="geometric",
        makes="kornia.augmentation:RandomHorizontalFlip",
        describe=nothing,
        fits="Photographs of things that look as natural mirrored: animals, food, landscapes.",
        can_lie="A mirrored digit, letter, arrow or left hand is no longer what its label says.",
    ),
    OpEntry(
        name="RandomVerticalFlip",
        title="Vertical flip",
        help="Mirrors the image top to bottom.",
        source="kornia.augmentation.RandomVerticalFlip",
        group="geometric",
        makes="kornia.augmentation:RandomVerticalFlip",
        describe=nothing,
        fits="Images without an up and a down: from above, under a microscope, textures.",
        can_lie="A digit, letter or arrow upside down is another one, or none at all.",
    ),
    OpEntry(
        name="RandomRotation",
        title="Rotation",
        help="Turns the image about its centre; a positive angle turns it counter-clockwise.",
        source="kornia.augmentation.RandomRotation",
        group="geometric",
        parameters=(
            Range(
                "degrees",
                (-15.0, 15.0),
                -180,
                180,
                _DEGREES,
                "°",
                1,
                neutral=0,
            ),
            RESAMPLE,
        ),
        makes="kornia.augmentation:RandomRotation",
        describe=_describe_rotation,
        fits="Handwriting and hand-held cameras by a few degrees; images from above by any angle.",
        can_lie="Beyond about 45° a 6 starts to read as a 9, and an arrow points elsewhere.",
        default_p=1.0,
    ),
    OpEntry(
        name="RandomRotation90",
        title="Quarter turns",
        help="Turns the image counter-clockwise by whole quarters; the two ends are drawn half as often.",
        source="kornia.augmentation.RandomRotation90",
        group="geometric",
        parameters=(
            Range("times", (1, 3), -3, 3, "How many quarters it turns.", "quarters", 1, True, neutral=0),
        ),
        makes="kornia.augmentation:RandomRotation90",
        describe=_describe_quarters,
        fits="Images without an up and a down: from above, under a microscope, textures.",
        can_lie="A 6 becomes a 9, and an arrow points elsewhere.",
    ),
    OpEntry(
        name="RandomAffine",
        title="Affine",
        help="Turns, shifts, scales and shears the image in one step; "
        "a positive angle turns it counter-clockwise.",
        source="kornia.augmentation.RandomAffine; Simard et al. 2003, section 2",
        group="geometric",
        parameters=(
            Range(
                "degrees",
                (-10.0, 10.0),
                -180,
                180,
                _DEGREES,
                "°",
                1,
                neutral=0,
            ),
            Number(
                "translate",
                0.1,
                0,
                0.5,
                "How far it shifts at most, each way.",
                "of the side",
                0.01,
                neutral=0,
            ),
            Range(
                "scale",
                (0.9, 1.1),
                0.25,
                4,
                "How much larger it gets; 1 keeps its size.",
                "×",
                0.05,
                neutral=1,
            ),
            Range("shear", (0.0, 0.0), -60, 60, _SHEAR, "°", 1, neutral=0),
            PADDING_MODE,
            RESAMPLE,
        ),
        makes="kornia.augmentation:RandomAffine",
        arguments=_affine_arguments,
        note="Kornia turns clockwise for a positive angle, so the ends of degrees have changed their sign.",
        describe=_describe_affine,
        fits="Nearly everything, gently; the best single operation for handwritten digits.",
        can_lie="Beyond about 45° a 6 starts to read as a 9, and an arrow points elsewhere; "
        "a large shift or scale can push the subject out of view.",
        default_p=1.0,
    ),
    OpEntry(
        name="RandomTranslate",
        title="Translation",
        help="Shifts the image; positive is to the right, and down.",
        source="kornia.augmentation.RandomTranslate",
        group="geometric",
        parameters=(
            _translation("translate_x", "to the right"),
            _translation("translate_y", "down"),
            PADDING_MODE,
            RESAMPLE,
        ),
        makes="kornia.augmentation:RandomTranslate",
        describe=_describe_translate,
        fits="Things that are not always in the middle.",
        can_lie="A large shift can push the subject out of view.",
        default_p=1.0,
    ),
    OpEntry(
        name="RandomShear",
        title="Shear",
        help="Leans the image; a positive angle moves the top to the right.",
        source="kornia.augmentation.RandomShear",
        group="geometric",
        parameters=(
            Range("shear", (-15.0, 15.0), -60, 60, _SHEAR, "°", 1, neutral=0),
            PADDING_MODE,
            RESAMPLE,
        ),
        makes="kornia.augmentation:RandomShear",
        describe=scalar("shear", "shear_x", digits=1, unit="°", sign=True),
        fits="Handwriting, which leans one way or the other.",
        can_lie="Far over, beyond about 45°, a stroke that stood lies down, and a square is no square.",
        default_p=1.0,
    ),
)
