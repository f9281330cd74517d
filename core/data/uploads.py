"""Zips that people upload: checked whole, then kept under the digest of their bytes.

A kept zip's name, ``upload:<64 hex digits>``, is all that a spec or an address ever holds of it. The
name it had on somebody's disk is forgotten. There is room for `MOST_BYTES`; those not used for longest make
place for new ones, for a full disk would take the runs with it.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import tempfile
import time
from collections.abc import Set
from pathlib import Path

from core.data import cache as datasets
from core.data.own import DEFAULT_CHANNELS, DEFAULT_SIDE, LOADS
from core.home import home
from core.run.errors import SpecError

MOST_BYTES = 4 << 30  # of all kept zips together
ABANDONED_SECONDS = 3600  # after which an unfinished file's writer is taken for dead

_NAME = re.compile(r"upload:([0-9a-f]{64})")


def keep_upload(content: bytes, in_use: Set[str] = frozenset()) -> str:
    """Keep an uploaded zip, if `core.data.folder` can read it, and return its name.

    Args:
        in_use: names of uploads that runs still need: they are not removed to make room for this one.

    Raises:
        SpecError: it is refused; then nothing has been written.
    """
    from core.data.folder import read_zip  # here: names of uploads are looked up without any decoder

    digest = hashlib.sha256(content).hexdigest()
    name = f"upload:{digest}"
    shape = (DEFAULT_SIDE, DEFAULT_CHANNELS)  # what most will ask for next: then it is decoded already
    datasets.cached(datasets.key(LOADS, name, *shape), lambda: read_zip(io.BytesIO(content), *shape))
    place = _place(digest)
    place.parent.mkdir(mode=0o700, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as unfinished:  # 0600
        try:
            unfinished.write(content)
        except OSError:
            Path(unfinished.name).unlink()
            raise
    Path(unfinished.name).replace(place)  # atomic: another reader sees the whole zip, or none
    _make_room(place.parent, {place, *(_place(each.removeprefix("upload:")) for each in in_use)})
    return name


def resolve_path(path: str) -> Path:
    """The file an upload's name stands for; any other path is a path of this machine.

    Raises:
        SpecError: it is no upload's name although it begins like one, or the upload is gone.
    """
    if not path.startswith("upload:"):
        return Path(path)
    match = _NAME.fullmatch(path)
    if match is None:
        raise SpecError("data.path", "after 'upload:' come the 64 hex digits that uploading the zip gave.")
    place = _place(match[1])
    if not place.is_file():
        raise SpecError("data.path", "this upload is no longer here; upload the zip again.")
    with contextlib.suppress(OSError):  # it may be gone by now, or the home may be read-only
        os.utime(place)
    return place


def _make_room(folder: Path, needed: Set[Path]) -> None:
    """Remove the zips that were not used for longest, until all fit into `MOST_BYTES`, but none that is
    ``needed``; and what uploads have left whose process was killed."""
    for unfinished in folder.glob("tmp*"):
        with contextlib.suppress(FileNotFoundError):
            if unfinished.stat().st_mtime < time.time() - ABANDONED_SECONDS:
                unfinished.unlink()
    kept = []
    for zipped in folder.glob("*.zip"):
        with contextlib.suppress(FileNotFoundError):  # another upload makes room, too
            found = zipped.stat()
            kept.append((found.st_mtime, found.st_size, zipped))
    size = sum(each for _, each, _ in kept)
    for _, each, zipped in sorted(kept):
        if size <= MOST_BYTES:
            return
        if zipped not in needed:
            zipped.unlink(missing_ok=True)
            size -= each


def _place(digest: str) -> Path:
    return home() / "uploads" / f"{digest}.zip"
