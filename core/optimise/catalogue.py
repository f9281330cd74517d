"""Optimisers and learning-rate schedules: what each is, and what may be set on it.

Sources: SGD with momentum, Sutskever et al. 2013; Adam, Kingma & Ba 1412.6980; AdamW, Loshchilov &
Hutter 1711.05101; RMSprop, Hinton's lecture 6e (2012); cosine, Loshchilov & Hutter 1608.03983;
one-cycle, Smith & Topin 1708.07120. The optimisers themselves are torch's, in their fused form where
there is one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.catalogue import Entry, Flag, Number, completed_params, look_up
from core.run.errors import SpecError
from core.run.spec import OptimiserSpec

Params = Mapping[str, Any]  # an entry's parameters by name, completed
EPSILON = 1e-8  # what torch's Adam, AdamW and RMSprop add to a gradient's size before they divide by it


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
        check: raises `SpecError` if its parameters don't go together.
        lr_default: lies in ``[lr_low, lr_high]``, the range in which training is worth watching.
    """

    makes: str
    arguments: Callable[[Params], dict[str, Any]]
    step_size: Callable[[Params, float, float], float]
    divides: bool = True
    proximal: bool = False
    check: Callable[[Params], None] = goes_together
    lr_default: float
    lr_low: float
    lr_high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleEntry(Entry):
    """``factor(t)`` multiplies the learning rate at the share ``t`` in [0, 1] of the run's steps."""

    factor: Callable[[float], float]


def _sgd_arguments(params: Params) -> dict[str, Any]:
    return {"momentum": params["momentum"], "nesterov": params["nesterov"], "fused": True}


def _adam_arguments(params: Params) -> dict[str, Any]:
    return {"betas": (params["beta1"], params["beta2"]), "fused": True}


def _adamw_arguments(params: Params) -> dict[str, Any]:
    return {**_adam_arguments(params), "weight_decay": params["weight_decay"]}


def _rmsprop_arguments(params: Params) -> dict[str, Any]:
    return {"alpha": params["alpha"], "momentum": params["momentum"], "foreach": True}


def _sgd_step_size(params: Params, lr: float, gradient: float) -> float:
    return lr / (1 - params["momentum"])


def _adam_step_size(params: Params, lr: float, gradient: float) -> float:
    return lr / (gradient + EPSILON)


def _rmsprop_step_size(params: Params, lr: float, gradient: float) -> float:
    return lr / (1 - params["momentum"]) / (gradient + EPSILON)


def _check_nesterov(params: Params) -> None:
    if params["nesterov"] and params["momentum"] == 0:
        raise SpecError(
            "optimiser.params.nesterov", "Nesterov needs momentum above 0; raise it, or switch this off."
        )


_MOMENTUM = Number(
    "momentum", 0.9, 0.0, 0.99, "The share of the last step that the next one keeps.", step=0.01
)
_BETA1 = Number(
    "beta1", 0.9, 0.0, 0.99, "How long the gradient's mean remembers: about 1 / (1 − beta1) steps.", step=0.01
)
_BETA2 = Number(
    "beta2",
    0.999,
    0.9,
    0.9999,
    "How long the squared gradient's mean remembers: about 1 / (1 − beta2) steps.",
    step=0.001,
)

