"""All the regularisers of a run, as the training loop sees them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from core.regularise.catalogue import CATALOGUE
from core.regularise.term import Term
from core.spec import RegulariserSpec


def strength_at(spec: RegulariserSpec, epoch: float) -> float:
    """λ after ``epoch`` epochs (a float: half-way through the third is 2.5), rising over the warm-up."""
    assert spec.strength is not None
    return spec.strength * min(1.0, epoch / spec.warmup_epochs) if spec.warmup_epochs else spec.strength


class Regularisation:
    """A run's regularisers at work on its model.

    In the loop: add `loss_term` to the loss before ``backward``, and call `step` where
    ``optimiser.step()`` would stand. A strength of 0 changes nothing, to the last bit.

    Several act together. What is in the loss adds up. Proximal steps follow each other in the
    catalogue's order, L1 before the elastic net, which is exactly the proximal step of their sum:
    thresholds add, and the division comes last. (Two elastic nets, each strong, are the one case where
    it is not: it is off by the product of their two steps, and one elastic net can say the same.)

    Args:
        specs: completed by `core.regularise.check`.
        model: on the device it is trained on.
    """

    def __init__(self, specs: Sequence[RegulariserSpec], model: nn.Module) -> None:
        order = list(CATALOGUE)
        self._terms: list[tuple[RegulariserSpec, Term]] = [
            (spec, CATALOGUE[spec.kind].term(model, spec.params))
            for spec in sorted(specs, key=lambda spec: order.index(spec.kind))
        ]

    def loss_term(self, epoch: float) -> Tensor | None:
        """What ``penalty`` solvers add to the loss now, differentiable; None if that is nothing."""
        parts = [
            strength * term.penalty() for spec, term, strength in self._now(epoch) if spec.solver == "penalty"
        ]
        return torch.stack(parts).sum() if parts else None

    def step(self, optimiser: Optimizer, epoch: float) -> None:
        """Decay the weights, step the optimiser, shrink the weights: each as the spec asks.

        The optimiser's own ``lr`` is read, so set a schedule's value before.
        """
        around = [(term, strength) for spec, term, strength in self._now(epoch) if spec.solver != "penalty"]
        for term, strength in around:
            term.before_step(optimiser, strength)
        optimiser.step()
        for term, strength in around:
            term.after_step(optimiser, strength)

    @torch.no_grad()
    def value(self, epoch: float) -> float:
        """The penalties' sum now, whichever solver, at their strengths: what the objective adds to the
        data loss. Decoupled weight decay is no term of an objective, so it is left out."""
        parts = [strength * term.penalty() for spec, term, strength in self._now(epoch) if spec.solver]
        return float(torch.stack(parts).sum()) if parts else 0.0

    def _now(self, epoch: float) -> Iterator[tuple[RegulariserSpec, Term, float]]:
        """The regularisers that are at work after ``epoch`` epochs, with their strengths."""
        for spec, term in self._terms:
            if strength := strength_at(spec, epoch):
                yield spec, term, strength
