"""Datasets that were decoded once, kept on disk for all processes to map.

Below ``home()/cache/datasets`` each has a folder, named by the digest of all that decides its pixels:
``images.npy``, ``labels.npy``, ``about.json``, and ``groups.npy`` and ``held_out.npy`` where a dataset has
them. A folder is written under another name and moved into place when it is whole, so that nobody reads half
of one; if two processes write the same, one wins. What
can't be read is dropped and made anew. Those not used for longest make place for new ones: a process that
has mapped their files keeps them all the same.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from core.data.dataset import Dataset
from core.home import home

Arrays = Dataset[NDArray[Any]]

DEFAULT_BYTES = 4 << 30
UNFINISHED = "tmp-"
ABANDONED_SECONDS = 3600  # after which an unfinished folder's writer is taken for dead
IMAGES, LABELS, ABOUT = "images.npy", "labels.npy", "about.json"
OPTIONAL = ("groups", "held_out")  # fields of a dataset that may be None

_DECODING = threading.Lock()  # one set at a time in a process: each may take a gigabyte


def cached(key: str, decode: Callable[[], Arrays]) -> Arrays:
    """The dataset kept under ``key``, or else what ``decode`` makes, which is then kept.

    Its arrays are read-only, and mapped: pages of the files come into memory as they are looked at, and
    all processes share them. If nothing can be written (the disk is full) they are in memory.
    """
    place = _datasets() / key
    found = _read(place)
    if found is not None:
        return found
    with _DECODING:
        found = _read(place)  # another thread may have made it meanwhile
        if found is not None:
            return found
        dataset = decode()
        with contextlib.suppress(OSError):  # the disk is full, or another process was first
            _keep(place, dataset)
        return _read(place) or dataset


def kept(key: str) -> Arrays | None:
    """The dataset kept under ``key``; None if there is none."""
    return _read(_datasets() / key)


def key(loads: str, *what: str | int) -> str:
    """The name of what the function at ``loads`` makes of ``what``, by the decoders as they are now."""
    return hashlib.sha256(json.dumps([_decoders(), loads, *what]).encode()).hexdigest()


def content_of(path: str, place: Path) -> str:
    """What stands for the content of a person's images at ``place``: an upload's name, ``path``, holds its
    digest; of this machine's own files names, sizes and times are taken, which change as they change."""
    if path.startswith("upload:"):
        return path
    from core.data.archive import directory_entries

    digest = hashlib.sha256(os.fsencode(place.absolute()))
    with contextlib.suppress(OSError, ValueError):  # whoever opens it says what is wrong
        files = directory_entries(place) if place.is_dir() else [("", place)]
        for name, file in files:
            status = file.stat()
            about = (os.fsencode(name), status.st_size, status.st_mtime_ns, status.st_ctime_ns)
            digest.update(repr(about).encode())
    return digest.hexdigest()


@cache
def _decoders() -> str:
    """A digest of everything that turns bytes into pixels, so that no change of it is forgotten here."""
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    for package in ("numpy", "pillow", "scikit-learn", "torch"):
        digest.update(version(package).encode())
    return digest.hexdigest()


def _datasets() -> Path:
    return home() / "cache" / "datasets"


def _read(place: Path) -> Arrays | None:
    """What is kept at ``place``; None if there is nothing, or nothing that can be read."""
    try:
        about = json.loads((place / ABOUT).read_text("utf-8"))
        images = np.load(place / IMAGES, mmap_mode="r", allow_pickle=False)
        labels = np.load(place / LABELS, allow_pickle=False)
        labels.flags.writeable = False
        classes, notes = tuple(about["classes"]), tuple(about["notes"])
        optional = {
            name: np.load(place / f"{name}.npy", allow_pickle=False)
            for name in about["digests"]
            if name in OPTIONAL
        }
        whole = images.dtype == np.uint8 and [*images.shape] == about["shape"]
        whole &= about["digests"] == _digests({"labels": labels, **optional})
    except FileNotFoundError:
        if place.is_dir():
            _drop(place)
        return None
    except Exception:  # given damaged bytes, NumPy's and JSON's parsers raise almost anything
        _drop(place)
        return None
    if not whole:
        _drop(place)
        return None
    with contextlib.suppress(OSError):  # it may be gone by now, or the home may be read-only
        os.utime(place)
    return Dataset(np.asarray(images), labels, classes, notes, **optional)


def _digests(arrays: dict[str, NDArray[Any]]) -> dict[str, str]:
    return {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in arrays.items()}


def _keep(place: Path, dataset: Arrays) -> None:
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=place.parent))  # 0700
    optional = {name: getattr(dataset, name) for name in OPTIONAL if getattr(dataset, name) is not None}
    about = {
        "shape": dataset.images.shape,
        "digests": _digests({"labels": dataset.labels, **optional}),
        "classes": dataset.classes,
        "notes": dataset.notes,
    }
    try:
        for name, array in {"images": dataset.images, "labels": dataset.labels, **optional}.items():
            with _new_file(unfinished / f"{name}.npy") as file:
                np.save(file, array, allow_pickle=False)
        with _new_file(unfinished / ABOUT) as file:
            file.write(json.dumps(about).encode())
        unfinished.rename(place)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    _make_room(place)


@contextlib.contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """A file for this user alone, on the disk once this is left."""
    path.touch(0o600)
    with path.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _make_room(newest: Path) -> None:
    """Remove the datasets that were not used for longest until all fit, but never ``newest``; and what
    writers that were killed have left."""
    kept = []
    for each in newest.parent.iterdir():
        with contextlib.suppress(OSError):  # another process makes room, too
            used = each.stat().st_mtime
            if not each.name.startswith(UNFINISHED):
                kept.append((used, sum(file.stat().st_size for file in each.iterdir()), each))
            elif used < time.time() - ABANDONED_SECONDS:
                shutil.rmtree(each, ignore_errors=True)
    total = sum(size for _, size, _ in kept)
    for _, size, place in sorted(kept):
        if total <= _most_bytes():
            return
        if place != newest:
            _drop(place)
            total -= size


def _drop(place: Path) -> None:
    """Remove a dataset in one step: whoever reads beside finds it whole or not at all."""
    with contextlib.suppress(OSError):
        doomed = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=place.parent))
        try:
            place.rename(doomed)
        finally:
            shutil.rmtree(doomed, ignore_errors=True)


def _most_bytes() -> int:
    """``AUGURY_CACHE_BYTES``, or 4 GiB."""
    chosen = os.environ.get("AUGURY_CACHE_BYTES", "")
    return int(chosen) if chosen.isdecimal() else DEFAULT_BYTES
