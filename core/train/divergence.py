"""A run whose loss stops being a number: what is said of it, looked up only then."""

from __future__ import annotations

import math

import torch
from torch.linalg import vector_norm

from core.optimise.catalogue import learning_rate
from core.train.session import Session


class DivergedError(Exception):
    """The loss stopped being a number."""


def diverged(session: Session, what: str, step: int, last: int) -> DivergedError:
    """The error that says ``what`` happened, and at which learning rate and gradient.

    Args:
        what: the beginning of a sentence: what became no number, and where.
        step: that the learning rate is told of, from 0.
        last: the step, from 0, whose gradients the parameters have, if they have some.
    """
    optimiser = session.spec.optimiser
    assert optimiser.lr is not None
    rate = learning_rate(optimiser, step, session.num_steps)
    return DivergedError(
        f"{what}, at a learning rate of {rate:.3g}{_gradient(session, last)}. Try a lower learning rate, "
        f"such as {optimiser.lr / 10:.3g} instead of {optimiser.lr:g}, or a weaker regulariser or "
        "augmentation."
    )


def _gradient(session: Session, step: int) -> str:
    gradients = [p.grad for p in session.model.parameters() if p.grad is not None]
    if not gradients:
        return ""  # it was the first step
    norm = math.hypot(*(float(vector_norm(gradient, dtype=torch.float64)) for gradient in gradients))
    if not math.isfinite(norm):
        return f"; the gradient of step {step + 1} was not finite"
    return f"; the norm of the gradient of step {step + 1} was {norm:.3g}"
