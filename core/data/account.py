"""What is found in a person's own images, before anything is trained on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.data.dataset import Dataset
from core.data.split import split_dataset
from core.randomness import derive
from core.run.spec import DataSpec

LARGEST_SHARE = 0.6  # of the images in one class: naming it always is right that often
FEWEST = 5  # validation images of a class below which its share says nearly nothing


@dataclass(frozen=True, slots=True)
class Account:
    """Args:
    classes: how many images each class has, in the order of their labels.
    train, validation: how many images are on each side, by the seed 0.
    side: in pixels, as the images will be used; ``channels`` is 1 for grey, 3 for RGB.
    notes: a sentence each: what was left out, and what to know before training.
    """

    classes: dict[str, int]
    train: int
    validation: int
    side: int
    channels: int
    notes: list[str]


def account_of(dataset: Dataset, spec: DataSpec) -> Account:
    """Split the images as ``spec`` says, and say what is there.

    Raises:
        SpecError: they can't be split; the sentence says why and how to mend it.
    """
    split = split_dataset(dataset, spec, derive(spec.split_seed or 0, "split"))
    counts = np.bincount(np.asarray(dataset.labels), minlength=len(dataset.classes)).tolist()
    classes = dict(zip(dataset.classes, counts, strict=True))
    held_out = np.bincount(split.validation.labels.numpy(), minlength=len(counts)).tolist()
    return Account(
        classes,
        len(split.train),
        len(split.validation),
        dataset.side,
        dataset.channels,
        [*dataset.notes, *_balance(classes, dict(zip(dataset.classes, held_out, strict=True)))],
    )


def _balance(classes: dict[str, int], held_out: dict[str, int]) -> list[str]:
    notes = []
    total = sum(classes.values())
    name, most = max(classes.items(), key=lambda item: item[1])
    if most > LARGEST_SHARE * total:
        share = f"{most:,} of {total:,}, {100 * most / total:.0f} %"
        notes.append(f"{name} has {share}: who always says {name} is correct that often.")
    few = [name for name, count in held_out.items() if count < FEWEST]
    if few:
        named = ", ".join(few[:10]) + (f" and {len(few) - 10} more" if len(few) > 10 else "")
        notes.append(f"Fewer than {FEWEST} images are kept to validate with of {named}.")
    return notes
