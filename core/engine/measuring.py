"""What an epoch measures of the weights, and how often: paced by sizes, never by a clock, so that a spec's
events are the same wherever it runs."""

from __future__ import annotations

from core.engine.events import Event
from core.engine.filters import due, first_filters
from core.engine.session import Session
from core.regularise import sparsity


def measured(session: Session, epoch: int, accuracy: float, *, last: bool) -> Event:
    """The measures due after epoch ``epoch``, at whose end the network has ``accuracy``; ``last``: all."""
    model = session.model
    event: Event = {"sparsity": sparsity(model)}
    event["filters"] = (
        first_filters(model, session.train.channels)
        if last or due(epoch, session.spec.train.epochs)
        else None
    )
    return event
