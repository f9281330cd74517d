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
from pathlib import Path

from core.data.folder import read_zip
from core.home import home
from core.run.errors import SpecError

MOST_BYTES = 4 << 30  # of all kept zips together

_NAME = re.compile(r"upload:([0-9a-f]{64})")


def keep_upload(content: bytes) -> str:
    """Keep an uploaded zip, if `core.data.folder` can read it, and return its name.

    Raises:
        SpecError: it is refused; then nothing has been written.
    """
    read_zip(io.BytesIO(content))
    digest = hashlib.sha256(content).hexdigest()
    place = _place(digest)
    place.parent.mkdir(exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as unfinished:
        try:
            unfinished.write(content)
        except OSError:
            Path(unfinished.name).unlink()
            raise
    Path(unfinished.name).replace(place)  # atomic: another reader sees the whole zip, or none
    _make_room(place)
    return f"upload:{digest}"


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


def _make_room(newest: Path) -> None:
    """Remove the zips that were not used for longest, until all fit into `MOST_BYTES`; never ``newest``."""
    kept = []
    for zipped in newest.parent.glob("*.zip"):
        with contextlib.suppress(FileNotFoundError):  # another upload makes room, too
            found = zipped.stat()
            kept.append((found.st_mtime, found.st_size, zipped))
    size = sum(each for _, each, _ in kept)
    for _, each, zipped in sorted(kept):
        if size <= MOST_BYTES:
            return
        if zipped != newest:
            zipped.unlink(missing_ok=True)
            size -= each


def _place(digest: str) -> Path:
    return home() / "uploads" / f"{digest}.zip"
