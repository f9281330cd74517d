"""What the catalogues say of an optimiser and of a learning-rate schedule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.catalogue import Entry

Params = Mapping[str, Any]  # an entry's parameters by name, completed


def goes_together(params: Params) -> None:
    """For an optimiser whose parameters may have any values together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimiserEntry(Entry):
    """An optimiser.

    Args:
        makes: its class, as ``package.module:Class``.
        arguments: the class's keyword arguments, beside the weights and the learning rate, from the entry's
            parameters. A ``weight_decay`` among them is for matrices and filters alone.
        step_size: how far one step moves a weight for each unit of its gradient, once running means have
            settled: from the parameters, the learning rate and the size that the gradient usually has.
        divides: whether it divides by that size.
        proximal: whether `core.regularise.step_sizes` can read how long its steps are, for proximal steps.
        why_not_proximal: if it can't: the beginning of a sentence that says why.
        check: raises `SpecError` if its parameters don't go together.
        lr_default: lies in ``[lr_low, lr_high]``, the range in which training is worth watching.
    """

    makes: str
    arguments: Callable[[Params], dict[str, Any]]
    step_size: Callable[[Params, float, float], float]
    divides: bool = True
    proximal: bool = False
    why_not_proximal: str = ""
    check: Callable[[Params], None] = goes_together
    lr_default: float
    lr_low: float
    lr_high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleEntry(Entry):
    """``factor(t, **params)`` multiplies the learning rate at the share ``t`` in [0, 1] of the run's steps;
    ``params`` are the entry's parameters. It is in [0, 1], and 1 somewhere."""

    factor: Callable[..., float]
