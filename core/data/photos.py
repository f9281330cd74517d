"""Four bundled photographs, in the public domain or CC0, to try augmentations on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from core.data.images import Pixels, open_image, square_pixels

FOLDER = Path(__file__).parent / "bundled" / "photos"


@dataclass(frozen=True, slots=True)
class Photo:
    """What a photograph shows and whose it is.

    Args:
        name: in lower case, also the file's.
        alt: what it shows, for those who can't see it: one sentence.
        credit: who made it, and the licence.
        centre: where along (x, y) a square is cut, from 0 to 1.
    """

    name: str
    alt: str
    credit: str
    centre: tuple[float, float] = (0.5, 0.5)


PHOTOS = (
    Photo(
        name="astronaut",
        alt="A smiling astronaut in an orange space suit, in front of a flag and a model of a space shuttle.",
        credit="Eileen Collins, by NASA, public domain",
    ),
    Photo(
        name="chelsea",
        alt="A tabby cat's face from close up, with green eyes and a pink nose.",
        credit="Stéfan van der Walt, CC0",
        centre=(0.4, 0.5),
    ),
    Photo(
        name="coffee",
        alt="A cup of espresso on a red saucer with a spoon, on a wooden table.",
        credit="Rachel Michetti, CC0",
        centre=(0.45, 0.5),
    ),
    Photo(
        name="rocket",
        alt="A white rocket stands on its launch pad at dusk, between two steel towers and bright lamps.",
        credit="SpaceX, public domain",
    ),
)


@lru_cache(maxsize=8)
def photos(side: int) -> tuple[Pixels, tuple[Photo, ...]]:
    """The photographs, uint8 (4, 3, side, side), squared around what they show, and what they are.

    The array is shared, and read-only.
    """
    files = ((FOLDER / f"{photo.name}.jpg").read_bytes() for photo in PHOTOS)
    images = np.stack(
        [
            square_pixels(open_image(file, side).image, side, channels=3, centre=photo.centre)
            for file, photo in zip(files, PHOTOS, strict=True)
        ]
    )
    images.flags.writeable = False
    return images, PHOTOS
