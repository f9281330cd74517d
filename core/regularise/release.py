"""A penalty that is released (relaxed lasso, Meinshausen 2007): from some epoch on λ is 0 and what is zero
stays zero, so that the weights that are left lose the shrinkage."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from core.regularise.catalogue import REGULARISERS
from core.run.spec import RegulariserSpec

HOLDS = "hold_zeros"  # the kind that acts once a penalty is released


class Acting(NamedTuple):
    """One of what acts in a run's steps.

    Args:
        name: the kind; of what holds the zeros of one that is released, ``l1 released``.
    """

    name: str
    spec: RegulariserSpec

    @property
    def holds(self) -> bool:
        """Whether it is there for another, which is released."""
        return self.name != self.spec.kind


def acting(specs: Sequence[RegulariserSpec]) -> list[Acting]:
    """What acts in each step, in the order of the catalogue: ``specs``, completed, and beside each that is
    released what holds its zeros from then on."""
    order = list(REGULARISERS)
    found = [Acting(spec.kind, spec) for spec in specs]
    for spec in specs:
        if spec.release_epochs:
            begins = {"warmup_epochs": spec.release_epochs, "schedule": "step"}
            holds = RegulariserSpec(kind=HOLDS, strength=1.0).model_copy(update=begins)
            found.append(Acting(f"{spec.kind} released", holds))
    return sorted(found, key=lambda each: order.index(each.spec.kind))


def rate_factor(specs: Sequence[RegulariserSpec], epoch: float) -> float:
    """What the learning rate is multiplied by after ``epoch`` epochs, as some are released; 1.0 before."""
    return math.prod(spec.release_rate for spec in specs if 0 < spec.release_epochs <= epoch)
