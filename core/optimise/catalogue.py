"""Optimisers: what each is, and what may be set on it.

The optimisers are torch's, in their fused form where there is one; Lion, which torch has not, is our own. The
learning-rate schedules stand in `schedules`.
"""

from __future__ import annotations

from typing import Any

from core.catalogue import Flag, Number, completed_params, look_up
from core.optimise.entry import OptimiserEntry, Params
from core.optimise.schedules import SCHEDULES
from core.run.errors import SpecError
from core.run.spec import OptimiserSpec

EPSILON = 1e-8  # what torch's Adam, AdamW and RMSprop add to a gradient's size before they divide by it


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


def _lion_arguments(params: Params) -> dict[str, Any]:
    return {"betas": (params["beta1"], params["beta2"]), "weight_decay": params["weight_decay"]}


def _lion_step_size(params: Params, lr: float, gradient: float) -> float:
    return lr / gradient


def _muon_arguments(params: Params) -> dict[str, Any]:
    return {each: params[each] for each in ("momentum", "nesterov", "weight_decay")}


def _muon_step_size(params: Params, lr: float, gradient: float) -> float:
    return 0.2 * lr / gradient  # its root mean square over a matrix


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


def _decay(default: float) -> Number:
    return Number(
        "weight_decay",
        default,
        0.0,
        1.0,
        "A step takes this times the learning rate off each weight, as a share of it; a "
        "regulariser's decay comes on top.",
        step=0.01,
    )


OPTIMISERS: dict[str, OptimiserEntry] = {
    entry.name: entry
    for entry in (
        OptimiserEntry(
            name="sgd",
            title="SGD with momentum",
            help="Follows a fading sum of the gradients so far; every weight has the same learning rate.",
            source="Polyak 1964; Nesterov 1983; Sutskever et al. 2013, On the importance of initialization "
            "and momentum",
            parameters=(
                _MOMENTUM,
                Flag(
                    "nesterov",
                    False,
                    "Nesterov's momentum: the gradient counts as if it were taken where momentum is about to "
                    "carry the weights.",
                ),
            ),
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
                _decay(0.01),
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
        OptimiserEntry(
            name="lion",
            title="Lion",
            help="Moves every weight by the learning rate, up or down as the mean gradient's sign says: it "
            "keeps one number a weight where Adam keeps two, and wants a third to a tenth of Adam's rate.",
            source="Chen et al. 2023, Symbolic discovery of optimization algorithms, arXiv 2302.06675",
            parameters=(
                Number(
                    "beta1",
                    0.9,
                    0.0,
                    0.99,
                    "The mean's share in what decides the sign; the rest is the gradient itself.",
                    step=0.01,
                ),
                Number(
                    "beta2",
                    0.99,
                    0.9,
                    0.999,
                    "How long the gradient's mean remembers: about 1 / (1 − beta2) steps.",
                    step=0.001,
                ),
                _decay(0.05),
            ),
            lr_default=3e-4,
            lr_low=1e-6,
            lr_high=0.02,
            makes="core.optimise.lion:Lion",
            arguments=_lion_arguments,
            step_size=_lion_step_size,
            why_not_proximal="Lion moves a weight equally far whether its gradient is large or small, so no "
            "proximal step is as long as its steps",
        ),
        OptimiserEntry(
            name="muon",
            title="Muon (with AdamW)",
            help="Turns the step of each matrix, U S Vᵀ, into about U Vᵀ, which moves all directions alike. "
            "Filters, biases, norm layers and positions follow AdamW, at the same rate.",
            source="Jordan et al. 2024, Muon: an optimizer for hidden layers in neural networks; scale: "
            "Liu et al. 2025, arXiv 2502.16982",
            parameters=(
                Number("momentum", 0.95, 0.0, 0.99, _MOMENTUM.help, step=0.01),
                Flag("nesterov", True, "Nesterov's momentum, for the matrices."),
                _decay(0.01),
            ),
            lr_default=1e-3,
            lr_low=1e-5,
            lr_high=0.1,
            makes="core.optimise.muon:MuonAdamW",
            arguments=_muon_arguments,
            step_size=_muon_step_size,
            why_not_proximal="Muon moves a matrix as a whole and not each weight by its own gradient, so no "
            "proximal step is as long as its steps",
        ),
    )
}


def completed_optimiser(spec: OptimiserSpec) -> OptimiserSpec:
    """``spec`` with the catalogue's defaults filled in; `SpecError` if something is out of bounds."""
    entry = look_up(OPTIMISERS, spec.kind, "optimiser.kind", "optimiser")
    params = completed_params(entry, spec.params, "optimiser.params")
    entry.check(params)
    schedule = look_up(SCHEDULES, spec.schedule, "optimiser.schedule", "schedule")
    shape = completed_params(schedule, spec.schedule_params, "optimiser.schedule_params")
    lr = spec.lr or entry.lr_default
    return spec.model_copy(update={"lr": lr, "params": params, "schedule_params": shape})


def learning_rate(spec: OptimiserSpec, share: float) -> float:
    """The learning rate of the step that comes when ``share`` of the run is done, in [0, 1)."""
    assert spec.lr is not None
    return spec.lr * SCHEDULES[spec.schedule].factor(share, **spec.schedule_params)
