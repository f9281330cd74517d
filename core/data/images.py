"""One encoded image in, one small array out; nothing an image's bytes say is trusted.

What a file is, is read from its content and never from its name. Width and height are bounded from the
header, before a pixel is decoded.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps

Pixels = NDArray[np.uint8]

FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
MAX_FILE_BYTES = 32 * 2**20  # one image file; a 60-megapixel photograph is about 25 MB as JPEG
MAX_PIXELS = 64_000_000  # one image; a full-frame camera's 61 megapixels are 256 MB once decoded
MAX_SCANS = 100  # of a progressive JPEG, each of which goes over all pixels; cameras and tools write about 10
MAX_WORK = 20 * MAX_PIXELS  # pixels times scans
LARGE_PIXELS = 4_000_000  # above it an image is scaled strip by strip, which takes less memory
MAX_NAME = 40  # characters of a name that people are shown: a legend's width


class UnreadableImageError(Exception):
    """Why one file is no image to us, as the end of a sentence: "… is not a PNG, … image"."""


def _remedy(content: bytes) -> str:
    """What to do about an image of another kind, by its first bytes."""
    if content[:4] in (b"II*\0", b"MM\0*"):
        return " but a TIFF; save it as PNG"
    if content[4:8] == b"ftyp":
        return " but HEIC or AVIF, as telephones take it; export it as JPEG"
    return " but a GIF; save one picture of it as PNG" if content[:4] == b"GIF8" else ""


class Opened(NamedTuple):
    """An image whose header has been read and bounded; how many pixels are gone over to decode it."""

    image: Image.Image
    work: int


def open_image(content: bytes, side: int) -> Opened:
    """Its pixels, when asked for, may come at a reduced scale that still has three times ``side`` pixels each
    way (JPEG's own, many times faster).

    Raises:
        UnreadableImageError: it is none of `FORMATS`, or is too large.
    """
    if len(content) > MAX_FILE_BYTES:
        raise UnreadableImageError(f"is larger than {MAX_FILE_BYTES // 2**20} MB")
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError:
        raise UnreadableImageError(f"has more than {MAX_PIXELS // 10**6} million pixels") from None
    except Exception:  # given hostile bytes, Pillow's parsers raise almost anything
        raise UnreadableImageError(f"is not a PNG, JPEG, WebP or BMP image{_remedy(content)}") from None
    if image.width * image.height > MAX_PIXELS:
        raise UnreadableImageError(f"has more than {MAX_PIXELS // 10**6} million pixels")
    # The bytes that begin a scan; in a scan's own data 0xFF is never followed by this.
    scans = max(1, content.count(b"\xff\xda")) if image.format == "JPEG" else 1
    work = image.width * image.height * scans
    if scans > MAX_SCANS or work > MAX_WORK:
        raise UnreadableImageError(f"is drawn in {scans:,} scans, too many to read; save it anew")
    image.draft(None, (3 * side, 3 * side))
    return Opened(image, work)


def square_pixels(
    image: Image.Image, side: int, channels: int, centre: tuple[float, float] = (0.5, 0.5)
) -> Pixels:
    """Decode, turn upright (EXIF), scale the short side to ``side`` with antialiasing and crop a square.

    Transparency is laid on white. ``centre`` says where along (x, y) the crop lies, from 0 to 1.

    Returns:
        uint8 (channels, side, side).

    Raises:
        UnreadableImageError: the pixels are cut short or broken.
    """
    mode = "L" if channels == 1 else "RGB"
    try:
        if image.width * image.height > LARGE_PIXELS and centre == (0.5, 0.5):
            plain = ImageOps.exif_transpose(_middle_scaled(image, mode, 3 * side))
        else:
            plain = _without_alpha(ImageOps.exif_transpose(image)).convert(mode)
        square = ImageOps.fit(plain, (side, side), Image.Resampling.BICUBIC, centering=centre)
    except Exception:  # as above: a decoder on hostile bytes
        raise UnreadableImageError("is cut short or broken") from None
    pixels = np.asarray(square).reshape(side, side, channels)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def upload_images(
    files: Sequence[tuple[str, bytes]], side: int, channels: int
) -> tuple[Pixels, tuple[str, ...]]:
    """A person's single images, given as (name, content), for a preview.

    Returns:
        The good ones, uint8 (N, channels, side, side), N may be 0; and a sentence for each bad one.
    """
    good, bad = [], []
    for name, content in files:
        try:
            good.append(square_pixels(open_image(content, side).image, side, channels))
        except UnreadableImageError as reason:
            bad.append(f"{clean(name)} {reason}.")
    empty = np.empty((0, channels, side, side), dtype=np.uint8)
    return np.stack(good) if good else empty, tuple(bad)


def clean(name: str, length: int = MAX_NAME) -> str:
    """A name fit to show: printable characters only (no line breaks, no bidirectional overrides), short."""
    shown = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    return shown if len(shown) <= length else f"{shown[: length - 1]}…"


def _middle_scaled(image: Image.Image, mode: str, least: int) -> Image.Image:
    """The largest square in the middle, without transparency, scaled down by a whole number to ``least``
    pixels a side or more, each the mean of those it stands for. Beside the image itself a strip of it is held
    in memory at a time."""
    square = min(image.size)
    left, top = (image.width - square) // 2, (image.height - square) // 2
    factor = max(1, square // least)
    small = Image.new(mode, (-(-square // factor),) * 2)
    height = max(1, LARGE_PIXELS // (square * factor)) * factor
    for y in range(0, square, height):
        rows = min(height, square - y)
        strip = image.crop((left, top + y, left + square, top + y + rows))
        small.paste(_without_alpha(strip).convert(mode).reduce(factor), (0, y // factor))
    orientation = image.getexif().get(ExifTags.Base.Orientation)
    if orientation is not None:
        small.getexif()[ExifTags.Base.Orientation] = orientation
    return small


def _without_alpha(image: Image.Image) -> Image.Image:
    """``image`` in a mode that converts to grey or RGB as the eye expects."""
    if image.mode.startswith("I"):  # 16-bit grey, which Pillow's convert() would clip at 255, not scale
        return Image.fromarray((np.asarray(image).clip(0, 65535) / 257).round().astype(np.uint8))
    if not image.has_transparency_data:
        return image
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image.convert("RGBA"))
