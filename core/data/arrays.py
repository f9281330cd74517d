"""Images and labels as NumPy arrays: the entries ``x`` and ``y`` of an ``.npz``, or a training and a test
pair of them. Nothing is unpickled; shapes and types are bounded from the headers."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.data.archive import File
from core.data.images import WHITES, UnreadableImageError, clean, square_pixels
from core.data.layout import MAX_CLASSES, natural, refused
from core.data.own import Form

IMAGES, LABELS = ("x", "images", "data"), ("y", "labels", "targets")
TRAIN, HELD_OUT = ("_train", "train_"), ("_test", "test_", "_val", "val_")
EXPECTED = "x of shape (images, height, width) or (images, height, width, channels), and y of shape (images,)"


@dataclass(frozen=True, slots=True)
class Arrays:
    """Args:
    images: (N, H, W, C), as stored; C is 1 or 3.
    labels: int64 (N,).
    classes: names in label order.
    held_out: bool (N,) if a split is given.
    white: what becomes 255.
    notes: a sentence each.
    """

    images: NDArray[Any]
    labels: NDArray[np.int64]
    classes: list[str]
    held_out: NDArray[np.bool_] | None
    white: float
    notes: tuple[str, ...]

    def square(self, i: int, form: Form) -> NDArray[np.uint8]:
        """Image ``i``, uint8 (C, S, S) in ``form``."""
        image = self.images[i].astype(np.float32) * (255 / self.white)
        pixels = image.clip(0, 255).round().astype(np.uint8)
        height, width, channels = pixels.shape
        if (height, width, channels) == (form.side, form.side, form.channels):
            return np.ascontiguousarray(pixels.transpose(2, 0, 1))
        picture = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
        return square_pixels(picture, form.side, form.channels, fit=form.fit)


def holds_arrays(files: Sequence[File]) -> bool:
    """Whether a zip's files are those of an ``.npz``."""
    return bool(files) and all(file.name.endswith(".npy") for file in files)


def read_arrays(files: Sequence[File], most_images: int) -> Arrays:
    """
    Raises:
        SpecError: at ``data.path``; the sentence says what was found, and the shape that is expected.
    """
    by_name = {file.name.removesuffix(".npy").lower(): file for file in files}
    pairs = [_pair(by_name, ending) for ending in ((), TRAIN, HELD_OUT)]
    plain, train, held_out = pairs
    found = [pair for pair in (plain or train, None if plain else held_out) if pair]
    if not found:
        names = ", ".join(clean(each) for each in list(by_name)[:10])
        raise refused(f"it holds arrays, {names}, but not {EXPECTED}")
    parts = [(_images(_array(x), most_images), _array(y)) for x, y in found]
    for images, labels in parts:
        if labels.shape != (len(images),):
            raise refused(
                f"y has the shape {labels.shape} where x has {len(images):,} images; expected: {EXPECTED}"
            )
    if len(parts) == 2 and parts[0][0].shape[1:] != parts[1][0].shape[1:]:
        raise refused("its training and its test images differ in shape; give them one")
    images = np.concatenate([images for images, _ in parts])
    if len(images) > most_images:
        raise refused(f"it has {len(images):,} images; at most {most_images:,} are read, leave some out")
    labels, classes = _classes(np.concatenate([labels for _, labels in parts]))
    sides = [np.full(len(images), i == 1) for i, (images, _) in enumerate(parts)]
    white = _white(images)
    notes = [f"The values go from {images.min():g} to {images.max():g}; {white:g} became white."]
    if len(parts) == 2:
        notes.append("The split is yours: the test arrays are kept to validate.")
    return Arrays(
        images, labels, classes, np.concatenate(sides) if len(parts) == 2 else None, white, tuple(notes)
    )


def _pair(by_name: dict[str, File], endings: Sequence[str]) -> tuple[File, File] | None:
    """Images and labels that are called so, with one of ``endings`` before or after, or none."""
    forms = [f"{{}}{each}" if each[0] == "_" else f"{each}{{}}" for each in endings] or ["{}"]
    for form in forms:
        x, y = (
            next((by_name[form.format(name)] for name in names if form.format(name) in by_name), None)
            for names in (IMAGES, LABELS)
        )
        if x and y:
            return x, y
    return None


def _array(file: File) -> NDArray[Any]:
    """
    Raises:
        SpecError: it can't be read, or holds Python objects.
    """
    try:
        found: NDArray[Any] = np.load(io.BytesIO(file.read()), allow_pickle=False)
    except UnreadableImageError as reason:
        raise refused(f"its array {clean(file.name)} {reason}") from None
    except Exception:  # given hostile bytes, NumPy's parser raises almost anything
        raise refused(f"its array {clean(file.name)} can't be read as plain numbers") from None
    return found


def _images(array: NDArray[Any], most_images: int) -> NDArray[Any]:
    """(N, H, W, C)."""
    if array.dtype.kind not in "buif" or array.ndim not in (3, 4) or 0 in array.shape:
        raise refused(f"its x is {array.dtype} of shape {array.shape}; expected: {EXPECTED}")
    if len(array) > most_images:
        raise refused(f"it has {len(array):,} images; at most {most_images:,} are read, leave some out")
    if array.ndim == 3:
        array = array[..., None]
    elif array.shape[1] in (1, 3) and array.shape[3] not in (1, 3):
        array = array.transpose(0, 2, 3, 1)
    if array.shape[3] not in (1, 3):
        raise refused(f"its x has the shape {array.shape}; expected: {EXPECTED}, channels 1 or 3")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise refused("its x holds values that are no numbers; leave those images out")
    return array.astype(np.uint8) if array.dtype.kind == "b" else array


def _white(images: NDArray[Any]) -> float:
    """255, or what the values say: 1 of fractions, or the depth that they fill."""
    most = float(images.max())
    if images.dtype == np.uint8:
        return 255.0 if most > 1 else 1.0
    if images.dtype.kind == "f" and most <= 1:
        return 1.0
    return float(next((white for white in WHITES if most <= white), most))


def _classes(labels: NDArray[Any]) -> tuple[NDArray[np.int64], list[str]]:
    if labels.dtype.kind not in "buiU":
        raise refused(f"its y is {labels.dtype}; whole numbers or words are expected, one an image")
    names = sorted({str(each) for each in labels.tolist()}, key=natural)
    if len(names) > MAX_CLASSES:
        raise refused(
            f"its y has {len(names):,} different values, so as many classes; at most {MAX_CLASSES} are read"
        )
    index = {name: i for i, name in enumerate(names)}
    return np.array([index[str(each)] for each in labels.tolist()], np.int64), names
