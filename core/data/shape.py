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


def training_images(spec: DataSpec) -> int | None:
    """About how many images a run trains on: which of them are copies is not known yet. None: a person's own,
    all of them, are not counted yet."""
    entry = look_up(DATASETS, spec.name, "data.name", "dataset")
    if entry.num_images is None and not spec.train_images:
        return None
    rest = 1 - 1 / spec.folds if spec.folds else 1.0
    there = None if entry.num_images is None else round(entry.num_images * (1 - spec.validation_share) * rest)
    if spec.train_images:
        return spec.train_images if there is None else min(spec.train_images, there)
    return there


def image_shape(spec: DataSpec) -> Shape:
    """The shape of what `load_dataset` will give; `SpecError` if there is no such set."""
    entry = look_up(DATASETS, spec.name, "data.name", "dataset")
    form = form_of(spec)
    return Shape(
        entry.channels or form.channels, entry.side or form.side, entry.num_classes or FEWEST_CLASSES
    )
