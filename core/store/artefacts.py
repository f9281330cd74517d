"""Files that jobs leave, kept by their content: a folder by default, or any store that fsspec knows.

The place of a file is its digest, so the same content is kept once, and nothing that a person or a job wrote
is ever part of a path. Which job left which file under which name stands in the database.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import sqlalchemy as sa

from core.files import sync_folder
from core.home import home
from core.run.errors import SpecError
from core.run.events import Event
from core.store.tables import artefacts

CHUNK = 1 << 20  # bytes
MAX_BYTES = 4 << 30  # of one file

_DIGEST = re.compile(r"[0-9a-f]{64}")


class Artefact(NamedTuple):
    """What a job left: how it is called there, and what it is."""

    run_id: str
    name: str
    digest: str
    media_type: str
    bytes: int


class Files(NamedTuple):
    """Where files are kept: an fsspec file system, a path in it, and whether it is this machine's."""

    system: Any
    root: str
    local: bool


def open_files(url: str | Path | None = None) -> Files:
    """What an address, or ``AUGURY_ARTEFACTS``, stands for.

    Raises:
        SpecError: the address is of no use.
    """
    import fsspec

    where = str(url or os.environ.get("AUGURY_ARTEFACTS") or home() / "artefacts")
    try:
        system, root = fsspec.core.url_to_fs(where)
    except (ImportError, ValueError) as error:
        raise SpecError("AUGURY_ARTEFACTS", f"it can't be used: {error}") from None
    names = (system.protocol,) if isinstance(system.protocol, str) else system.protocol
    return Files(system, root.rstrip("/"), "file" in names)


class Artefacts:
    """Content by its digest; any thread may call any method.

    Args:
        url: a folder or an fsspec address (``s3://bucket/augury``); None: ``AUGURY_ARTEFACTS``, or else
            ``artefacts`` in `core.home.home`.

    Raises:
        SpecError: the address is of no use.
    """

    def __init__(self, url: str | Path | None = None) -> None:
        self._files, self._root, self._local = open_files(url)

    def put(self, content: bytes | Path) -> str:
        """Keep bytes, or a copy of a file; its digest.

        Raises:
            SpecError: it is larger than 4 GiB.
            OSError: it can't be read or written.
        """
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        if size > MAX_BYTES:
            raise SpecError("", f"A file of {size:,} bytes is not kept; at most {MAX_BYTES:,} are.")
        with closing(_source(content)) as source:
            digest = _digest_of(source)
            if self._files.exists(self._place(digest)):
                return digest
            source.seek(0)
            self._write(source, digest)
        return digest

    def open(self, digest: str) -> BinaryIO:
        """The content, to be read and closed by the caller; it was read once to see that it is intact.

        Raises:
            SpecError: it is not here, or no longer what it was.
        """
        place = self._place(digest)
        try:
            with self._files.open(place, "rb") as file:
                intact = _digest_of(file) == digest
            if intact:
                return cast(BinaryIO, self._files.open(place, "rb"))
        except FileNotFoundError:
            raise SpecError("", f"The file {digest[:12]}… is no longer kept.") from None
        raise SpecError("", f"The file {digest[:12]}… is damaged.")

    def read(self, digest: str, max_bytes: int = 64 << 20) -> bytes:
        """The content, whole.

        Raises:
            SpecError: it is not here, no longer what it was, or longer than ``max_bytes``.
        """
        place = self._place(digest)
        try:
            with self._files.open(place, "rb") as file:
                content = file.read(max_bytes + 1)
        except FileNotFoundError:
            raise SpecError("", f"The file {digest[:12]}… is no longer kept.") from None
        if len(content) > max_bytes:
            raise SpecError("", f"The file {digest[:12]}… is longer than {max_bytes:,} bytes.")
        if hashlib.sha256(content).hexdigest() != digest:
            raise SpecError("", f"The file {digest[:12]}… is damaged.")
        return bytes(content)

    def remove(self, digest: str) -> None:
        """Forget content, if it is there."""
        with suppress(FileNotFoundError):
            self._files.rm_file(self._place(digest))

    def remove_unfinished(self, older_than: float) -> None:
        """Remove what a process that was killed had begun to write.

        Args:
            older_than: seconds since 1970.
        """
        if self._local:
            for beside in Path(self._root).glob("*/*.part"):
                with suppress(FileNotFoundError):
                    if beside.stat().st_mtime < older_than:
                        beside.unlink()

    def _place(self, digest: str) -> str:
        if _DIGEST.fullmatch(digest) is None:
            raise ValueError("a digest is 64 hex digits")
        return f"{self._root}/{digest[:2]}/{digest}"

    def _write(self, source: BinaryIO, digest: str) -> None:
        """Write beside and move into place: a reader sees the whole file, or none."""
        place = self._place(digest)
        beside = f"{place}.{uuid.uuid4().hex}.part"
        self._files.makedirs(self._files._parent(place), exist_ok=True)
        try:
            with self._files.open(beside, "wb") as file:
                for chunk in _chunks(source):
                    file.write(chunk)
                if self._local:
                    file.flush()
                    os.fsync(file.fileno())
            if self._local:
                Path(beside).replace(place)
                sync_folder(Path(place).parent)
            else:
                self._files.mv(beside, place)
        except BaseException:
            with suppress(FileNotFoundError):
                self._files.rm_file(beside)
            raise


def record(engine: sa.Engine, run_id: str, event: Event) -> None:
    """Note that a job left an artefact; a later one of the same name takes its place."""
    row = {key: event[key] for key in ("name", "digest", "media_type", "bytes")}
    same = sa.and_(artefacts.c.run_id == run_id, artefacts.c.name == event["name"])
    with engine.begin() as connection:
        connection.execute(sa.delete(artefacts).where(same))
        connection.execute(sa.insert(artefacts), {"run_id": run_id, **row, "created_at": time.time()})


def listed(engine: sa.Engine, run_id: str) -> list[Artefact]:
    """What a job left, in the order of names."""
    columns: list[Any] = [artefacts.c[name] for name in Artefact._fields]
    wanted = sa.select(*columns).where(artefacts.c.run_id == run_id).order_by(artefacts.c.name)
    with engine.connect() as connection:
        return [Artefact(*row) for row in connection.execute(wanted)]


def _source(content: bytes | Path) -> BinaryIO:
    return io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")


def _chunks(source: BinaryIO) -> Iterator[bytes]:
    yield from iter(lambda: source.read(CHUNK), b"")


def _digest_of(source: BinaryIO) -> str:
    """SHA-256 of what is left to read."""
    made = hashlib.sha256()
    for chunk in _chunks(source):
        made.update(chunk)
    return made.hexdigest()
