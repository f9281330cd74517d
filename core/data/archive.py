"""The files of a zip or of a directory, each read only when asked for, and never more than is safe.

Nothing is extracted: names are labels, never paths. A zip's directory is checked whole before a byte of
its files is read. Reading stops at the size an entry declares, and what all entries declare is bounded,
so a zip whose entries overlap can't make us read more than `MAX_TOTAL_BYTES` either.
"""

from __future__ import annotations

import os
import re
import stat
import unicodedata
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from core.data.images import MAX_FILE_BYTES, UnreadableImageError, clean
from core.data.litter import is_litter
from core.run.errors import SpecError

MAX_ENTRIES = 40_000  # twice the images: folders and the files that cameras and systems add
MAX_TOTAL_BYTES = 2**30  # unpacked; some 300 photographs as they come, or 20,000 web images
MAX_RATIO = 200  # unpacked to packed; zeros pack 1,000:1, photographs 1:1 …
RATIO_FREE_BYTES = 4 * 2**20  # … but a plain drawing saved as a 2 MB BMP packs 500:1, and does no harm
MAX_NAME = 1_000  # characters of a file's name with its folders
MAX_DEPTH = 30  # folders around a file
MAX_READ = 8 * 2**20  # at once; bounds a zip's directory, 200 bytes an entry, before it is parsed

ENCRYPTED = 0x1 | 0x40 | 0x2000  # flag bits: by password, strongly, its directory


@dataclass(frozen=True, slots=True)
class File:
    """One file: its name with ``/`` between folders, and how to get its bytes.

    ``read`` raises `UnreadableImageError` if they are too many, broken, or not those the zip declared.
    """

    name: str
    read: Callable[[], bytes]


@dataclass(slots=True)
class Beside:
    """What is there beside the files that are read: how many files of systems, and the names of folders."""

    litter: int = 0
    folders: list[str] = field(default_factory=list)


def zip_files(stream: BinaryIO, beside: Beside | None = None) -> list[File]:
    """The files in a zip, without hidden ones; ``stream`` must stay open while they are read.

    Args:
        beside: is told what else is there.

    Raises:
        SpecError: it is no zip, or one that Augury refuses; the sentence says why.
    """
    try:
        archive = zipfile.ZipFile(_BoundedReads(stream))
    except _TooLongError:
        raise _refused(f"the zip lists too many files; at most {MAX_ENTRIES:,} are read") from None
    except Exception:  # given hostile bytes, zipfile raises more than BadZipFile
        raise _refused("this is not a zip file, or a broken one") from None
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise _refused(f"the zip lists {len(entries):,} files; at most {MAX_ENTRIES:,} are read")
    files = []
    for entry in entries:
        name = _checked_name(entry)
        folder, litter = name.endswith("/"), is_litter(name)
        if beside is not None:
            beside.litter += litter and not folder
            beside.folders += [name] * (folder and not litter)
        if not folder and not litter:
            files.append(File(name, lambda entry=entry: _read_entry(archive, entry)))  # type: ignore[misc]
    total = sum(entry.file_size for entry in entries)
    if total > MAX_TOTAL_BYTES:
        raise _refused(f"unpacked it is {total / 2**20:,.0f} MB; at most {MAX_TOTAL_BYTES >> 20:,} are read")
    return files


def directory_files(folder: Path) -> list[File]:
    """The files under ``folder``, as `directory_entries` finds them.

    Raises:
        SpecError: there are too many.
    """
    return [
        File(name, lambda path=entry.path: _read_path(Path(path)))  # type: ignore[misc]
        for name, entry in directory_entries(folder)
    ]


def directory_entries(folder: Path) -> list[tuple[str, os.DirEntry[str]]]:
    """The files under ``folder`` by their names below it, without hidden ones. Links to files are
    followed, to folders not; a folder that can't be opened counts as empty.

    Raises:
        SpecError: there are too many.
    """
    found: list[tuple[str, os.DirEntry[str]]] = []
    waiting = [(str(folder), "")]
    while waiting:
        place, above = waiting.pop()
        with suppress(OSError), os.scandir(place) as entries:
            for entry in entries:
                name = above + entry.name
                if is_litter(entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((entry.path, f"{name}/"))
                elif entry.is_file():  # no pipes or devices: reading them may wait forever
                    found.append((name, entry))
        if len(found) > MAX_ENTRIES:
            raise _refused(f"the folder holds more than {MAX_ENTRIES:,} files; choose a smaller one")
    return sorted(found, key=lambda each: each[0])


def _checked_name(entry: zipfile.ZipInfo) -> str:
    """The entry's name, once nothing is left that would make it more than a plain file or folder."""
    name = entry.orig_filename[: 4 * MAX_NAME]  # what is longer is refused below, once it is clean
    if not entry.flag_bits & 0x800:  # not marked as UTF-8: macOS writes UTF-8 all the same
        with suppress(UnicodeError):
            name = name.encode("cp437").decode()
    name = unicodedata.normalize("NFC", name).replace("\\", "/")
    shown = clean(name)
    if len(name) > MAX_NAME or name.count("/") > MAX_DEPTH:
        raise _refused(f"the zip holds {shown}, which lies too deep or has too long a name; make it flatter")
    if name.startswith("/") or re.match(r"[A-Za-z]:", name) or ".." in name.split("/"):
        raise _refused(f"the zip holds {shown}, a path that leads out of it; zip plain folders instead")
    if entry.flag_bits & ENCRYPTED:
        raise _refused("the zip is encrypted; make one without a password")
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _refused(f"the zip holds a link, {shown}; put the image itself in its place")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # The others' decoders have no bound on what one read makes of a few bytes.
        raise _refused(f"the zip packs {shown} in an unusual way; make it with the ordinary method, deflate")
    if entry.file_size > max(RATIO_FREE_BYTES, MAX_RATIO * entry.compress_size):
        raise _refused(f"{shown} unpacks to more than {MAX_RATIO} times its size; no image does, remove it")
    return name


def _read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    if entry.file_size > MAX_FILE_BYTES:
        raise UnreadableImageError(f"is larger than {MAX_FILE_BYTES >> 20} MB")
    try:
        with archive.open(entry) as stream:
            chunks = list(iter(lambda: stream.read(MAX_READ), b""))  # ends at the declared size, or before
    except Exception:  # as above; most often a wrong checksum, or a size that is not the declared one
        raise UnreadableImageError("is broken in the zip") from None
    content = b"".join(chunks)
    if len(content) != entry.file_size:
        raise UnreadableImageError("is not as long as the zip says")
    return content


def _read_path(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_FILE_BYTES + 1)  # one byte too many is refused by whoever decodes it
    except OSError:
        raise UnreadableImageError("can't be read") from None


def _refused(why: str) -> SpecError:
    return SpecError("data.path", f"{why}.")


class _TooLongError(Exception):
    pass


class _BoundedReads:
    """A file that gives at most `MAX_READ` bytes at once: zipfile reads a zip's whole directory in one
    go, however long the zip says it is, and makes an object of every 46 bytes."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable

    def read(self, size: int = -1) -> bytes:
        content = self._stream.read(MAX_READ + 1 if size < 0 else min(size, MAX_READ + 1))
        if len(content) > MAX_READ:
            raise _TooLongError
        return content
