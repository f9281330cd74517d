"""What a dataset's images will be like, before any is read."""

from __future__ import annotations

from typing import NamedTuple

from core.catalogue import look_up
from core.data.catalogue import DATASETS
from core.data.own import form_of
from core.run.spec import DataSpec

FEWEST_CLASSES = 2


class Shape(NamedTuple):
    """Of each image, and how many classes there are; at least 2 for a person's own, not yet read."""

    channels: int
    side: int
    num_classes: int


def image_shape(spec: DataSpec) -> Shape:
    """The shape of what `load_dataset` will give; `SpecError` if there is no such set."""
    entry = look_up(DATASETS, spec.name, "data.name", "dataset")
    form = form_of(spec)
    return Shape(
        entry.channels or form.channels, entry.side or form.side, entry.num_classes or FEWEST_CLASSES
    )
