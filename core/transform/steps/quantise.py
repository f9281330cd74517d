"""Weights of few bits; and what layers hear, on the ranges that training images have."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from core.layers.quantise import quantise_inputs, quantised, range_of
from core.layers.weights import regularised_weights
from core.train.evaluation import evaluate
from core.train.session import Session
from core.transform.network import Network, Sources, some_images, state_of

HEARS = (nn.Conv2d, nn.Linear)


def quantise(sources: Sources, params: Mapping[str, Any]) -> Network:
    """Every weight on its grid. If the network will be trained on, its real weights: training puts them on
    their grids itself. Rows say how right the network is with one layer alone quantised."""
    session = sources.first
    model = copy.deepcopy(session.model)
    rows = _each_alone(sources, session, params)
    if params["activations"] > 0:
        calibrate(session, model, max(2, params["activations"]), params["ends_at"])
    if not sources.epochs:
        put_on_grid(model, params)
    return Network(state_of(model), rows)


@torch.no_grad()
def put_on_grid(model: nn.Module, params: Mapping[str, Any], layers: Mapping[str, Any] | None = None) -> None:
    """Quantise the weights, in place.

    Args:
        layers: their names; None: all.
    """
    settings = {name: params[name] for name in ("by", "symmetric", "ends_at")}
    for name, weights in regularised_weights(model).items():
        if layers is None or name in layers:
            for weight in weights:
                weight.copy_(quantised(weight, params["bits"], **settings))


@torch.no_grad()
def calibrate(session: Session, model: nn.Module, bits: int, ends_at: str) -> None:
    """From now on each dense and convolutional layer quantises what it hears."""
    ranges: dict[nn.Module, tuple[float, float]] = {}

    def look(module: nn.Module, heard: tuple[Tensor, ...]) -> None:
        ranges[module] = range_of(heard[0], bits, ends_at)

    layers = [module for module in model.modules() if isinstance(module, HEARS)]
    handles = [layer.register_forward_pre_hook(look) for layer in layers]
    model.eval()(some_images(session))
    for handle in handles:
        handle.remove()
    for layer, (lowest, highest) in ranges.items():
        quantise_inputs(layer, lowest, highest, bits)


def _each_alone(sources: Sources, session: Session, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row a layer: the accuracy on validation images with only this one quantised."""
    whole, rows = session.model, []
    for name, weights in regularised_weights(whole).items():
        sources.check()
        session.model = copy.deepcopy(whole)
        put_on_grid(session.model, params, {name: True})
        judged = evaluate(session, session.validation)
        rows.append(
            {
                "table": "alone",
                "layer": name,
                "weights": sum(weight.numel() for weight in weights),
                "accuracy": judged.accuracy,
                "loss": judged.loss,
                "images": len(judged.correct),
            }
        )
    session.model = whole
    return rows
