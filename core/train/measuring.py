"""What is measured of a network after an epoch, and how often.

Paced by sizes, never by a clock: a spec's events are the same wherever it runs, on a slow machine too.
"""

from __future__ import annotations

import math
from typing import NotRequired, TypedDict, cast

from core.measure.filters import due, first_filters
from core.measure.prunable import prunable
from core.measure.sparsity import share_within
from core.run.figures import Filters, Histogram, Prunable, Sparsity
from core.train.evaluation import Judgement, accuracy_or_less
from core.train.session import Session

# Shares of training time, as estimated from sizes. What is measured every epoch adds 0.5 % for the default
# CNN and 3 % for LeNet-300-100, whose epochs are short (tests/benchmarks/overheads.py). The thorough measures
# also come after the last epoch of any run; the prunable share only where the run has time for one look.
THOROUGH_SHARE = 0.01
PRUNABLE_SHARE = 0.015
PRUNABLE_IMAGES = 400  # validation images that it asks, at most: half a point is two of them
EPOCHS_AN_IMAGE = 1.3  # it takes so many epochs for each validation image over a training image


class Measured(TypedDict):
    """The fields that an ``epoch`` event has of these."""

    sparsity: Sparsity
    weights: NotRequired[dict[str, Histogram] | None]
    filters: NotRequired[Filters | None]
    prunable: NotRequired[Prunable | None]


def measured(session: Session, epoch: int, judged: Judgement, *, last: bool) -> Measured:
    """The measures that are due after epoch ``epoch``; all of them if it is the ``last``.

    A thorough measure and the prunable share are taken as often as their shares of the time allow.

    Args:
        judged: the network as it is, by the validation images.
    """
    # Pages keep every epoch of every run in memory, so what is large comes only as often as a film needs it.
    pictures = last or due(epoch, session.spec.train.epochs)
    thorough = last or _falls_on(epoch, thorough_every(session))
    session.check()
    found = session.gauge.measure(thorough=thorough, histograms=pictures)
    session.check()
    event: Measured = {"sparsity": found["sparsity"]}
    if pictures:
        event["weights"] = found["weights"]
        event["filters"] = cast(Filters | None, first_filters(session.model, session.train.channels))
    every = prunable_every(session.spec.train.epochs, len(session.train), len(session.validation))
    if _falls_on(epoch, every) or (last and every):
        event["prunable"] = _prunable(session, judged)
    return event


def thorough_every(session: Session) -> int:
    """Every how many epochs to measure thoroughly; 0: only after the last."""
    work = session.multiply_adds * len(session.train.labels)
    cost = session.gauge.thorough_cost(session.steps_per_epoch, work)
    return _evenly(session.spec.train.epochs, THOROUGH_SHARE, cost)


def prunable_every(epochs: int, num_train: int, num_validation: int) -> int:
    """Every how many epochs of a run to look for the prunable share; 0: it is too short for one look."""
    return _evenly(epochs, PRUNABLE_SHARE, prunable_cost(num_train, num_validation))


def prunable_cost(num_train: int, num_validation: int) -> float:
    """How long a look for the prunable share takes, in epochs of ``num_train`` images."""
    return EPOCHS_AN_IMAGE * min(num_validation, PRUNABLE_IMAGES) / max(num_train, 1)  # 0 in a damaged event


def _evenly(epochs: int, share: float, cost: float) -> int:
    """Every how many epochs to do what takes as long as ``cost`` epochs, in ``share`` of the run's time, with
    as many epochs between any two; 0: never."""
    times = min(int(share * epochs / cost), epochs) if cost else epochs
    return math.ceil(epochs / times) if times else 0


def _falls_on(epoch: int, every: int) -> bool:
    return bool(every) and epoch % every == 0


def _prunable(session: Session, judged: Judgement) -> Prunable:
    """What `prunable` finds, and of each layer the share of its weights that is among those."""
    # The split is in random order, so the first images will do. The hardest of them come first.
    index = judged.losses[:PRUNABLE_IMAGES].argsort(descending=True)
    images = session.validation.take(index)
    known = Judgement(judged.losses[index], judged.correct[index]).accuracy
    layers = session.gauge.layers
    weights = [part for layer in layers.values() for part in layer]
    found = prunable(weights, lambda least: accuracy_or_less(session, images, least), accuracy=known)
    shares = {name: share_within(parts, found["cutoff"]) for name, parts in layers.items()}
    return {"share": found["share"], "accuracy": found["accuracy"], "layers": shares}
