"""More operations that move pixels: the affine family one by one, and bends that no matrix describes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import kornia.augmentation as K
import torch
from kornia.augmentation import AugmentationBase2D

from core.augment.entry import Drawn, OpEntry, Values, all_of, nothing, number, scalar
from core.augment.ops.geometry import PADDING_MODE, RESAMPLE, pair
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


def _build_elastic(values: Mapping[str, Any], p: float, side: int) -> AugmentationBase2D:
    """Kornia moves each pixel by noise that was smoothed, so less the smoother it is; ``alpha`` here is how
    far it moves in the end, as a root mean square along each axis."""
    sigma = max(0.5, values["sigma"] * side)
    reach = math.ceil(2.5 * sigma)
    weights = [math.exp(-0.5 * (x / sigma) ** 2) for x in range(-reach, reach + 1)]
    # White noise between −1 and 1 has the variance 1/3; smoothing keeps Σw² of it, along each axis.
    deviation = math.sqrt(1 / 3) * sum(w**2 for w in weights) / sum(weights) ** 2
    alpha = 2 * values["alpha"] / deviation  # the side is 2 long in Kornia's coordinates
    return K.RandomElasticTransform(
        (2 * reach + 1,) * 2,
        (sigma, sigma),
        (alpha, alpha),
        resample=values["resample"],
        padding_mode=values["padding_mode"],
        p=p,
    )


def _center(name: str, way: str) -> Range:
    text = f"Where the bend has its centre; −1 and 1 are the {way} edges."
    return Range(name, (-0.3, 0.3), -1, 1, text, "", 0.05)


def _translation(name: str, way: str) -> Range:
    return Range(name, (-0.15, 0.15), -0.5, 0.5, f"How far it shifts {way}.", "of the side", 0.01, neutral=0)


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
            Range(
                "shear", (-15.0, 15.0), -60, 60, "How far it leans; 0 keeps it upright.", "°", 1, neutral=0
            ),
            PADDING_MODE,
            RESAMPLE,
        ),
        build=lambda values, p, side: K.RandomShear(**values, p=p),
        describe=scalar("shear", "shear_x", digits=1, unit="°", sign=True),
        fits="Handwriting, which leans one way or the other.",
        can_lie="Far over, beyond about 45°, a stroke that stood lies down, and a square is no square.",
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
                "scale",
                0.2,
                0,
                0.5,
                "How far a point moves at most, each way.",
                "of half the side",
                0.02,
                neutral=0,
            ),
        ),
        build=lambda values, p, side: K.RandomThinPlateSpline(values["scale"], p=p),
        describe=_describe_spline,
        fits="Handwriting, cloth, leaves and other things that bend.",
        can_lie="A strong bend can turn one digit into another.",
    ),
    OpEntry(
        name="RandomElasticTransform",
        title="Elastic bend",
        help="Moves each pixel a little, and its neighbours nearly alike, as if drawn on rubber.",
        source="kornia.augmentation.RandomElasticTransform; Simard et al. 2003, section 2",
        group="geometric",
        parameters=(
            Number(
                "alpha",
                0.03,
                0,
                0.15,
                "How far a pixel moves, about, each way.",
                "of the side",
                0.005,
                neutral=0,
            ),
            Number(
                "sigma",
                0.1,
                0.03,
                0.3,
                "How smooth it is: within this distance pixels move alike.",
                "of the side",
                0.01,
            ),
            PADDING_MODE,
            RESAMPLE,
        ),
        build=_build_elastic,
        describe=nothing,
        fits="Handwriting; the best single operation for digits, beside the affine one. Tissue and cells.",
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
