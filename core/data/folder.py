"""A person's own images: a zip, or a directory, with one folder a class."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np

from core.data.archive import Beside, File, directory_files, zip_files
from core.data.dataset import Dataset
from core.data.images import UnreadableImageError, clean, open_image, square_pixels
from core.data.own import DEFAULT_CHANNELS, DEFAULT_SIDE
from core.run.errors import SpecError

MAX_CLASSES = 200  # more than any chart or table here could show
MAX_IMAGES = 20_000  # at 10 ms a photograph, a few minutes of decoding
MAX_BYTES = 2**30  # as uint8, on the device for the whole run
MAX_TOTAL_WORK = 8_000_000_000  # pixels gone over in all: about a minute, however small the files are
MAX_BAD_SHARE = 0.1  # of the files meant as images; beyond it, something else is wrong
MAX_NAMED = 10  # skipped files that a note names

# A file that is no image is a broken image if its name says image, and else only a companion to ignore.
IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib"} | {
    ".gif",
    ".tif",
    ".tiff",
    ".heic",
    ".heif",
    ".avif",
    ".jp2",
    ".ico",
    ".svg",
}
SHAPE = ", such as cats/1.jpg, cats/2.jpg, dogs/1.jpg, dogs/2.jpg"
ALREADY_SPLIT = {"train", "training", "test", "testing", "val", "valid", "validation", "dev"}


def folder(place: Path, side: int = DEFAULT_SIDE, channels: int = DEFAULT_CHANNELS) -> Dataset:
    """The images of a zip or directory, in order of class and name, squared to ``side`` pixels.

    A class is a first-level folder, with whatever lies deeper in it; a single folder around everything
    is looked through. Hidden files are ignored.

    Args:
        place: a zip or a directory of this machine.
        channels: 1 for grey, 3 for RGB.

    Raises:
        SpecError: at ``data.path``, or ``data.side`` if the images would not fit; one sentence says why.
    """
    try:
        stream = None if place.is_dir() else place.open("rb")
    except (OSError, ValueError):
        raise SpecError(
            "data.path", f"there is no readable file or folder at {clean(str(place), 200)}."
        ) from None
    if stream is None:
        return _gather(directory_files(place), side, channels)
    with stream:
        return read_zip(stream, side, channels)


def read_zip(
    stream: BinaryIO,
    side: int = DEFAULT_SIDE,
    channels: int = DEFAULT_CHANNELS,
    taken: list[File] | None = None,
) -> Dataset:
    """As `folder`, from an open zip; nothing is written anywhere.

    Args:
        taken: gets the files that are in the dataset, in its order.
    """
    beside = Beside()
    return _gather(zip_files(stream, beside), side, channels, taken, beside)


def _gather(
    files: Sequence[File],
    side: int,
    channels: int,
    taken: list[File] | None = None,
    beside: Beside | None = None,
) -> Dataset:
    """Decode the files of every class into one dataset.

    One array is made for all that could be images; what of it is never written takes no memory.
    """
    by_class = _by_class(files)
    limit = min(MAX_IMAGES, MAX_BYTES // (channels * side * side))
    _check_count(sum(_named_image(file) for files in by_class.values() for file in files), limit, side)

    candidates = sum(len(members) for members in by_class.values())
    images = np.empty((min(candidates, limit), channels, side, side), dtype=np.uint8)
    count = 0
    counts: dict[str, int] = {}
    bad: list[str] = []
    classed = {file.name for members in by_class.values() for file in members}
    ignored = [clean(file.name, 80) for file in files if file.name not in classed]
    work = 0
    for name, members in sorted(by_class.items(), key=lambda item: natural(item[0])):
        before = count
        for file in sorted(members, key=lambda file: file.name):
            try:
                opened = open_image(file.read(), side)
                work += opened.work
                if work > MAX_TOTAL_WORK:
                    raise _refused("the images are too large in all; scale them down first")
                decoded = square_pixels(opened.image, side, channels)
                _check_count(count + 1, limit, side)
                images[count] = decoded
                count += 1
                if taken is not None:
                    taken.append(file)
            except UnreadableImageError as reason:
                if _named_image(file):
                    bad.append(f"{clean(file.name, 80)} {reason}")
                else:
                    ignored.append(clean(file.name, 80))
        if count > before or any(_named_image(file) for file in members):
            counts[name] = count - before
    _check_enough(counts, bad, ignored, total=count + len(bad))
    return Dataset(
        images=images[:count],
        labels=np.repeat(np.arange(len(counts), dtype=np.int64), list(counts.values())),
        classes=_shown(list(counts)),
        notes=(*_notes(bad, ignored, total=count + len(bad)), *_beside(beside, by_class)),
    )


def _by_class(files: Sequence[File]) -> dict[str, list[File]]:
    """Files by their class's folder; files that lie in no folder are left out."""
    paths = [(file.name.split("/"), file) for file in files]
    paths = _with_images([(parts, file) for parts, file in paths if len(parts) > 1])
    while len({parts[0] for parts, _ in paths}) == 1 and any(len(parts) > 2 for parts, _ in paths):
        paths = _with_images([(parts[1:], file) for parts, file in paths if len(parts) > 2])
    by_class: dict[str, list[File]] = {}
    for parts, file in paths:
        by_class.setdefault(parts[0], []).append(file)
    if files and not by_class:
        raise _refused(f"it has no folders; put the images of each class into a folder of their own{SHAPE}")
    if len(by_class) > MAX_CLASSES:
        raise _refused(
            f"it has {len(by_class):,} folders, so as many classes; at most {MAX_CLASSES} are read"
        )
    if len(by_class) > 1 and {name.lower() for name in by_class} <= ALREADY_SPLIT:
        raise _refused(
            f"its folders, {', '.join(by_class)}, are a split, not classes; give the training part"
        )
    return by_class


