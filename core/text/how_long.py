"""How long a run will take, from how long runs like it took on this server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, NamedTuple, Protocol

from core.data.catalogue import DATASETS
from core.data.shape import training_images as images_of
from core.regularise.catalogue import passes
from core.run.made import is_made
from core.run.spec import RunSpec
from core.text.describe import title

LOOKED_AT = 5  # runs like it: one that was slow for once does not count
FORWARD = 1 / 3  # of a training step's time: the backward pass is about two forward ones
SAMPLED = 500  # training images that are judged, too, as `core.train.clean` has it


class Estimate(NamedTuple):
    """Seconds, and the name of the latest run that they were measured in."""

    seconds: float
    measured_in: str


class Trained(Protocol):
    """What counts of a stored run."""

    @property
    def spec(self) -> RunSpec: ...
    @property
    def kind(self) -> str: ...
    @property
    def summary(self) -> Mapping[str, Any] | None: ...
    @property
    def imported_at(self) -> float | None: ...
    @property
    def inputs(self) -> Mapping[str, Any]: ...


def how_long(spec: RunSpec, runs: Sequence[Trained]) -> Estimate | None:
    """From the latest runs of the same network, on the same images and device, with as many passes a step,
    as the median of five; None: there is none. Those with the same augmentation and batch size count first.

    Args:
        spec: completed.
        runs: the newest first.
    """
    found = [(seconds, run) for run in runs if (seconds := _epoch_seconds(spec, run))]
    if not found:
        return None
    found = ([pair for pair in found if _steps_alike(spec, pair[1].spec)] or found)[:LOOKED_AT]
    return Estimate(median(seconds for seconds, _ in found) * spec.train.epochs, title(found[0][1].spec))


def _epoch_seconds(spec: RunSpec, run: Trained) -> float | None:
    """What one epoch of ``spec`` takes, if an image takes as long as in ``run``: those that it trains on, and
    a third of that for those that judge it. None: it is not like it."""
    # Another machine's seconds; and a network that was made of others may be smaller than its spec says.
    if run.imported_at is not None or is_made(run.inputs):
        return None
    if run.kind != "train" or not run.summary or not _alike(spec, run.spec):
        return None
    seconds = run.summary.get("epoch_seconds", run.summary["last"].get("seconds"))  # older runs: of the last
    ours, theirs = _work(spec), _work(run.spec)
    if not isinstance(seconds, float | int) or ours is None or not theirs:
        return None
    return seconds * ours / theirs


def _work(spec: RunSpec) -> float | None:
    """An epoch's work, in training images, or in shares of a person's own."""
    trained = training_images(spec)
    if trained is None:
        return None
    share, folds = spec.data.validation_share, spec.data.folds
    count = DATASETS[spec.data.name].num_images
    if count is None:
        pool = 1.0 if spec.data.train_images is None else float(spec.data.train_images)
        judged = pool / folds if folds else pool * share / (1 - share)
        return trained + FORWARD * judged
    judged = count * (1 - share) / folds if folds else count * share
    return trained + FORWARD * (judged + min(SAMPLED, trained))


def training_images(spec: RunSpec) -> float | None:
    """How many a run trains on; 1 stands for all of a person's own, which are as many in each run."""
    if spec.data.name not in DATASETS:
        return None
    whole = spec.data.model_copy(update={"folds": None, "fold": None})
    rest = 1 - 1 / spec.data.folds if spec.data.folds and not spec.data.train_images else 1.0
    return (images_of(whole) or 1) * rest


def in_words(seconds: float) -> str:
    """E.g. ``about 40 s`` or ``about 3 min``."""
    if seconds < 10:
        return "some seconds"
    if seconds < 90:
        return f"about {round(seconds, -1):.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"


def _steps_alike(one: RunSpec, other: RunSpec) -> bool:
    return one.augment == other.augment and one.train.batch_size == other.train.batch_size


def _alike(one: RunSpec, other: RunSpec) -> bool:
    return (
        one.model == other.model
        and passes(one.regularisers) == passes(other.regularisers)
        and one.train.device == other.train.device
        and one.train.precision == other.train.precision
        and one.train.processes == other.train.processes
        and all(
            getattr(one.data, name) == getattr(other.data, name)
            for name in ("name", "path", "side", "channels")
        )
        and ((one.data.train_images is None) == (other.data.train_images is None) or one.data.path is None)
    )
