"""Operations that bend the image, or show it as another lens or point of view would."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from core.augment.entry import Drawn, OpEntry, Values, all_of, nothing, number, scalar
from core.augment.ops.geometry import PADDING_MODE, RESAMPLE
from core.catalogue import Choice, Number, Range


def _describe_perspective(drawn: Drawn, i: int) -> Values:
    moves = (drawn["end_points"][i] - drawn["start_points"][i]).norm(dim=-1).tolist()  # 4 corners
    return (("corners moved", ", ".join(number(move) for move in moves) + " px"),)


def _describe_spline(drawn: Drawn, i: int) -> Values:
    moves = (drawn["dst"][i] - drawn["src"][i]).norm(dim=-1) / 2  # coordinates span -1 to 1
    return (("furthest point moved", number(100 * moves.max(), 1, " % of the side")),)


def _elastic_arguments(values: Mapping[str, Any], side: int) -> dict[str, Any]:
    """Kornia moves each pixel by noise that was smoothed: the smoother it is, the less it moves. Our
    ``alpha`` is how far it moves in the end, as a root mean square along each axis."""
    sigma = max(0.5, values["sigma"] * side)
    reach = math.ceil(2.5 * sigma)
    weights = [math.exp(-0.5 * (x / sigma) ** 2) for x in range(-reach, reach + 1)]
    # White noise between −1 and 1 has the variance 1/3; smoothing keeps Σw² of it, along each axis.
    deviation = math.sqrt(1 / 3) * sum(w**2 for w in weights) / sum(weights) ** 2
    alpha = 2 * values["alpha"] / deviation  # the side is 2 long in Kornia's coordinates
    return {
        "kernel_size": (2 * reach + 1,) * 2,
        "sigma": (sigma, sigma),
        "alpha": (alpha, alpha),
        "resample": values["resample"],
        "padding_mode": values["padding_mode"],
    }


def _center(name: str, way: str) -> Range:
    text = f"The bend's centre: nothing moves there; −1 and 1 are the {way} edges."
    return Range(name, (-0.3, 0.3), -1, 1, text, "", 0.05)


BENDS = (
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
        makes="kornia.augmentation:RandomPerspective",
        describe=_describe_perspective,
        fits="Flat things seen by a camera: signs, pages, screens, buildings.",
        can_lie="Near its largest distortion the subject is a sliver, or cut off.",
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
        makes="kornia.augmentation:RandomThinPlateSpline",
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
                "How smooth the bend is: pixels this close move nearly alike.",
                "of the side",
                0.01,
            ),
            PADDING_MODE,
            RESAMPLE,
        ),
        makes="kornia.augmentation:RandomElasticTransform",
        arguments=_elastic_arguments,
        describe=nothing,
        fits="Handwriting; the best single operation for digits, beside the affine one. Tissue and cells.",
        can_lie="A strong bend can turn one digit into another.",
    ),
    OpEntry(
        name="RandomFisheye",
        title="Fisheye",
        help="Draws the image together towards its middle, more so further from the bend's centre, as a very "
        "wide lens does.",
        source="kornia.augmentation.RandomFisheye",
        group="geometric",
        parameters=(
            _center("center_x", "left and right"),
            _center("center_y", "upper and lower"),
            Range(
                "gamma",
                (0.9, 1.5),
                0.3,
                4,
                "The larger, the further from its centre the bend sets in.",
                "",
                0.1,
            ),
        ),
        makes="core.augment.modules.fisheye:Fisheye",
        describe=all_of(
            scalar("centre x", "center_x", sign=True),
            scalar("centre y", "center_y", sign=True),
            scalar("gamma", "gamma"),
        ),
        fits="Wide-angle cameras, as in doors and cars.",
    ),
)
