"""What is measured of a network after an epoch."""

from __future__ import annotations

from typing import NotRequired, TypedDict, cast

from core.measure.filters import first_filters
from core.measure.pacing import (
    THOROUGH_SHARE,
    evenly,
    falls_on,
    pictures_due,
    prunable_at_end,
    prunable_every,
)
from core.measure.prunable import prunable
from core.measure.sparsity import share_within
from core.regularise.catalogue import passes
from core.run.figures import Filters, Histogram, Prunable, Sparsity
from core.train.evaluation import Judgement, evaluate
from core.train.session import Session


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
    pictures = last or pictures_due(epoch, session.spec.train.epochs)
    thorough = last or falls_on(epoch, thorough_every(session))
    session.check()
    found = session.weight_measures.measure(thorough=thorough, histograms=pictures)
    session.check()
    event: Measured = {"sparsity": found["sparsity"]}
    if pictures:
        event["weights"] = found["weights"]
        event["filters"] = cast(Filters | None, first_filters(session.model, session.train.channels))
    images = len(session.train), len(session.validation)
    every = prunable_every(session.spec.train.epochs, *images)
    if falls_on(epoch, every) or (last and prunable_at_end(epoch, *images)):
        event["prunable"] = _prunable(session, judged)
    return event


def thorough_every(session: Session) -> int:
    """Every how many epochs to measure thoroughly; 0: only after the last."""
    work = session.multiply_adds * len(session.train.labels) * passes(session.spec.regularisers)
    cost = session.weight_measures.thorough_cost(session.clock.steps_per_epoch, work)
    return evenly(session.spec.train.epochs, THOROUGH_SHARE, cost)


def _prunable(session: Session, judged: Judgement) -> Prunable:
    """What `prunable` finds, and of each layer the share of its weights that is among those."""
    layers = session.weight_measures.layers
    weights = [part for layer in layers.values() for part in layer]
    found = prunable(weights, lambda: evaluate(session, session.validation)[:2], judged[:2])
    return {
        "share": found["share"],
        "low": found["low"],
        "high": found["high"],
        "accuracy": found["accuracy"],
        "layers": {name: share_within(parts, found["cutoff"]) for name, parts in layers.items()},
    }
