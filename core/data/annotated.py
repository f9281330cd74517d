"""The bundled photographs with what an annotator would add: masks, boxes and key points.

Outlines and points were placed by hand, on the photographs at 512 pixels, to about half a percent of the
side. They lie in ``annotations.json`` beside the photographs, from 0 to 1 along the square that
`core.data.photos` cuts: for each object its outline, nearer objects later.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from core.data.dataset import Array
from core.data.photos import FOLDER, PHOTOS, Photo, photos

FINER = 4  # outlines are filled at this many times the side, so that a mask is right to ⅛ pixel


@dataclass(frozen=True, slots=True)
class Annotated(Generic[Array]):
    """Photographs and their annotations; objects and points differ in number from one to the next.

    Args:
        images: uint8 (N, 3, S, S).
        masks: uint8 (N, 1, S, S); 0 is background, ``k`` the object ``object_names[i][k - 1]``.
        boxes: for each image float (M, 4) as x0, y0, x1, y1, one an object. Edges lie between pixels: 0 is
            the left (top) edge of the first, S the right (bottom) edge of the last.
        points: for each image float (K, 2) as x, y. Whole numbers are the middles of pixels, as an array
            is indexed: 0 is the first, S − 1 the last.
        object_names, point_names: for each image. "Left" is the left of whoever owns the eye.
        photos: what the photographs show, and whose they are.
    """

    images: Array
    masks: Array
    boxes: tuple[Array, ...]
    points: tuple[Array, ...]
    object_names: tuple[tuple[str, ...], ...]
    point_names: tuple[tuple[str, ...], ...]
    photos: tuple[Photo, ...]


@lru_cache(maxsize=4)
def annotated(side: int) -> Annotated[NDArray[Any]]:
    """The four photographs at ``side`` pixels, annotated. The arrays are shared: don't write into them."""
    known = json.loads((FOLDER / "annotations.json").read_text("utf-8"))
    objects = [known[photo.name]["objects"] for photo in PHOTOS]
    points = [known[photo.name]["points"] for photo in PHOTOS]
    outlines = [[_floats(outline) * side for outline in these.values()] for these in objects]
    return Annotated(
        images=photos(side)[0],
        masks=np.stack([_fill(these, side) for these in outlines]),
        boxes=tuple(np.stack([_hull(outline) for outline in these]) for these in outlines),
        points=tuple(_floats(list(these.values())) * side - 0.5 for these in points),
        object_names=tuple(tuple(these) for these in objects),
        point_names=tuple(tuple(these) for these in points),
        photos=PHOTOS,
    )


def _floats(numbers: list[Any]) -> NDArray[np.float32]:
    return np.array(numbers, dtype=np.float32)


def _hull(outline: NDArray[np.float32]) -> NDArray[np.float32]:
    """The box around an outline (V, 2), in the same units."""
    return np.concatenate([outline.min(0), outline.max(0)])


def _fill(outlines: list[NDArray[np.float32]], side: int) -> NDArray[np.uint8]:
    """Outlines (V, 2) in pixels, filled one over the other with 1, 2, …: uint8 (1, side, side)."""
    canvas = Image.new("L", (side * FINER, side * FINER))
    draw = ImageDraw.Draw(canvas)
    for label, outline in enumerate(outlines, 1):
        draw.polygon([(x, y) for x, y in (outline * FINER - 0.5).tolist()], fill=label)
    small = canvas.resize((side, side), Image.Resampling.NEAREST)
    return np.array(small)[None]
