"""The files of an archive: its directory is checked whole before a byte of a file is read, and no file is
believed before its digest was counted.

Names out of the archive are looked up in a list and are never paths; nothing is extracted.
"""

from __future__ import annotations

import hashlib
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from core.data.archive import ENCRYPTED
from core.export.archive.form import (
    MANIFEST,
    MAX_ARCHIVE_BYTES,
    MAX_ENTRIES,
    MAX_TOTAL_BYTES,
    MB,
    SEAL,
    FileEntry,
    Manifest,
    most_bytes,
    read_manifest,
    refused,
    seal_of,
)
from core.run.errors import SpecError

MAX_RATIO = 200  # unpacked to packed; events pack 20:1, zeros 1,000:1 …
RATIO_FREE_BYTES = 4 * MB  # … but a few megabytes of zeros do no harm
CHUNK = 1 * MB  # that is read at once; it bounds the zip's directory, too


class Unpacked:
    """An archive that is open, whose manifest is intact and lists exactly the files that are there.

    Args:
        archive: to be read by nobody else meanwhile.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._entries = _checked(archive)
        self._unpacked = 0
        content = self._bytes(MANIFEST)
        if self._bytes(SEAL) != seal_of(content):
            raise refused(f"{MANIFEST} is not what its digest says: the archive was damaged or changed")
        self.manifest: Manifest = read_manifest(content)
        listed, there = {*self.manifest.files, MANIFEST, SEAL}, set(self._entries)
        if listed != there:
            name = min(listed ^ there)
            what = (
                "lists {!r}, which is not there" if name in listed else "does not list {!r}, which is there"
            )
            raise refused(f"{MANIFEST} {what.format(name[:80])}")

    def has(self, name: str) -> bool:
        return name in self._entries

    def digest(self, name: str) -> str:
        """The SHA-256 of a file, as the manifest says it."""
        return self.manifest.files[name].sha256

    def read(self, name: str) -> bytes:
        """A file, whole.

        Raises:
            SpecError: it is not what the manifest says.
        """
        found: list[bytes] = []
        self.each_chunk(name, found.append)
        return b"".join(found)

    def each_chunk(self, name: str, take: Callable[[bytes], object]) -> None:
        """Hand a file to ``take``, piece by piece. Until this returns it is not known whether the file is
        what the manifest says.

        Raises:
            SpecError: it is not.
        """
        made, size = hashlib.sha256(), 0
        for chunk in self._chunks(name):
            made.update(chunk)
            size += len(chunk)
            take(chunk)
        if FileEntry(bytes=size, sha256=made.hexdigest()) != self.manifest.files[name]:
            raise refused(f"{name} is not what its digest says: the archive was damaged or changed")

    def _bytes(self, name: str) -> bytes:
        if name not in self._entries:
            raise refused(f"this is no archive of Augury: it has no {name}")
        return b"".join(self._chunks(name))

    def _chunks(self, name: str) -> Iterator[bytes]:
        """What the entry holds, whatever it says of its own length."""
        most, size = most_bytes(name), 0
        try:
            with self._archive.open(self._entries[name]) as stream:
                while chunk := stream.read(CHUNK):
                    size += len(chunk)
                    self._unpacked += len(chunk)
                    if size > most or self._unpacked > 2 * MAX_TOTAL_BYTES:  # weights are read twice
                        raise refused(f"{name} is longer than {most:,} bytes")
                    yield chunk
        except SpecError:
            raise
        except Exception:  # given hostile bytes, zipfile and zlib raise more than BadZipFile
            raise refused(f"{name} can't be unpacked: the archive was damaged") from None


@contextmanager
def opened(path: Path) -> Iterator[Unpacked]:
    """The archive in a file.

    Raises:
        SpecError: it can't be read, or is no archive, a damaged one, or too large.
    """
    if not path.is_file():  # to open a pipe would wait for somebody who writes
        raise SpecError("ARCHIVE", f"there is no file {path.name}.")
    try:
        stream = path.open("rb")
    except OSError as error:
        raise SpecError("ARCHIVE", f"{path.name} can't be read: {error.strerror}.") from None
    with stream:
        if path.stat().st_size > MAX_ARCHIVE_BYTES:
            raise SpecError("ARCHIVE", f"it is larger than {MAX_ARCHIVE_BYTES // MB:,} MB; take fewer runs.")
        try:
            archive = zipfile.ZipFile(_BoundedReads(stream))
        except Exception:  # given hostile bytes, zipfile raises more than BadZipFile
            raise refused("this is not a zip file, or a damaged one") from None
        with archive:
            yield Unpacked(archive)


def _checked(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The entries by name, once each is a plain file that an archive may hold."""
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise refused(f"it lists {len(entries):,} files; an archive has at most {MAX_ENTRIES}")
    found: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        name = entry.orig_filename
        if not (most := most_bytes(name)):
            raise refused(f"it holds {name[:80]!r}, and no archive has such a file")
        if name in found:
            raise refused(f"it holds {name} twice")
        if entry.flag_bits & ENCRYPTED:
            raise refused("it is encrypted")
        if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
            raise refused(f"it holds {name} as a link or a folder")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # The others' decoders have no bound on what one read makes of a few bytes.
            raise refused(f"it packs {name} in an unusual way")
        if entry.file_size > most or entry.file_size > max(RATIO_FREE_BYTES, MAX_RATIO * entry.compress_size):
            raise refused(f"{name} would unpack to {entry.file_size:,} bytes, which is too much")
        found[name] = entry
    if sum(entry.file_size for entry in entries) > MAX_TOTAL_BYTES:
        raise refused(f"unpacked it is larger than {MAX_TOTAL_BYTES // MB:,} MB")
    return found


class _BoundedReads:
    """A file that gives at most `CHUNK` bytes at once: zipfile reads a zip's whole directory in one go,
    however long the zip says it is, and makes an object of every 46 bytes."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable

    def read(self, size: int = -1) -> bytes:
        content = self._stream.read(CHUNK + 1 if size < 0 else min(size, CHUNK + 1))
        if len(content) > CHUNK:
            raise ValueError("too much at once")
        return content

    def close(self) -> None:
        """The file is closed by whoever opened it."""
