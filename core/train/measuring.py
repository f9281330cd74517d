"""What is measured of a network after an epoch."""

from __future__ import annotations

from typing import Any

from core.measure.filters import first_filters
from core.measure.pacing import (
    PRUNABLE_IMAGES,
    THOROUGH_SHARE,
    evenly,
    falls_on,
    pictures_due,
    prunable_every,
)
from core.measure.prunable import prunable
from core.measure.sparsity import share_within
from core.run.events import Event
from core.train.evaluation import Judgement, accuracy_or_less
from core.train.session import Session


def measured(session: Session, epoch: int, judged: Judgement, *, last: bool) -> Event:
    """The measures that are due after epoch ``epoch``; all of them if it is the ``last``.

    A thorough measure and the prunable share are taken as often as their shares of the time allow.

    Args:
        judged: the network as it is, by the validation images.
    """
    # Pages keep every epoch of every run in memory: what is large comes as rarely as a film needs it.
    pictures = last or pictures_due(epoch, session.spec.train.epochs)
    thorough = last or falls_on(epoch, thorough_every(session))
    event = session.weight_measures.measure(thorough=thorough, histograms=pictures)
    if pictures:
        event["filters"] = first_filters(session.model, session.train.channels)
    every = prunable_every(session.spec.train.epochs, len(session.train), len(session.validation))
    if falls_on(epoch, every) or (last and every):
        event["prunable"] = _prunable(session, judged)
    return event


def thorough_every(session: Session) -> int:
    """Every how many epochs to measure thoroughly; 0: only after the last."""
    work = session.multiply_adds * len(session.train.labels)
    cost = session.weight_measures.thorough_cost(session.steps_per_epoch, work)
    return evenly(session.spec.train.epochs, THOROUGH_SHARE, cost)


def _prunable(session: Session, judged: Judgement) -> dict[str, Any]:
    """What `prunable` finds, and of each layer the share of its weights that is among those."""
    # The split is in random order, so the first are as good as any; of them the hardest come first.
    index = judged.losses[:PRUNABLE_IMAGES].argsort(descending=True)
    images = session.validation.take(index)
    known = Judgement(judged.losses[index], judged.correct[index]).accuracy
    layers = session.weight_measures.layers
    weights = [part for layer in layers.values() for part in layer]
    found = prunable(weights, lambda least: accuracy_or_less(session, images, least), accuracy=known)
    shares = {name: share_within(parts, found["cutoff"]) for name, parts in layers.items()}
    return {"share": found["share"], "accuracy": found["accuracy"], "layers": shares}
