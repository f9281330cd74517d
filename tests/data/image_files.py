"""Image files and zips, built by hand for the tests beside this file."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping

import numpy as np
from PIL import Image


def encode(pixels: np.ndarray | Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """``pixels``, an image or uint8 (H, W) or (H, W, 3), as a file's bytes."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def plain(red: int, green: int = 0, blue: int = 0, side: int = 8) -> bytes:
    """A PNG of one colour."""
    return encode(np.full((side, side, 3), (red, green, blue), dtype=np.uint8))


def two_classes(number: int = 3) -> dict[str, bytes]:
    """Red cats and blue dogs, ``number`` of each, in different shades."""
    cats = {f"cats/{i}.png": plain(200 + i) for i in range(number)}
    return cats | {f"dogs/{i}.png": plain(0, 0, 200 + i) for i in range(number)}


def zipped(files: Mapping[str, bytes] | Iterable[tuple[str | zipfile.ZipInfo, bytes]]) -> bytes:
    """A deflated zip of the files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items() if isinstance(files, Mapping) else files:
            archive.writestr(name, content)
    return buffer.getvalue()


def patched(content: bytes, local: tuple[int, str, int], central: tuple[int, str, int]) -> bytes:
    """A zip with one number changed in the first file's local header and in its directory record.

    Each change is (offset in the record, struct format, value); PKWARE's APPNOTE 4.3.7 and 4.3.12.
    """
    changed = bytearray(content)
    for signature, (offset, form, value) in ((b"PK\3\4", local), (b"PK\1\2", central)):
        struct.pack_into(form, changed, content.index(signature) + offset, value)
    return bytes(changed)


def png_that_says(width: int, height: int) -> bytes:
    """A PNG whose header declares a size that nothing behind it bears out."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 100)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def many_scans(side: int, repeats: int) -> bytes:
    """A grey progressive JPEG with one of its scans, an empty one, so many times more."""
    stream = io.BytesIO()
    Image.new("L", (side, side), 128).save(stream, "JPEG", progressive=True, quality=50)
    content = stream.getvalue()
    parts, at = [], 2
    while content[at + 1] != 0xD9:
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        if content[at + 1] == 0xDA:
            while not (content[end] == 0xFF and content[end + 1] not in (0, *range(0xD0, 0xD8))):
                end += 1
        parts.append(content[at:end])
        at = end
    empty = min((part for part in parts if part[1] == 0xDA and part[7] > 0), key=len)
    return content[:2] + b"".join(parts) + empty * repeats + b"\xff\xd9"