def _with_images(paths: list[tuple[list[str], File]]) -> list[tuple[list[str], File]]:
    """Those in first-level folders that hold something named like an image, if any does: notes and papers
    beside the images are no class."""
    folders = {parts[0] for parts, file in paths if PurePosixPath(file.name).suffix.lower() in IMAGE_SUFFIXES}
    return [(parts, file) for parts, file in paths if parts[0] in folders] or paths


def _check_count(count: int, limit: int, side: int) -> None:
    if count > MAX_IMAGES:
        raise _refused(f"it has more than {MAX_IMAGES:,} images; leave some out")
    if count > limit:
        fits = f"only {limit:,} images fit at {side} pixels a side"
        raise SpecError("data.side", f"{fits}, and there are more; choose a smaller side, or fewer images.")


def _check_enough(counts: dict[str, int], bad: list[str], ignored: list[str], total: int) -> None:
    """Refuse what can't be learned from: nothing, mostly broken files, one class, a class of one."""
    if not total:
        zips = [name for name in ignored if name.lower().endswith(".zip")]
        if zips:
            raise _refused(f"it holds no images, but another zip, {zips[0]}; unpack that and zip its folders")
        raise _refused(f"it holds no images; PNG, JPEG, WebP and BMP are read, a folder a class{SHAPE}")
    if len(bad) > MAX_BAD_SHARE * total:
        raise _refused(f"{len(bad):,} of its {total:,} images can't be read; the first: {bad[0]}")
    if len(counts) < 2:
        only = clean(next(iter(counts)))
        raise _refused(f"it has one class only, {only}; put each class into a folder of its own{SHAPE}")
    name, count = min(counts.items(), key=lambda item: item[1])
    if count < 2:
        has = "only one image" if count else "no image that can be read"
        raise _refused(f"the class {clean(name)} has {has}; two are needed, to train and to validate with")


def _notes(bad: list[str], ignored: list[str], total: int) -> tuple[str, ...]:
    notes = []
    if bad:
        notes.append(f"Skipped {len(bad):,} of {total:,} images: {_listed(bad)}.")
    if ignored:
        notes.append(f"Ignored {len(ignored):,} other file{'s'[: len(ignored) != 1]}: {_listed(ignored)}.")
    return tuple(notes)


def _beside(beside: Beside | None, by_class: dict[str, list[File]]) -> tuple[str, ...]:
    """What else a zip holds: files of systems, and folders that could be classes but hold nothing."""
    if beside is None:
        return ()
    notes = []
    if beside.litter:
        notes.append(f"Left out {beside.litter:,} hidden or system file{'s'[: beside.litter != 1]}.")
    held = {f"{parent}/" for each in by_class.values() for file in each for parent in _parents(file.name)}
    empty = [clean(name, 80) for name in beside.folders if name not in held]
    if empty:
        notes.append(f"Without images: {_listed(empty)}.")
    return tuple(notes)


def _parents(name: str) -> list[str]:
    parts = name.split("/")[:-1]
    return ["/".join(parts[: i + 1]) for i in range(len(parts))]


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts as a person would: 2 before 10, and capitals beside small letters."""
    parts = re.split(r"(\d+)", unicodedata.normalize("NFKC", name).casefold())
    numbers = (each.lstrip("0") for each in parts[1::2])  # of any length: a name may be all digits
    key = [(1, 0, each) for each in parts]
    key[1::2] = [(0, len(each), each) for each in numbers]
    return (*key, (2, 0, name))


def _listed(names: list[str]) -> str:
    more = f"; and {len(names) - MAX_NAMED:,} more" if len(names) > MAX_NAMED else ""
    return "; ".join(names[:MAX_NAMED]) + more


def _shown(names: list[str]) -> tuple[str, ...]:
    """Class names fit to show, and still all different."""
    shown: list[str] = []
    for name in names:
        plain = clean(name) or "unnamed"
        candidate, number = plain, 2
        while candidate in shown:
            candidate = f"{plain[:34]} ({number})"
            number += 1
        shown.append(candidate)
    return tuple(shown)


def _named_image(file: File) -> bool:
    suffix = PurePosixPath(file.name).suffix.lower()
    return suffix in IMAGE_SUFFIXES or not suffix


def _refused(why: str) -> SpecError:
    return SpecError("data.path", f"{why}.")
