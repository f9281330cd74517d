"""A person's own images: a zip, or a directory, with one folder a class; or a table of labels beside the
images, or NumPy arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.data.archive import Beside, File, directory_files, zip_files
from core.data.arrays import holds_arrays, read_arrays
from core.data.copies import copies_in, kept_together
from core.data.dataset import Dataset
from core.data.images import UnreadableImageError, clean, open_image, square_pixels
from core.data.layout import SHAPE, layout_of, listed, named_image, refused
from core.data.own import DEFAULT_CHANNELS, DEFAULT_FIT, DEFAULT_SIDE, Fit, Form
from core.data.survey import Survey
from core.run.errors import SpecError

MAX_IMAGES = 20_000  # at 10 ms a photograph, a few minutes of decoding
MAX_BYTES = 2**30  # as uint8, on the device for the whole run
MAX_TOTAL_WORK = 8_000_000_000  # pixels gone over in all: about a minute, however small the files are
MAX_BAD_SHARE = 0.1  # of the files meant as images; beyond it, something else is wrong
WHOLE = 1_000_000  # a side at which no image is scaled while it is opened

Images = Dataset[NDArray[Any]]


class Found(NamedTuple):
    """What a zip or a directory holds.

    Args:
        dataset: its ``notes`` say what the images are like as they were read.
        left_out: a sentence each: what else is there, and was not read.
        taken: the files that are needed to read it again.
    """

    dataset: Images
    form: Form
    left_out: tuple[str, ...]
    taken: list[File]

    def told(self) -> Images:
        """The dataset, with all there is to say in its notes."""
        return replace(self.dataset, notes=(*self.left_out, *self.dataset.notes))


def folder(
    place: Path, side: int = DEFAULT_SIDE, channels: int = DEFAULT_CHANNELS, fit: Fit = DEFAULT_FIT
) -> Images:
    """The images of a zip, an ``.npz`` or a directory, in order of class and name, as squares.

    How they are laid out `core.data.layout` says; hidden files are ignored.

    Args:
        place: a zip or a directory of this machine.
        side: in pixels.
        channels: 1 for grey, 3 for RGB.
        fit: see `core.data.images.square_pixels`.

    Raises:
        SpecError: at ``data.path``, or ``data.side`` if the images would not fit; one sentence says why.
    """
    return read_folder(place, side=side, channels=channels, fit=fit).told()


def read_folder(place: Path, **given: Any) -> Found:
    """As `folder`, with all that is known of it.

    Args:
        given: fields of the form; the others suit the images.

    Raises:
        SpecError: as `folder`.
    """
    try:
        stream = None if place.is_dir() else place.open("rb")
    except (OSError, ValueError):
        raise SpecError(
            "data.path", f"there is no readable file or folder at {clean(str(place), 200)}."
        ) from None
    if stream is None:
        return _read(directory_files(place), given)
    with stream:
        return read_zip(stream, **given)


def read_zip(stream: BinaryIO, **given: Any) -> Found:
    """As `read_folder`, from an open zip; nothing is written anywhere."""
    beside = Beside()
    files = zip_files(stream, beside)
    return _read_arrays(files, given) if holds_arrays(files) else _read(files, given, beside)


@dataclass(slots=True)
class _Left:
    """Files that are not in the dataset: broken images with a reason, and others."""

    bad: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def add(self, file: File, reason: UnreadableImageError) -> None:
        name = clean(file.name, 80)
        if named_image(file):
            self.bad.append(f"{name} {reason}")
        else:
            self.ignored.append(name)


def _read(files: Sequence[File], given: Mapping[str, Any], beside: Beside | None = None) -> Found:
    """Look over all files, then decode those that are images into one array."""
    layout = layout_of(files)
    classed = [(name, file) for name, members in layout.by_class.items() for file in members]
    _check_count(sum(named_image(file) for _, file in classed), MAX_IMAGES)
    others = {file.name for file in files} - {
        file.name for file in (*layout.needed, *(f for _, f in classed))
    }
    left = _Left(ignored=[clean(file.name, 80) for file in files if file.name in others])
    survey = Survey()
    opened = _looked_over(classed, survey, left)
    form = survey.proposed()._replace(**given)
    _check_count(len(opened), MAX_BYTES // (form.channels * form.side**2), form.side)
    images = np.empty((len(opened), form.channels, form.side, form.side), dtype=np.uint8)
    kept: list[tuple[str, File]] = []
    for name, file in opened:
        try:
            image = open_image(file.read(), form.side).image
            images[len(kept)] = square_pixels(
                image, form.side, form.channels, fit=form.fit, white=survey.white or None
            )
            kept.append((name, file))
        except UnreadableImageError as reason:
            left.add(file, reason)
    counts = {name: 0 for name, file in classed if named_image(file)}
    for name, _ in kept:
        counts[name] = counts.get(name, 0) + 1
    counts = {name: counts[name] for name in layout.by_class if name in counts}
    _check_enough(counts, left, total=len(kept) + len(left.bad))
    names = [file.name for _, file in kept]
    held_out = None if layout.held_out is None else np.isin(names, sorted(layout.held_out))
    number = {name: i for i, name in enumerate(counts)}
    labels = np.array([number[name] for name, _ in kept], np.int64)
    notes = (*layout.notes, *survey.notes(form))
    return Found(
        _dataset(images[: len(kept)], labels, list(counts), held_out, names, notes),
        form,
        (*_notes(left, total=len(names) + len(left.bad)), *_beside(beside, classed)),
        [*layout.needed, *(file for _, file in kept)],
    )


def _looked_over(classed: Sequence[tuple[str, File]], survey: Survey, left: _Left) -> list[tuple[str, File]]:
    """Those that are images by their headers."""
    found = []
    work = 0
    for name, file in classed:
        try:
            opened = open_image(file.read(), WHOLE)
            survey.look(opened.image)
        except UnreadableImageError as reason:
            left.add(file, reason)
            continue
        found.append((name, file))
        work += opened.work
        if work > MAX_TOTAL_WORK:
            raise refused("the images are too large in all; scale them down first")
    return found


def _read_arrays(files: Sequence[File], given: Mapping[str, Any]) -> Found:
    arrays = read_arrays(files, MAX_IMAGES)
    survey = Survey()
    count, height, width, channels = arrays.images.shape
    survey.sizes += [(width, height)] * count
    form = survey.proposed()._replace(**{"channels": channels, **given})
    _check_count(count, MAX_BYTES // (form.channels * form.side**2), form.side)
    images = np.stack([arrays.square(i, form) for i in range(count)])
    sizes = np.bincount(arrays.labels, minlength=len(arrays.classes)).tolist()
    _check_enough(dict(zip(arrays.classes, sizes, strict=True)), _Left(), total=count)
    names = [f"image {i}" for i in range(count)]
    notes = (*arrays.notes, *survey.notes(form))
    dataset = _dataset(images, arrays.labels, arrays.classes, arrays.held_out, names, notes)
    return Found(dataset, form, (), list(files))


def _dataset(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    classes: list[str],
    held_out: NDArray[np.bool_] | None,
    names: Sequence[str],
    notes: tuple[str, ...],
) -> Images:
    """The dataset, with what to know of copies in it, and of the split that is given.

    Raises:
        SpecError: a split that is given can't be trained on.
    """
    if held_out is not None:
        trained = np.bincount(labels[~held_out], minlength=len(classes))
        if not trained.all():
            name = clean(classes[int(trained.argmin())])
            raise refused(f"the class {name} has no image in the training part of the split")
        if not held_out.any():
            raise refused("no image of the validation part of the split can be read")
    near, exact = copies_in(images)
    groups = kept_together(near, exact, labels)
    notes = (*notes, *_copied(near, groups, labels, held_out, names))
    return Dataset(images, labels, _shown(classes), notes, groups, held_out)


def _copied(
    near: NDArray[np.int64],
    groups: NDArray[np.int64],
    labels: NDArray[np.int64],
    held_out: NDArray[np.bool_] | None,
    names: Sequence[str],
) -> tuple[str, ...]:
    """How many images are copies of others, and what follows."""
    copies = np.nonzero(near != np.arange(len(near)))[0]
    if not len(copies):
        return ()
    first = near[copies]
    pairs = [
        f"{clean(names[i], 80)} of {clean(names[j], 80)}"
        for i, j in zip(copies.tolist(), first.tolist(), strict=True)
    ]
    are = "image is a copy" if len(copies) == 1 else "images are copies"
    notes = [f"{len(copies):,} {are} of another, the same or nearly so: {listed(pairs)}."]
    if mixed := int((labels[copies] != labels[first]).sum()):
        notes.append(f"{mixed:,} of them are in another class than what they are a copy of.")
    if held_out is not None:
        if across := int((held_out[copies] != held_out[first]).sum()):
            notes.append(f"{across:,} of them lie on both sides of your split, which flatters the accuracy.")
    elif (groups == near).all():
        notes.append("Copies stay on one side of the split.")
    else:
        notes.append("Some lie on both sides of the split, for a class has hardly anything but copies.")
    return tuple(notes)


def _check_count(count: int, limit: int, side: int = 0) -> None:
    if count > MAX_IMAGES:
        raise refused(f"it has more than {MAX_IMAGES:,} images; leave some out")
    if count > limit:
        fits = f"only {limit:,} images fit at {side} pixels a side"
        raise SpecError("data.side", f"{fits}, and there are more; choose a smaller side, or fewer images.")


def _check_enough(counts: dict[str, int], left: _Left, total: int) -> None:
    """Refuse what can't be learned from: nothing, mostly broken files, one class, a class of one."""
    if not total:
        zips = [name for name in left.ignored if name.lower().endswith(".zip")]
        if zips:
            raise refused(f"it holds no images, but another zip, {zips[0]}; unpack that and zip its folders")
        raise refused(
            f"it holds no images; PNG, JPEG, WebP, BMP, GIF and TIFF are read, a folder a class{SHAPE}"
        )
    if len(left.bad) > MAX_BAD_SHARE * total:
        raise refused(f"{len(left.bad):,} of its {total:,} images can't be read; the first: {left.bad[0]}")
    if len(counts) < 2:
        only = clean(next(iter(counts)))
        raise refused(f"it has one class only, {only}; put each class into a folder of its own{SHAPE}")
    name, count = min(counts.items(), key=lambda item: item[1])
    if count < 2:
        has = "only one image" if count else "no image that can be read"
        raise refused(f"the class {clean(name)} has {has}; two are needed, to train and to validate with")


def _notes(left: _Left, total: int) -> tuple[str, ...]:
    notes = []
    if left.bad:
        notes.append(f"Skipped {len(left.bad):,} of {total:,} images: {listed(left.bad)}.")
    if left.ignored:
        ignored = f"{len(left.ignored):,} other file{'s'[: len(left.ignored) != 1]}"
        notes.append(f"Ignored {ignored}: {listed(left.ignored)}.")
    return tuple(notes)


def _beside(beside: Beside | None, classed: Sequence[tuple[str, File]]) -> tuple[str, ...]:
    """What else a zip holds: files of systems, and folders that could be classes but hold nothing."""
    if beside is None:
        return ()
    notes = []
    if beside.litter:
        notes.append(f"Left out {beside.litter:,} hidden or system file{'s'[: beside.litter != 1]}.")
    held = {f"{parent}/" for _, file in classed for parent in _parents(file.name)}
    empty = [clean(name, 80) for name in beside.folders if name not in held]
    if empty:
        notes.append(f"Without images: {listed(empty)}.")
    return tuple(notes)


def _parents(name: str) -> list[str]:
    parts = name.split("/")[:-1]
    return ["/".join(parts[: i + 1]) for i in range(len(parts))]


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
