"""More operations that move pixels: the affine family one by one, and bends that no matrix describes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import kornia.augmentation as K
import torch
from kornia.augmentation import AugmentationBase2D

from core.augment.entry import Drawn, OpEntry, Values, all_of, number, scalar
from core.augment.geometric import PADDING_MODE, RESAMPLE, pair
from core.catalogue import Number, Range


def _describe_translate(drawn: Drawn, i: int) -> Values:
    return (("shift", pair(float(drawn["translate_x"][i]), float(drawn["translate_y"][i]))),)


def _describe_quarters(drawn: Drawn, i: int) -> Values:
    quarters = int(drawn["times"][i].round())
    return (("angle", f"{number(90 * quarters, 0, '°', sign=True)} {'↺' if quarters > 0 else '↻'}"),)


def _describe_spline(drawn: Drawn, i: int) -> Values:
    moves = (drawn["dst"][i] - drawn["src"][i]).norm(dim=-1) / 2  # coordinates span -1 to 1
    return (("furthest point moved", number(100 * moves.max(), 1, " % of the side")),)


def _build_fisheye(values: Mapping[str, Any], p: float, side: int) -> AugmentationBase2D:
    center_x, center_y, gamma = (torch.tensor(values[name]) for name in ("center_x", "center_y", "gamma"))
    return K.RandomFisheye(center_x, center_y, gamma, p=p)


def _center(name: str, way: str) -> Range:
    text = f"Where the bend has its centre; −1 and 1 are the {way} edges."
    return Range(name, (-0.3, 0.3), -1, 1, text, "", 0.05)


def _translation(name: str, way: str) -> Range:
    return Range(name, (-0.15, 0.15), -0.5, 0.5, f"How far it shifts {way}.", "of the side", 0.01)


WARPS = (
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
        build=lambda values, p, side: K.RandomTranslate(**values, p=p),
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
            Range("shear", (-15.0, 15.0), -60, 60, "How far it leans; 0 keeps it upright.", "°", 1),
            PADDING_MODE,
            RESAMPLE,
        ),
        build=lambda values, p, side: K.RandomShear(**values, p=p),
        describe=scalar("shear", "shear_x", digits=1, unit="°", sign=True),
        fits="Handwriting, which leans one way or the other.",
        default_p=1.0,
    ),
    OpEntry(
        name="RandomRotation90",
        title="Quarter turns",
        help="Turns the image counter-clockwise by whole quarters; the two ends are drawn half as often.",
        source="kornia.augmentation.RandomRotation90",
        group="geometric",
        parameters=(Range("times", (1, 3), -3, 3, "How many quarters it turns.", "quarters", 1, True),),
        build=lambda values, p, side: K.RandomRotation90(values["times"], p=p),
        describe=_describe_quarters,
        fits="Images without an up and a down: from above, under a microscope, textures.",
        can_lie="A 6 becomes a 9, and an arrow points elsewhere.",
    ),
    OpEntry(
        name="RandomThinPlateSpline",
        title="Thin-plate bend",
        help="Moves the corners and the centre at random, and bends the image smoothly in between.",
        source="kornia.augmentation.RandomThinPlateSpline; Bookstein 1989",
        group="geometric",
        parameters=(
            Number(
                "scale", 0.2, 0.02, 0.5, "How far a point moves at most, each way.", "of half the side", 0.02
            ),
        ),
        build=lambda values, p, side: K.RandomThinPlateSpline(values["scale"], p=p),
        describe=_describe_spline,
        fits="Handwriting, cloth, leaves and other things that bend.",
        can_lie="A strong bend can turn one digit into another.",
    ),
    OpEntry(
        name="RandomFisheye",
        title="Fisheye",
        help="Draws the image together towards its middle, as a very wide lens does.",
        source="kornia.augmentation.RandomFisheye",
        group="geometric",
        parameters=(
            _center("center_x", "left and right"),
            _center("center_y", "upper and lower"),
            Range("gamma", (0.9, 1.5), 0.3, 4, "How late the bend sets in, away from its centre.", "", 0.1),
        ),
        build=_build_fisheye,
        describe=all_of(
            scalar("centre x", "center_x", sign=True),
            scalar("centre y", "center_y", sign=True),
            scalar("gamma", "gamma"),
        ),
        fits="Wide-angle cameras, as in doors and cars.",
    ),
)
