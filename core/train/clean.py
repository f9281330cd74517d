"""How well the network knows what it trains on: a fixed part of it, plain and without dropout.

The loss and accuracy over an epoch's batches are of a network that changes meanwhile, of augmented images,
with dropout. Only this one can be held against validation: the gap is what was learned by heart.
"""

from __future__ import annotations

from typing_extensions import TypedDict

from core.train.evaluation import evaluate
from core.train.session import Session

CLEAN_IMAGES = 500  # at 95 % right its interval is 2 points to each side, at half of validation's cost


class Clean(TypedDict):
    """The fields that an ``epoch`` event has of it."""

    clean_loss: float
    clean_accuracy: float
    clean_images: int


def clean(session: Session) -> Clean:
    """Judge the network, as it is now, by the first `CLEAN_IMAGES` training images, or all if fewer.

    The split has put those in a random order, so the first are a fair sample.
    """
    judged = evaluate(session, session.train.take(slice(CLEAN_IMAGES)))
    return {
        "clean_loss": judged.loss,
        "clean_accuracy": judged.accuracy,
        "clean_images": len(judged.correct),
    }
