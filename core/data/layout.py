"""Which class each file of a person's images is of, and whether it is kept for validation: by its folders, or
by a table of labels beside flat images."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from core.data.archive import File
from core.data.images import UnreadableImageError, clean
from core.run.errors import SpecError

MAX_CLASSES = 200  # more than any chart or table here could show
MAX_NAMED = 10  # files that a note names
MAX_TABLE_BYTES = 4 << 20
TABLE_SHARE = 0.5  # of the images, at least, must stand in a table for it to be one of labels

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
TRAINING = {"train", "training"}
VALIDATION = {"val", "valid", "validation", "dev"}
TEST = {"test", "testing"}
LABEL_COLUMNS = ("label", "class", "category", "target", "y")  # where a table has several others

Parts = list[tuple[list[str], File]]  # a file's name, by folders below what was looked through


@dataclass(slots=True)
class Layout:
    """Args:
    by_class: the files of each class, in natural order of classes and by name within.
    held_out: names of the files that are kept for validation, where a split is given; None: none is.
    notes: a sentence each.
    needed: the files that say so: a table of labels.
    """

    by_class: dict[str, list[File]]
    held_out: set[str] | None = None
    notes: list[str] = field(default_factory=list)
    needed: list[File] = field(default_factory=list)


def layout_of(files: Sequence[File]) -> Layout:
    """How ``files`` are laid out. A class is a first-level folder, with whatever lies deeper in it; a single
    folder around everything is looked through, and so are ``train/`` and ``val/``, which are a split.

    Raises:
        SpecError: at ``data.path``: there are no classes, or too many; the sentence says what was found.
    """
    paths = [(file.name.split("/"), file) for file in files]
    inside = _looked_through(_with_images([(parts, file) for parts, file in paths if len(parts) > 1]))
    layout = _given_split(inside) or Layout(_by_folder(inside))
    if len(layout.by_class) < 2 and (found := _by_table(files)):
        layout = found
    if files and not layout.by_class:
        raise refused(f"it has no folders; put the images of each class into a folder of their own{SHAPE}")
    if len(layout.by_class) > MAX_CLASSES:
        has = f"it has {len(layout.by_class):,} folders, so as many classes"
        raise refused(f"{has}; at most {MAX_CLASSES} are read")
    layout.by_class = {
        name: sorted(members, key=lambda file: file.name)
        for name, members in sorted(layout.by_class.items(), key=lambda item: natural(item[0]))
    }
    return layout


def named_image(file: File) -> bool:
    """Whether its name says that a file is an image, or says nothing."""
    suffix = PurePosixPath(file.name).suffix.lower()
    return suffix in IMAGE_SUFFIXES or not suffix


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts as a person would: 2 before 10, and capitals beside small letters."""
    parts = re.split(r"(\d+)", unicodedata.normalize("NFKC", name).casefold())
    numbers = (each.lstrip("0") for each in parts[1::2])  # of any length: a name may be all digits
    key = [(1, 0, each) for each in parts]
    key[1::2] = [(0, len(each), each) for each in numbers]
    return (*key, (2, 0, name))


def listed(names: Sequence[str]) -> str:
    """The first `MAX_NAMED` of them, and how many more there are."""
    more = f"; and {len(names) - MAX_NAMED:,} more" if len(names) > MAX_NAMED else ""
    return "; ".join(names[:MAX_NAMED]) + more


def refused(why: str) -> SpecError:
    """Why a person's images are not read; ``why`` without its full stop."""
    return SpecError("data.path", f"{why}.")


def _with_images(paths: Parts) -> Parts:
    """Those in first-level folders that hold something named like an image, if any does: notes and papers
    beside the images are no class."""
    folders = {parts[0] for parts, file in paths if PurePosixPath(file.name).suffix.lower() in IMAGE_SUFFIXES}
    return [(parts, file) for parts, file in paths if parts[0] in folders] or paths


def _looked_through(paths: Parts) -> Parts:
    while len({parts[0] for parts, _ in paths}) == 1 and any(len(parts) > 2 for parts, _ in paths):
        paths = _with_images([(parts[1:], file) for parts, file in paths if len(parts) > 2])
    return paths


def _by_folder(paths: Parts) -> dict[str, list[File]]:
    by_class: dict[str, list[File]] = {}
    for parts, file in paths:
        by_class.setdefault(parts[0], []).append(file)
    return by_class


