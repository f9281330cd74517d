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

from core.data.own import DEFAULT_FIT, Fit

Pixels = NDArray[np.uint8]

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")  # of the last two the first picture
BEGINNINGS = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"GIF8",
    b"II*\0",
    b"MM\0*",
)  # of files that would be such
MAX_FILE_BYTES = 32 * 2**20  # one image file; a 60-megapixel photograph is about 25 MB as JPEG
MAX_PIXELS = 64_000_000  # one image; a full-frame camera's 61 megapixels are 256 MB once decoded
MAX_SCANS = 100  # of a progressive JPEG, each of which goes over all pixels; cameras and tools write about 10
MAX_WORK = 20 * MAX_PIXELS  # pixels times scans
LARGE_PIXELS = 4_000_000  # above it an image is scaled strip by strip, which takes less memory
WHITES = tuple(2**bits - 1 for bits in (8, 10, 12, 14, 16))  # of the depths that cameras and scanners have
MAX_NAME = 40  # characters of a name that people are shown: a legend's width


class UnreadableImageError(Exception):
    """Why one file is no image to us, as the end of a sentence: "… is not a PNG, … image"."""


def _remedy(content: bytes) -> str:
    """What to do about an image of another kind, by its first bytes."""
    if content[4:8] == b"ftyp":
        return " but HEIC or AVIF, as telephones take it; export it as JPEG"
    return ""


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
        if content.startswith(BEGINNINGS):
            raise UnreadableImageError("is cut short or broken") from None
        raise UnreadableImageError(
            f"is not a PNG, JPEG, WebP, BMP, GIF or TIFF image{_remedy(content)}"
        ) from None
    if image.width * image.height > MAX_PIXELS:
        raise UnreadableImageError(f"has more than {MAX_PIXELS // 10**6} million pixels")
    # The bytes that begin a scan; in a scan's own data 0xFF is never followed by this.
    is_jpeg = image.format in ("JPEG", "MPO")  # MPO: with more pictures behind the first, as cameras write
    scans = max(1, content.count(b"\xff\xda")) if is_jpeg else 1
    work = image.width * image.height * scans
    if scans > MAX_SCANS or work > MAX_WORK:
        raise UnreadableImageError(f"is drawn in {scans:,} scans, too many to read; save it anew")
    image.draft(None, (3 * side, 3 * side))
    return Opened(image, work)


def square_pixels(
    image: Image.Image,
    side: int,
    channels: int,
    centre: tuple[float, float] = (0.5, 0.5),
    fit: Fit = DEFAULT_FIT,
    white: int | None = None,
) -> Pixels:
    """Decode, turn upright (EXIF), and make a square with antialiasing. Transparency is laid on white.

    Args:
        centre: where along (x, y) a crop lies, from 0 to 1.
        fit: ``crop`` scales the short side to ``side`` and leaves out what is over, ``pad`` scales the long
            side and fills up with the mean colour of the image's edge, ``stretch`` scales each by itself.
        white: the value of white in an image of 16 bits; None: the image's own `white_of`.

    Returns:
        uint8 (channels, side, side).

    Raises:
        UnreadableImageError: the pixels are cut short or broken.
    """
    mode = "L" if channels == 1 else "RGB"
    try:
        white = white or white_of(image)
        if image.width * image.height > LARGE_PIXELS and centre == (0.5, 0.5):
            plain = ImageOps.exif_transpose(_scaled(image, mode, 3 * side, fit, white))
        else:
            plain = _eight_bits(ImageOps.exif_transpose(image), white).convert(mode)
        square = _SQUARES[fit](plain, side, centre)
    except Exception:  # as above: a decoder on hostile bytes
        raise UnreadableImageError("is cut short or broken") from None
    pixels = np.asarray(square).reshape(side, side, channels)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def is_deep(image: Image.Image) -> bool:
    """Whether its values have more than 8 bits, which Pillow's ``convert`` would clip at 255, not scale."""
    return image.mode.startswith("I") or image.mode == "F"


def white_of(image: Image.Image) -> int:
    """The value of white in a deep image, by what is in it: the least of `WHITES` that is not below it, or 1
    of fractions; 255 of an image that is not deep. A camera's 12 bits are often stored in 16, of which they
    fill the darkest sixteenth."""
    if not is_deep(image):
        return 255
    most = float(np.asarray(image).max())
    if image.mode == "F" and most <= 1:
        return 1
    return next((white for white in WHITES if most <= white), WHITES[-1])


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


def _cropped(image: Image.Image, side: int, centre: tuple[float, float]) -> Image.Image:
    return ImageOps.fit(image, (side, side), Image.Resampling.BICUBIC, centering=centre)


def _padded(image: Image.Image, side: int, _: tuple[float, float]) -> Image.Image:
    scale = side / max(image.size)
    width, height = (max(1, round(each * scale)) for each in image.size)
    small = image.resize((width, height), Image.Resampling.BICUBIC)
    square = Image.new(image.mode, (side, side), _edge_colour(small))
    square.paste(small, ((side - width) // 2, (side - height) // 2))
    return square


def _stretched(image: Image.Image, side: int, _: tuple[float, float]) -> Image.Image:
    return image.resize((side, side), Image.Resampling.BICUBIC)


_SQUARES = {"crop": _cropped, "pad": _padded, "stretch": _stretched}


def _edge_colour(image: Image.Image) -> int | tuple[int, ...]:
    """The mean of the outermost pixels, by channel."""
    pixels = np.asarray(image)
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    colour = edge.mean(axis=0).round().astype(int)
    return int(colour) if colour.ndim == 0 else tuple(colour.tolist())


def _scaled(image: Image.Image, mode: str, least: int, fit: Fit, white: int) -> Image.Image:
    """What ``fit`` leaves of a large image, without transparency, scaled down by a whole number so that its
    short side has ``least`` pixels or more (its long side, to be padded), each the mean of those it stands
    for. Beside the image itself a strip of it is held in memory at a time."""
    width, height = [min(image.size)] * 2 if fit == "crop" else image.size
    left, top = (image.width - width) // 2, (image.height - height) // 2
    factor = max(1, (max if fit == "pad" else min)(width, height) // least)
    small = Image.new(mode, (-(-width // factor), -(-height // factor)))
    rows_at_once = max(1, LARGE_PIXELS // (width * factor)) * factor
    for y in range(0, height, rows_at_once):
        rows = min(rows_at_once, height - y)
        strip = image.crop((left, top + y, left + width, top + y + rows))
        small.paste(_eight_bits(strip, white).convert(mode).reduce(factor), (0, y // factor))
    orientation = image.getexif().get(ExifTags.Base.Orientation)
    if orientation is not None:
        small.getexif()[ExifTags.Base.Orientation] = orientation
    return small


def _eight_bits(image: Image.Image, white: int) -> Image.Image:
    """``image`` in a mode that converts to grey or RGB as the eye expects, deep values scaled to 255."""
    if is_deep(image):
        values = np.asarray(image).astype(np.float32).clip(0, white)
        return Image.fromarray((values * (255 / white)).round().astype(np.uint8))
    if not image.has_transparency_data:
        return image
    white_ground = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white_ground, image.convert("RGBA"))
