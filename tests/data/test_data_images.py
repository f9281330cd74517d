"""Decoding one image: every mode, orientation and bad file."""

import struct
import subprocess
import sys
from contextlib import suppress
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_files import encode, many_scans, plain, png_that_says
from PIL import Image

from core.data.images import (
    MAX_FILE_BYTES,
    UnreadableImageError,
    clean,
    open_image,
    square_pixels,
    upload_images,
)

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def decode(content: bytes, side: int = 8, channels: int = 3) -> np.ndarray:
    """(side, side) or (side, side, 3), uint8."""
    pixels = square_pixels(open_image(content, side).image, side, channels)
    assert pixels.shape == (channels, side, side)
    assert pixels.dtype == np.uint8
    return pixels.transpose(1, 2, 0).squeeze() if channels == 1 else pixels.transpose(1, 2, 0)


def quadrants(side: int = 8) -> np.ndarray:
    """Red and green above, blue and white below."""
    small = np.array([[RED, GREEN], [BLUE, WHITE]], dtype=np.uint8)
    return small.repeat(side // 2, axis=0).repeat(side // 2, axis=1)


@pytest.mark.parametrize("kind", ["PNG", "BMP"])
def test_lossless_formats_come_back_exactly(kind):
    np.testing.assert_array_equal(decode(encode(quadrants(), kind)), quadrants())


@pytest.mark.parametrize(("kind", "options"), [("JPEG", {"quality": 98}), ("WEBP", {"quality": 95})])
def test_lossy_formats_come_back_closely(kind, options):
    grey = np.linspace(0, 255, 32).astype(np.uint8)[None, :, None].repeat(32, 0).repeat(3, 2)
    np.testing.assert_allclose(decode(encode(grey, kind, **options), side=32), grey, atol=6)


STORED = {  # which side of what one sees the file's first row and first column are: EXIF 2.32, 4.6.4.A
    1: lambda seen: seen,  # top, left
    2: lambda seen: seen[:, ::-1],  # top, right
    3: lambda seen: seen[::-1, ::-1],  # bottom, right
    4: lambda seen: seen[::-1],  # bottom, left
    5: lambda seen: seen.swapaxes(0, 1),  # left, top
    6: lambda seen: seen[:, ::-1].swapaxes(0, 1),  # right, top
    7: lambda seen: seen[::-1, ::-1].swapaxes(0, 1),  # right, bottom
    8: lambda seen: seen[::-1].swapaxes(0, 1),  # left, bottom
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_exif_orientation_is_honoured(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(STORED[orientation](quadrants(16)))
    options = {"quality": 100, "subsampling": 0} if kind == "JPEG" else {}
    seen = decode(encode(stored, kind, exif=exif, **options), side=16)
    np.testing.assert_allclose(seen, quadrants(16), atol=0 if kind == "PNG" else 6)


def test_transparency_is_laid_on_white():
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    half = Image.new("RGBA", (8, 8), (0, 0, 0, 128))
    grey_alpha = Image.new("LA", (8, 8), (0, 0))
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([0, 0, 0, 9, 9, 9])
    assert (decode(encode(clear)) == 255).all()
    np.testing.assert_allclose(decode(encode(half)), 127, atol=1)
    assert (decode(encode(grey_alpha)) == 255).all()
    assert (decode(encode(palette, transparency=1)) == 255).all()
    assert (decode(encode(palette)) == 9).all()


def test_sixteen_bits_are_scaled_and_not_clipped():
    values = np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000
    expected = np.rint(values / 65535 * 255)
    np.testing.assert_array_equal(decode(encode(Image.fromarray(values)), channels=1), expected)


def test_other_modes():
    assert (decode(encode(Image.new("1", (8, 8), 1))) == 255).all()
    assert (decode(encode(Image.new("L", (8, 8), 100))) == 100).all()
    ink = Image.new("CMYK", (8, 8), (0, 255, 255, 0))  # magenta and yellow: red
    np.testing.assert_allclose(decode(encode(ink, "JPEG", quality=100))[0, 0], RED, atol=6)


def test_grey_is_rec_601():
    np.testing.assert_allclose(decode(plain(*RED), channels=1), 0.299 * 255, atol=1)
    np.testing.assert_allclose(decode(plain(*GREEN), channels=1), 0.587 * 255, atol=1)


def test_the_middle_of_the_long_side_is_kept():
    thirds = np.array([[RED, GREEN, BLUE]], dtype=np.uint8).repeat(16, 0).repeat(16, 1)  # (16, 48, 3)
    for pixels in (thirds, thirds.swapaxes(0, 1)):
        assert (decode(encode(np.ascontiguousarray(pixels)), side=16) == GREEN).all()


def test_shrinking_averages_and_does_not_skip():
    checks = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)
    np.testing.assert_allclose(decode(encode(checks), channels=1)[1:-1, 1:-1], 127.5, atol=3)


def test_a_large_jpeg_is_decoded_small():
    ramp = np.linspace(0, 255, 1600).astype(np.uint8)[None, :].repeat(1600, 0)
    image = open_image(encode(ramp, "JPEG", quality=95), side=16).image
    assert image.size == (200, 200)  # JPEG's own eighth
    assert open_image(encode(ramp, "JPEG"), side=200).image.size == (800, 800)
    expected = ramp.reshape(1600, 16, 100).mean(axis=2)[:16]
    seen = square_pixels(image, 16, channels=1)[0]
    np.testing.assert_allclose(seen[:, 1:-1], expected[:, 1:-1], atol=3)


def test_where_the_crop_lies_can_be_chosen():
    halves = np.array([[RED, BLUE]], dtype=np.uint8).repeat(16, 0).repeat(16, 1)  # (16, 32, 3)
    left = square_pixels(open_image(encode(halves), 16).image, 16, 3, centre=(0.0, 0.5))
    assert (left == np.array(RED)[:, None, None]).all()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "not a PNG"),
        (b"hello", "not a PNG"),
        (b"\x89PNG\r\n\x1a\n", "cut short"),
        (encode(quadrants(), "PPM"), "not a PNG"),
        (b"\0\0\0\x18ftypheic", "HEIC or AVIF"),
        (plain(9)[:50], "cut short"),
        (encode(quadrants(64), "JPEG")[:400], "cut short|not a PNG"),
        (png_that_says(9_000, 9_000), "more than 64 million pixels"),
        (png_that_says(60_000, 60_000), "more than 64 million pixels"),  # refused by Pillow itself
        (png_that_says(100, 100), "cut short"),
        (bytes(MAX_FILE_BYTES + 1), "larger than 32 MB"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_files_are_unreadable(content, why):
    with pytest.raises(UnreadableImageError, match=why):
        decode(content)


def test_pixels_are_counted_before_they_are_decoded(monkeypatch):
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("a pixel was decoded"))
    with pytest.raises(UnreadableImageError, match="pixels"):
        open_image(png_that_says(9_000, 9_000), 8)


def test_uploaded_images():
    files = [("a.png", plain(10)), ("evil\n\u202e.png", b"no"), ("c.bmp", encode(quadrants(), "BMP"))]
    images, bad = upload_images(files, side=8, channels=3)
    assert images.shape == (2, 3, 8, 8)
    assert np.unique(images[0, 0]).tolist() == [10]
    assert bad == ("evil .png is not a PNG, JPEG, WebP, BMP, GIF or TIFF image.",)


def test_no_good_upload_gives_no_images():
    images, bad = upload_images([("a", b"")], side=8, channels=1)
    assert images.shape == (0, 1, 8, 8)
    assert len(bad) == 1


@given(st.text())
def test_clean_names_are_short_and_printable(name):
    shown = clean(name)
    assert len(shown) <= 40
    assert shown.isprintable()


SEEDS = [
    encode(quadrants()),
    encode(quadrants(), "JPEG"),
    encode(quadrants(), "WEBP"),
    encode(quadrants(), "BMP"),
    encode(Image.fromarray(quadrants()).convert("P")),
    encode(Image.new("RGBA", (8, 8))),
]


@pytest.mark.filterwarnings("ignore")  # Pillow's own, of bombs and corrupt EXIF
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_damage_raises_anything_else(data):
    content = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(UnreadableImageError):
        decode(bytes(content[: data.draw(st.integers(0, len(content)))]))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_exif_that_is_broken_does_not_cost_the_image():
    broken = encode(np.full((8, 8, 3), 90, np.uint8), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    np.testing.assert_allclose(decode(broken), 90, atol=2)


def large(mode: str) -> Image.Image:
    """Noise of blocks, 2,600 × 2,000, so that what is scaled down still differs from place to place."""
    random = np.random.default_rng(3)
    channels = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}[mode]
    blocks = random.integers(0, 256, (50, 65, channels), dtype=np.uint8)
    return Image.fromarray(blocks.repeat(40, 0).repeat(40, 1).squeeze(), mode)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("side", [16, 100, 256])
def test_a_large_image_is_the_mean_of_its_pixels_on_white(mode, side):
    """By NumPy: laid on white, the square in the middle, means of blocks, then scaled as ever."""
    image = large(mode)
    pixels = np.asarray(image.convert("RGBA"), dtype=np.float64)
    alpha = pixels[..., 3:] / 255
    opaque = (pixels[..., :3] * alpha + 255 * (1 - alpha))[:, 300:2300]
    factor = 2000 // (3 * side)
    cells = [np.add.reduceat(opaque, np.arange(0, 2000, factor), axis=0)]
    cells = np.add.reduceat(cells[0], np.arange(0, 2000, factor), axis=1)
    sizes = np.diff([*range(0, 2000, factor), 2000])
    means = (cells / np.outer(sizes, sizes)[..., None]).round().astype(np.uint8)
    expected = np.asarray(Image.fromarray(means).resize((side, side), Image.Resampling.BICUBIC))
    np.testing.assert_allclose(decode(encode(np.asarray(image)), side), expected, atol=3)


def test_a_large_palette_with_transparency_and_sixteen_bits_are_read():
    stream = BytesIO()
    Image.new("P", (2600, 2000)).save(stream, "PNG", transparency=b"\x80" + b"\xff" * 255)
    assert (decode(stream.getvalue()) == 127).all() or (decode(stream.getvalue()) == 128).all()
    stream = BytesIO()
    Image.fromarray(np.full((2000, 2600), 257 * 90, dtype=np.uint16)).save(stream, "PNG")
    assert (decode(stream.getvalue()) == 90).all()


@pytest.mark.parametrize("orientation", STORED)
def test_a_large_image_is_turned_upright(orientation):
    seen = quadrants(2400)
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encode(STORED[orientation](seen), exif=exif)
    np.testing.assert_array_equal(decode(content, side=8)[::7, ::7], quadrants()[::7, ::7])


def test_a_large_image_takes_little_more_memory_than_itself():
    """64 million pixels with transparency, in a process of its own, at its worst moment."""
    code = (
        "import io, resource; from PIL import Image; from core.data.images import *\n"
        "def most(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "stream = io.BytesIO(); Image.new('P', (8000, 8000)).save(stream, 'PNG', transparency=b'a' * 256)\n"
        "before = most(); square_pixels(open_image(stream.getvalue(), 224).image, 224, 3)\n"
        "print(most() - before)"
    )
    more = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert float(more) < 150  # MiB; the palette's indices are 61, and were there before


def test_a_jpeg_of_many_scans_is_refused_before_it_is_decoded():
    content = many_scans(400, 101)
    with pytest.raises(UnreadableImageError, match="scans, too many to read; save it anew"):
        open_image(content, 32)
    opened = open_image(many_scans(400, 50), 32)
    assert 50 * 400 * 400 <= opened.work <= 70 * 400 * 400
    opened.image.load()


def test_scans_count_with_the_pixels_they_go_over():
    assert open_image(many_scans(400, 15), 32).work > 15 * 400**2
    with pytest.raises(UnreadableImageError, match="too many to read"):
        open_image(many_scans(8000, 25), 32)
    assert open_image(many_scans(8000, 0), 32).work < 20 * 8000**2


def test_the_scans_of_a_jpeg_with_more_pictures_behind_it_count_too():
    """Pillow calls it MPO, by a segment that anyone can put in."""
    content = many_scans(400, 50)
    index = struct.pack("<4sI", b"II*\0", 8) + struct.pack("<H", 3)
    index += struct.pack("<HHI4s", 0xB000, 7, 4, b"0100") + struct.pack("<HHII", 0xB001, 4, 1, 2)
    index += struct.pack("<HHII", 0xB002, 7, 32, 50) + struct.pack("<I", 0) + bytes(32)
    segment = b"MPF\0" + index
    mpo = content[:2] + b"\xff\xe2" + struct.pack(">H", len(segment) + 2) + segment + content[2:]
    with Image.open(BytesIO(mpo)) as image:
        assert image.format == "MPO"
    assert open_image(mpo, 32).work == open_image(content, 32).work > 50 * 400**2
