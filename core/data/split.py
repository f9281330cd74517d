"""What is trained on and what is kept for validation, and the statistics to normalise with.

Our own few lines and not scikit-learn's `StratifiedShuffleSplit`: that one may leave a small class
with nothing to validate on, and importing it costs the best part of a second before the first step.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.data.dataset import Dataset
from core.data.folds import folds_of
from core.data.tensors import as_tensor, as_tensors
from core.randomness import derive, generator
from core.run.errors import SpecError
from core.run.spec import DataSpec, RunSpec


@dataclass(frozen=True, slots=True)
class Split:
    """Both sides of a dataset, no image on both, with the training side's statistics.

    ``mean`` and ``std`` have one number a channel, in [0, 1] units; ``std`` is never 0. ``places`` (N,) are
    those of the validation images in the whole dataset, int64.
    """

    train: Dataset[Tensor]
    validation: Dataset[Tensor]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    places: Tensor


def split_seed(spec: RunSpec) -> int:
    """What draws the images that ``spec`` keeps for validation."""
    return derive(spec.split_seed, "split")


def split_dataset(dataset: Dataset, spec: DataSpec, seed: int) -> Split:
    """Split arrays or tensors as `split_places` says.

    Raises:
        SpecError: as `split_places`.
    """
    places = split_places(dataset, spec, seed)
    train_side, validation_side = (as_tensors(dataset.take(index.numpy())) for index in places)
    mean, std = statistics(train_side.images)
    return Split(train_side, validation_side, mean, std, places[1])


def split_places(dataset: Dataset, spec: DataSpec, seed: int) -> tuple[Tensor, Tensor]:
    """Which images are trained on and which are kept for validation, int64, in a random order, every class in
    proportion and with an image on both sides; copies of an image go with the first of them. A split that
    the data bring is kept.

    ``spec.train_images`` takes a part of the training side; validation stays the same whatever it is,
    and a larger part holds every smaller one, so that runs on more and more data compare. With
    ``spec.folds`` a fold of the training side takes the place of what is kept for validation.

    Raises:
        SpecError: a class has fewer than two images, or ``train_images`` can't be had.
    """
    names = dataset.classes
    labels = as_tensor(dataset.labels)
    order = torch.randperm(len(dataset), generator=generator(derive(seed, "split")))
    if dataset.held_out is not None:
        held_out = as_tensor(dataset.held_out)[order]
        validation, train = order[held_out], order[~held_out]
    else:
        validation, train = _drawn(dataset, labels, order, spec.validation_share)
    if spec.folds is not None:
        groups = torch.arange(len(dataset)) if dataset.groups is None else as_tensor(dataset.groups)
        fold = folds_of(train, labels, groups, spec.folds)
        validation, train = train[fold == spec.fold], train[fold != spec.fold]
    if spec.train_images is not None:
        sizes = torch.bincount(labels[train], minlength=len(names))
        if spec.train_images > len(train):
            left = f"only {len(train):,} are left to train on once {len(validation):,} are kept"
            raise SpecError("data.train_images", f"{spec.train_images:,} is too many: {left} for validation.")
        if spec.train_images < len(names):
            needed = f"with {len(names)} classes it takes at least {len(names)}, one of each"
            raise SpecError("data.train_images", f"{spec.train_images:,} is too few: {needed}.")
        train, _ = _draw(train, labels, _in_proportion(sizes, spec.train_images))
    return train, validation


def _drawn(dataset: Dataset, labels: Tensor, order: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Validation and training images along ``order``. What is drawn are groups of copies, each by the one
    that comes first."""
    groups = torch.arange(len(dataset)) if dataset.groups is None else as_tensor(dataset.groups)
    first = torch.zeros(len(dataset), dtype=torch.bool)
    first[_first_of_each(groups[order])] = True
    firsts = order[first]
    names = dataset.classes
    sizes = torch.bincount(labels[firsts], minlength=len(names))
    if int(sizes.min()) < 2:
        name, size = names[int(sizes.argmin())], int(sizes.min())
        needed = "at least two are needed, one to train on and one to validate with"
        has = f"has {size} image{'s'[: size != 1]}" + (
            "" if dataset.groups is None else " of its own that differ"
        )
        raise SpecError("data.name", f"the class {name!r} {has.rstrip()}; {needed}.")
    wanted = max(round(share * len(firsts)), len(names))
    chosen, _ = _draw(firsts, labels, _in_proportion(sizes, wanted))
    held_out = torch.isin(groups[order], groups[chosen])
    return order[held_out], order[~held_out]


def _first_of_each(values: Tensor) -> Tensor:
    """The index of the first of each value, in their order."""
    _, inverse = torch.unique(values, return_inverse=True)
    places = torch.arange(len(values))
    first = torch.full((int(inverse.max()) + 1,), len(values)).scatter_reduce(0, inverse, places, "amin")
    return first.sort().values


def statistics(images: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of uint8 (N, C, H, W) over all but the channels, in [0, 1] units.

    Counted exactly from a histogram, so that neither the number of threads nor the order of the images
    moves the last bit. A channel that never varies gets the deviation 1: it stays finite, and is 0.
    """
    values = torch.arange(256, dtype=torch.float64) / 255
    mean, std = [], []
    for channel in images.unbind(dim=1):
        shares = torch.bincount(channel.reshape(-1), minlength=256).double() / channel.numel()
        centre = float((shares * values).sum())
        spread = float((shares * (values - centre) ** 2).sum()) ** 0.5
        mean.append(centre)
        std.append(spread if int((shares > 0).sum()) > 1 else 1.0)
    return tuple(mean), tuple(std)


def _in_proportion(sizes: Tensor, total: int) -> Tensor:
    """How many of each class make ``total``: at least one, and else by largest remainder.

    At ``total`` up to half of all, or the number of classes, each class of two or more keeps one out.
    """
    ideal = sizes.double() * total / sizes.sum()
    counts = ideal.long().clamp(min=1)
    while missing := total - int(counts.sum()):
        remainder = ideal - counts
        if missing > 0:
            counts[remainder.argmax()] += 1
        else:
            counts[remainder.masked_fill(counts == 1, torch.inf).argmin()] -= 1
    return counts


def _draw(order: Tensor, labels: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
    """The first ``counts[c]`` of each class c along ``order``, and the rest; both keep that order."""
    taken = torch.zeros(len(order), dtype=torch.bool)
    for label, count in enumerate(counts.tolist()):
        taken[(labels[order] == label).nonzero().flatten()[:count]] = True
    return order[taken], order[~taken]
