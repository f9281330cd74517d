"""A run whose loss stops being a number: what is said of it, looked up only then."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch.linalg import vector_norm

from core.optimise.catalogue import learning_rate
from core.train.session import Session


class DivergedError(Exception):
    """The loss stopped being a number.

    Attributes:
        values: ``step``, from 1, ``epoch``, the number of epochs done by it, ``rate``, and ``norm`` of the
            gradient; None: not known, or not finite.
    """

    def __init__(self, what: str, values: Mapping[str, Any] | None = None) -> None:
        super().__init__(what)
        self.values: dict[str, Any] = dict(values or {})


def diverged(session: Session, what: str, step: int, last: int) -> DivergedError:
    """The error that says ``what`` happened, and at which learning rate and gradient.

    Args:
        what: the beginning of a sentence: what became no number, and where.
        step: that the learning rate is told of, from 0.
        last: the step, from 0, whose gradients the parameters have, if they have some.
    """
    optimiser = session.spec.optimiser
    assert optimiser.lr is not None
    rate = learning_rate(optimiser, session.clock.share(step))
    rate *= session.regularisation.rate_factor(session.clock.epochs_done(step))
    norm = _gradient_norm(session)
    return DivergedError(
        f"{what}, at a learning rate of {rate:.3g}{_gradient(norm, last)}. Try a lower learning rate, "
        f"such as {optimiser.lr / 10:.3g} instead of {optimiser.lr:g}{_or_weaker(session)}.",
        {
            "step": step + 1,
            "epoch": session.clock.epochs_done(step + 1),
            "rate": rate,
            "norm": norm if norm is not None and math.isfinite(norm) else None,
        },
    )


def _or_weaker(session: Session) -> str:
    spec = session.spec
    augmented = bool(spec.augment.ops) or spec.augment.mix is not None
    what = " or ".join(["regulariser"] * bool(spec.regularisers) + ["augmentation"] * augmented)
    return f", or a weaker {what}" if what else ""


def _gradient_norm(session: Session) -> float | None:
    gradients = [p.grad for p in session.model.parameters() if p.grad is not None]
    if not gradients:
        return None  # it was the first step
    return math.hypot(*(float(vector_norm(gradient, dtype=torch.float64)) for gradient in gradients))


def _gradient(norm: float | None, step: int) -> str:
    if norm is None:
        return ""
    if not math.isfinite(norm):
        return f"; the gradient of step {step + 1} was not finite"
    return f"; the norm of the gradient of step {step + 1} was {norm:.3g}"