OPTIMISERS: dict[str, OptimiserEntry] = {
    entry.name: entry
    for entry in (
        OptimiserEntry(
            name="sgd",
            title="SGD with momentum",
            help="Follows a fading sum of the gradients so far; every weight has the same learning rate.",
            source="Sutskever et al. 2013, On the importance of initialization and momentum",
            parameters=(_MOMENTUM, Flag("nesterov", False, "Look ahead before taking the gradient.")),
            lr_default=0.02,
            lr_low=1e-4,
            lr_high=1.0,
            makes="torch.optim:SGD",
            arguments=_sgd_arguments,
            step_size=_sgd_step_size,
            proximal=True,
            divides=False,
            check=_check_nesterov,
        ),
        OptimiserEntry(
            name="adam",
            title="Adam",
            help="Divides each weight's step by the size its gradient usually has.",
            source="Kingma & Ba 2014, arXiv 1412.6980",
            parameters=(_BETA1, _BETA2),
            lr_default=1e-3,
            lr_low=1e-5,
            lr_high=0.1,
            makes="torch.optim:Adam",
            arguments=_adam_arguments,
            step_size=_adam_step_size,
            proximal=True,
        ),
        OptimiserEntry(
            name="adamw",
            title="AdamW",
            help="Adam whose weight decay is applied to the weights themselves, not through the gradient.",
            source="Loshchilov & Hutter 2017, arXiv 1711.05101",
            parameters=(
                _BETA1,
                _BETA2,
                Number(
                    "weight_decay",
                    0.01,
                    0.0,
                    1.0,
                    "A step takes this times the learning rate off each weight, as a share of it; a "
                    "regulariser's decay comes on top.",
                    step=0.01,
                ),
            ),
            lr_default=1e-3,
            lr_low=1e-5,
            lr_high=0.1,
            makes="torch.optim:AdamW",
            arguments=_adamw_arguments,
            step_size=_adam_step_size,
            proximal=True,
        ),
        OptimiserEntry(
            name="rmsprop",
            title="RMSprop",
            help="Divides each weight's step by the size its gradient usually has, as Adam does, but takes "
            "the gradient itself instead of its mean.",
            source="Hinton 2012, Neural networks for machine learning, lecture 6e",
            parameters=(
                Number(
                    "alpha",
                    0.99,
                    0.5,
                    0.999,
                    "How long the squared gradient's mean remembers: about 1 / (1 − alpha) steps.",
                    step=0.01,
                ),
                Number(
                    "momentum",
                    0.0,
                    0.0,
                    0.99,
                    "The share of the last step that the next one keeps.",
                    step=0.01,
                ),
            ),
            lr_default=1e-3,
            lr_low=1e-5,
            lr_high=0.1,
            makes="torch.optim:RMSprop",
            arguments=_rmsprop_arguments,
            step_size=_rmsprop_step_size,
            proximal=True,
        ),
    )
}


def constant(t: float) -> float:
    return 1.0


def cosine(t: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * t))


def one_cycle(t: float) -> float:
    """Up from 1/25 to 1 over the first 30 %, then down to 1/10,000 of the start, both along half a cosine.
    The end would be reached one step after the last; torch's `OneCycleLR` reaches it with the last step.
    Momentum is not cycled."""
    peak, start, end = 0.3, 1 / 25, 1 / 25 / 1e4
    if t < peak:
        return start + (1 - start) * 0.5 * (1 - math.cos(math.pi * t / peak))
    return end + (1 - end) * cosine((t - peak) / (1 - peak))


SCHEDULES: dict[str, ScheduleEntry] = {
    entry.name: entry
    for entry in (
        ScheduleEntry(
            name="constant",
            title="Constant",
            help="The learning rate stays as it is.",
            source="",
            factor=constant,
        ),
        ScheduleEntry(
            name="cosine",
            title="Cosine",
            help="Falls along half a cosine to zero at the end: large steps first, fine ones last.",
            source="Loshchilov & Hutter 2016, arXiv 1608.03983",
            factor=cosine,
        ),
        ScheduleEntry(
            name="one-cycle",
            title="One cycle",
            help="Rises for the first 30 % of the run, then falls to almost zero, which allows larger rates; "
            "momentum stays as it is.",
            source="Smith & Topin 2017, arXiv 1708.07120",
            factor=one_cycle,
        ),
    )
}


def completed_optimiser(spec: OptimiserSpec) -> OptimiserSpec:
    """``spec`` with the catalogue's defaults filled in; `SpecError` if something is out of bounds."""
    entry = look_up(OPTIMISERS, spec.kind, "optimiser.kind", "optimiser")
    params = completed_params(entry, spec.params, "optimiser.params")
    entry.check(params)
    return spec.model_copy(update={"lr": spec.lr or entry.lr_default, "params": params})


def learning_rate(spec: OptimiserSpec, share: float) -> float:
    """The learning rate of the step that comes when ``share`` of the run is done, in [0, 1)."""
    assert spec.lr is not None
    return spec.lr * SCHEDULES[spec.schedule].factor(share)
