"""Zips that people upload: checked whole; then what was read of each is kept under the digest of its bytes.

A kept zip's name, ``upload:<64 hex digits>``, is all that a spec or an address ever holds of it. The
name it had on somebody's disk is forgotten, and so is whatever in it is no image. There is room for
`MOST_BYTES`; of the place that has most, those not used for longest make place for new ones, for a full disk
would take the runs with it.

Beside each zip lies a file of the same name, ``.json``: where it came from, and what was left out of it.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import tempfile
import time
import warnings
import zipfile
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any, NamedTuple

from core.data import cache as datasets
from core.data.archive import File
from core.data.own import LOADS, Form, form_of
from core.home import home
from core.run.errors import SpecError
from core.run.spec import DataSpec

MOST_BYTES = 4 << 30  # of all kept zips together
ABANDONED_SECONDS = 3600  # after which an unfinished file's writer is taken for dead

_NAME = re.compile(r"upload:([0-9a-f]{64})")


class Kept(NamedTuple):
    """An upload's name, and the form that suits its images."""

    path: str
    form: Form


def keep_upload(content: bytes, in_use: Set[str] = frozenset(), place: str = "") -> Kept:
    """Keep the images of an uploaded zip, if `core.data.folder` can read it.

    Args:
        in_use: names of uploads that runs still need: they are not removed to make room for this one.
        place: where it comes from, as pages know visitors.

    Raises:
        SpecError: it is refused; then nothing has been written.
    """
    from core.data.folder import read_zip  # here: names of uploads are looked up without any decoder

    digest = hashlib.sha256(content).hexdigest()
    name, zipped = f"upload:{digest}", _place(digest)
    form = _form_in(_about(zipped))
    if form is None or not zipped.is_file():
        found = read_zip(io.BytesIO(content))
        form = found.form
        datasets.cached(datasets.key(LOADS, name, *form), found.told)  # what will be asked for next
        zipped.parent.mkdir(mode=0o700, exist_ok=True)
        about = {"place": place, "form": form, "left_out": found.left_out}
        _write(zipped.with_suffix(".json"), json.dumps(about).encode())
        _write(zipped, _packed(found.taken))
    resolve_path(name)  # it is in use
    _make_room(zipped.parent, {zipped, *(_place(each.removeprefix("upload:")) for each in in_use)})
    return Kept(name, form)


def left_out_of(path: str) -> tuple[str, ...]:
    """Sentences that say what an uploaded zip held besides what was kept of it; none of another path."""
    match = _NAME.fullmatch(path)
    about = {} if match is None else _about(_place(match[1]))
    found = about.get("left_out", about.get("notes"))  # older releases called them so
    return tuple(map(str, found)) if isinstance(found, list) else ()


def resolve_path(path: str) -> Path:
    """The file an upload's name stands for; any other path is a path of this machine.

    Raises:
        SpecError: it is no upload's name although it begins like one, or the upload is gone.
    """
    if not path.startswith("upload:"):
        return Path(path)
    place = place_of_upload(path)
    if not place.is_file():
        raise SpecError("data.path", "this upload is no longer here; upload the zip again.")
    with contextlib.suppress(OSError):  # it may be gone by now, or the home may be read-only
        os.utime(place)
    return place


def place_of_upload(path: str) -> Path:
    """Where an upload's zip lies on this machine, if it does; beside it may lie a ``.json``.

    Raises:
        SpecError: ``path`` is no name of an upload.
    """
    match = _NAME.fullmatch(path)
    if match is None:
        raise SpecError("data.path", "after 'upload:' come the 64 hex digits that uploading the zip gave.")
    return _place(match[1])


def _packed(files: Sequence[File]) -> bytes:
    """A zip of these files alone."""
    stream = io.BytesIO()
    with (
        warnings.catch_warnings(),
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed,
    ):
        warnings.simplefilter("ignore")  # two files of one name are two images here
        for file in files:
            packed.writestr(file.name, file.read())
    return stream.getvalue()


def _write(place: Path, content: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as unfinished:  # 0600
        try:
            unfinished.write(content)
        except OSError:
            Path(unfinished.name).unlink()
            raise
    Path(unfinished.name).replace(place)  # atomic: another reader sees the whole file, or none


def _about(zipped: Path) -> dict[str, Any]:
    try:
        found = json.loads(zipped.with_suffix(".json").read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _form_in(about: Mapping[str, Any]) -> Form | None:
    """The form that suits an upload's images; None: an older release kept it, which did not look."""
    found = about.get("form")
    try:
        side, channels, fit = found  # type: ignore[misc]
        spec = DataSpec(name="folder", side=side, channels=channels, fit=fit)
    except (TypeError, ValueError):
        return None
    return form_of(spec)


def _make_room(folder: Path, needed: Set[Path]) -> None:
    """Until all zips fit into `MOST_BYTES`, remove of the place that has most the one not used for longest,
    but none that is ``needed``; and what uploads have left whose process was killed."""
    alone = (each for each in folder.glob("*.json") if not each.with_suffix(".zip").exists())
    for unfinished in (*folder.glob("tmp*"), *alone):
        with contextlib.suppress(FileNotFoundError):
            if unfinished.stat().st_mtime < time.time() - ABANDONED_SECONDS:
                unfinished.unlink()
    kept: defaultdict[str, list[tuple[float, int, Path]]] = defaultdict(list)
    for zipped in folder.glob("*.zip"):
        with contextlib.suppress(FileNotFoundError):  # another upload makes room, too
            found = zipped.stat()
            kept[str(_about(zipped).get("place", ""))].append((found.st_mtime, found.st_size, zipped))
    for each in kept.values():
        each.sort(reverse=True)
    sizes = {place: sum(size for _, size, _ in each) for place, each in kept.items()}
    while sum(sizes.values()) > MOST_BYTES and any(kept.values()):
        place = max((each for each in kept if kept[each]), key=lambda each: sizes[each])
        _, size, zipped = kept[place].pop()
        if zipped not in needed:
            zipped.unlink(missing_ok=True)
            zipped.with_suffix(".json").unlink(missing_ok=True)
            sizes[place] -= size


def _place(digest: str) -> Path:
    return home() / "uploads" / f"{digest}.zip"
