"""Operations that move pixels. Outside the image there is black, unless a parameter says otherwise.

Coordinates are in pixels from the top left, x to the right and y down. Kornia's two rotations turn
opposite ways for a positive angle (kornia issue 4408); what is shown carries an arrow for the way the
image really turned.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import kornia.augmentation as K
from kornia.augmentation import AugmentationBase2D

from core.augment.entry import Drawn, OpEntry, Values, nothing, number
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


def turn(angle: float, counter_clockwise: bool) -> str:
    """A signed angle as it was drawn, and an arrow for the way that the image turned."""
    return f"{number(angle, 1, '°', sign=True)} {'↺' if counter_clockwise else '↻'}"


def pair(x: float, y: float, digits: int = 1, unit: str = " px") -> str:
    """Two signed numbers, to the right and down, and their unit."""
    return f"{number(x, digits, sign=True)}, {number(y, digits, unit, sign=True)}"


def _describe_rotation(drawn: Drawn, i: int) -> Values:
    angle = float(drawn["degrees"][i])
    return (("angle", turn(angle, angle > 0)),)


def _build_affine(values: Mapping[str, Any], p: float, side: int) -> AugmentationBase2D:
    return K.RandomAffine(
        degrees=values["degrees"],
        translate=(values["translate"], values["translate"]),
        scale=values["scale"],
        shear=values["shear"],  # two numbers: along x only, as in Kornia
        resample=values["resample"],
        padding_mode=values["padding_mode"],
        p=p,
    )


def _describe_affine(drawn: Drawn, i: int) -> Values:
    angle = float(drawn["angle"][i])
    return (
        ("rotation", turn(angle, angle < 0)),
        ("shift", pair(*drawn["translations"][i].tolist())),
        ("scale", "×" + number(drawn["scale"][i, 0], 2)),
        ("shear", number(drawn["shear_x"][i], 1, "°", sign=True)),
    )


def _build_resized_crop(values: Mapping[str, Any], p: float, side: int) -> AugmentationBase2D:
    # "resample" is one warp of the batch, "slice" a Python loop over its images; they agree to 5e-6.
    return K.RandomResizedCrop(
        (side, side),
        scale=values["scale"],
        ratio=values["ratio"],
        resample=values["resample"],
        cropping_mode="resample",
        p=p,
    )


def _describe_resized_crop(drawn: Drawn, i: int) -> Values:
    (left, top), _, (right, bottom), _ = drawn["src"][i].tolist()  # corners, both ends inside the box
    size = f"{number(right - left + 1, 0)}×{number(bottom - top + 1, 0, ' px')}"
    return (("box", f"{size} at ({number(left, 0)}, {number(top, 0)})"),)


def _build_crop(values: Mapping[str, Any], p: float, side: int) -> AugmentationBase2D:
    return K.RandomCrop(
        (side, side),
        padding=max(1, round(values["padding"] * side)) if values["padding"] else 0,
        padding_mode=values["padding_mode"],
        p=p,
    )


def _describe_crop(drawn: Drawn, i: int) -> Values:
    left, _, top, _ = drawn["padding_size"][i].tolist()
    x, y = drawn["src"][i, 0].tolist()
    return (("shift", pair(left - x, top - y, 0)),)


def _describe_perspective(drawn: Drawn, i: int) -> Values:
    moves = (drawn["end_points"][i] - drawn["start_points"][i]).norm(dim=-1).tolist()  # 4 corners
    return (("corners moved", ", ".join(number(move) for move in moves) + " px"),)


GEOMETRIC = (
    OpEntry(
        name="RandomHorizontalFlip",
        title="Horizontal flip",
        help="Mirrors the image left to right.",
        source="kornia.augmentation.RandomHorizontalFlip; Krizhevsky et al. 2012, section 4.1",
        group="geometric",
        build=lambda values, p, side: K.RandomHorizontalFlip(p=p),
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
        build=lambda values, p, side: K.RandomVerticalFlip(p=p),
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
                "Between which angles the image turns.",
                "°",
                1,
                neutral=0,
            ),
            RESAMPLE,
        ),
        build=lambda values, p, side: K.RandomRotation(values["degrees"], resample=values["resample"], p=p),
        describe=_describe_rotation,
        fits="Handwriting and hand-held cameras by a few degrees; images from above by any angle.",
        can_lie="Beyond about 45° a 6 starts to read as a 9, and an arrow points elsewhere.",
        default_p=1.0,
    ),
    OpEntry(
        name="RandomAffine",
        title="Affine",
        help="Turns, shifts, scales and shears the image in one step; a positive angle turns it clockwise.",
        source="kornia.augmentation.RandomAffine; Simard et al. 2003, section 2",
        group="geometric",
        parameters=(
            Range(
                "degrees",
                (-10.0, 10.0),
                -180,
                180,
                "Between which angles the image turns.",
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
            Range("shear", (0.0, 0.0), -60, 60, "How far it leans; 0 keeps it upright.", "°", 1, neutral=0),
            PADDING_MODE,
            RESAMPLE,
        ),
        build=_build_affine,
        describe=_describe_affine,
        fits="Nearly everything, gently; the best single operation for handwritten digits.",
        can_lie="Beyond about 45° a 6 starts to read as a 9, and an arrow points elsewhere; "
        "a large shift or scale can push the subject out of view.",
        default_p=1.0,
    ),
    OpEntry(
        name="RandomResizedCrop",
        title="Resized crop",
        help="Cuts out a part of the image and enlarges it to the whole size.",
        source="kornia.augmentation.RandomResizedCrop; Szegedy et al. 2014, arXiv:1409.4842",
        group="geometric",
        parameters=(
            Range(
                "scale", (0.5, 1.0), 0.05, 1, "How much of the area is kept.", "of the area", 0.05, neutral=1
            ),
            Range(
                "ratio",
                (0.75, 1.33),
                0.25,
                4,
                "Width over height of the part that is cut out.",
                "",
                0.01,
                neutral=1,
            ),
            RESAMPLE,
        ),
        build=_build_resized_crop,
        describe=_describe_resized_crop,
        fits="Photographs whose subject fills the frame; the standard for ImageNet.",
        can_lie="A small crop may leave out the very thing that the label names.",
        default_p=1.0,
        fixed_p=True,
    ),
    OpEntry(
        name="RandomCrop",
        title="Crop with padding",
        help="Pads the image on all sides and cuts its size out again at random: it shifts by whole pixels.",
        source="kornia.augmentation.RandomCrop; He et al. 2015, arXiv:1512.03385, section 4.2",
        group="geometric",
        parameters=(
            Number(
                "padding",
                0.125,
                0,
                0.5,
                "How far it shifts at most, each way.",
                "of the side",
                0.005,
                neutral=0,
            ),
            Choice(
                "padding_mode",
                "constant",
                ("constant", "reflect", "replicate"),
                "What is added around the image: black, a mirror image, or the edge's pixels.",
            ),
        ),
        build=_build_crop,
        describe=_describe_crop,
        fits="Small images such as CIFAR's, where 4 pixels of 32 are usual.",
        can_lie="A large shift can push the subject out of view.",
        default_p=1.0,
        fixed_p=True,
    ),
    OpEntry(
        name="RandomPerspective",
        title="Perspective",
        help="Moves the four corners at random, as if the camera looked from the side.",
        source="kornia.augmentation.RandomPerspective",
        group="geometric",
        parameters=(
            Number(
                "distortion_scale",
                0.3,
                0,
                0.9,
                "How far a corner moves at most.",
                "of half the side",
                0.05,
                neutral=0,
            ),
            Choice(
                "sampling_method",
                "basic",
                ("basic", "area_preserving"),
                "Corners move inwards only (basic), or inwards and outwards (area_preserving).",
            ),
            RESAMPLE,
        ),
        build=lambda values, p, side: K.RandomPerspective(
            values["distortion_scale"],
            sampling_method=values["sampling_method"],
            resample=values["resample"],
            p=p,
        ),
        describe=_describe_perspective,
        fits="Flat things seen by a camera: signs, pages, screens, buildings.",
        can_lie="Near its largest distortion the subject is a sliver, or cut off.",
    ),
)