def _given_split(paths: Parts) -> Layout | None:
    """The layout of a split that the first-level folders are; None: they are none."""
    tops = {parts[0]: parts[0].lower() for parts, _ in paths}
    kinds = (TRAINING, VALIDATION, TEST)
    train, validation, test = ([top for top, low in tops.items() if low in kind] for kind in kinds)
    if len(tops) < 2 or len(train) + len(validation) + len(test) < len(tops):
        return None
    named = ", ".join(f"{clean(top)}/" for top in tops)
    if not train or not (validation or test):
        raise refused(f"its folders, {named}, are a split, not classes, of which one part is missing")
    inside = [(parts[0], parts[1:], file) for parts, file in paths if len(parts) > 2]
    if not inside:
        raise refused(f"its folders, {named}, are a split without classes; give train/cats/1.jpg and so on")
    kept = validation or test
    layout = Layout(_by_folder([(parts, file) for top, parts, file in inside if top in (*train, *kept)]))
    layout.held_out = {file.name for top, _, file in inside if top in kept}
    layout.notes.append(
        f"The split is yours: {', '.join(f'{clean(top)}/' for top in kept)} is kept to validate."
    )
    if validation and (left := sum(parts[0] in test for parts, _ in paths)):
        named = ", ".join(f"{clean(top)}/" for top in test)
        layout.notes.append(f"{named} is left aside, {left:,} {'file' if left == 1 else 'files'}.")
    return layout


def _by_table(files: Sequence[File]) -> Layout | None:
    """The layout that a table of labels beside the images gives; None: there is none."""
    images = [file for file in files if PurePosixPath(file.name).suffix.lower() in IMAGE_SUFFIXES]
    for table in (file for file in files if file.name.lower().endswith((".csv", ".tsv"))):
        try:
            rows = _rows(table)
        except (UnreadableImageError, ValueError, csv.Error):
            continue
        if found := _labelled(images, rows):
            by_class, missing = found
            name = clean(table.name, 80)
            notes = [f"The classes stand in {name}."]
            if missing:
                one = len(missing) == 1
                notes.append(
                    f"{len(missing):,} {'image stands' if one else 'images stand'} not in it, and "
                    f"{'is' if one else 'are'} left out: {listed([clean(each, 80) for each in missing])}."
                )
            return Layout(by_class, None, notes, [table])
    return None


def _rows(table: File) -> list[list[str]]:
    """The cells of a table, whatever its separator.

    Raises:
        UnreadableImageError, ValueError, csv.Error: it is none.
    """
    content = table.read()
    if len(content) > MAX_TABLE_BYTES:
        raise ValueError("too long")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    return [[cell.strip() for cell in row] for row in rows if len(row) > 1]


def _labelled(
    images: Sequence[File], rows: list[list[str]]
) -> tuple[dict[str, list[File]], list[str]] | None:
    """Images by the classes that ``rows`` give them, and the names of those that stand in none."""
    width = min((len(row) for row in rows), default=0)
    keys = [_names_of(file) for file in images]
    known = set().union(*keys) if keys else set()
    hits = [sum(_plain(row[i]) in known for row in rows) for i in range(width)]
    if not hits or max(hits) < TABLE_SHARE * len(images):
        return None
    names = hits.index(max(hits))
    body = [row for row in rows if _plain(row[names]) in known]
    label = _label_column(rows[0], body, names, width)
    if label is None:
        return None
    label_of = {_plain(row[names]): row[label] for row in body if row[label]}
    by_class: dict[str, list[File]] = {}
    missing = []
    for file, own in zip(images, keys, strict=True):
        found = next((label_of[each] for each in own if each in label_of), None)
        if found is None:
            missing.append(file.name)
        else:
            by_class.setdefault(found, []).append(file)
    return by_class, missing


def _label_column(header: list[str], body: list[list[str]], names: int, width: int) -> int | None:
    """Which column says the class: one called so, or else the first that could."""
    others = [i for i in range(width) if i != names]
    called = [i for i in others if header[i].lower() in LABEL_COLUMNS]
    could = [i for i in others if 1 < len({row[i] for row in body}) <= MAX_CLASSES]
    return next((i for i in (*called, *could) if i in could), None)


def _names_of(file: File) -> tuple[str, ...]:
    """What a table may call an image: its whole name, its last part, either without the ending."""
    path = PurePosixPath(file.name)
    return tuple(dict.fromkeys(map(_plain, (str(path), path.name, str(path.with_suffix("")), path.stem))))


def _plain(name: str) -> str:
    return name.replace("\\", "/").removeprefix("./").casefold()
