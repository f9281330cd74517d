"""What is measured of a network after an epoch, and how often.

Paced by sizes, never by a clock: a spec's events are the same wherever it runs, on a slow machine too.
"""

from __future__ import annotations

import math

import torch

from core.engine.evaluation import evaluate
from core.engine.events import Event
from core.engine.filters import due, first_filters
from core.engine.session import Session
from core.regularise import cadence, measure, prunable, regularised_weights

PRUNABLE_SHARE = 0.025  # of training time that the prunable share may take
PRUNABLE_IMAGES = 400  # validation images that it asks, at most: half a point is two of them
EPOCHS_AN_IMAGE = 2.3  # it takes so many epochs for each validation image over a training image


def measured(session: Session, epoch: int, *, last: bool) -> Event:
    """The measures that are due after epoch ``epoch``; all of them if it is the ``last``.

    A thorough `measure` is taken as often as `cadence` allows, the prunable share on evenly spaced epochs.
    """
    model, epochs = session.model, session.spec.train.epochs
    work = session.multiply_adds * len(session.train.labels)
    every = cadence(model, session.steps_per_epoch, work)
    event = measure(model, thorough=last or epoch % every == 0)
    if last or due(epoch, epochs):
        event["filters"] = first_filters(model, session.train.channels)
    else:
        del event["weights"]  # as rarely, for pages keep every epoch of every run in memory
    look = prunable_every(session)
    if look and (last or epoch % look == 0):
        event["prunable"] = _prunable(session)
    return event


def prunable_every(session: Session) -> int:
    """Every how many epochs to look for the prunable share: as often as `PRUNABLE_SHARE` allows, evenly;
    0, never, where the whole run is too short for one look."""
    num_images = min(len(session.validation), PRUNABLE_IMAGES)
    costs = EPOCHS_AN_IMAGE * num_images / len(session.train)  # epochs
    epochs = session.spec.train.epochs
    times = int(PRUNABLE_SHARE * epochs / costs)
    return math.ceil(epochs / times) if times else 0


def _prunable(session: Session) -> dict[str, float]:
    # The split is in random order, so the first are as good as any.
    some = session.validation.take(torch.arange(min(len(session.validation), PRUNABLE_IMAGES)))
    weights = [part for layer in regularised_weights(session.model).values() for part in layer]
    return prunable(weights, lambda: evaluate(session, some)[1])
