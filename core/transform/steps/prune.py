"""Pruning, once: which weights or units go by their scores; units are really taken out.

Size times gradient is the first term of a Taylor series (Molchanov et al. 2017, arXiv 1611.06440). The size
of what leads to a unit times that of what leads away does not depend on the unit's own scale, which a ReLU
leaves open (Neyshabur et al. 2015, arXiv 1506.02617).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.layers.weights import regularised_weights
from core.models.anew import draw_anew
from core.models.attention import Attention
from core.models.build import build_model
from core.models.fit import shapes_of
from core.randomness import derive, generator
from core.regularise.zeros import lay_, smallest
from core.run.errors import SpecError
from core.train.session import Session
from core.transform.network import LOOKED_AT, Network, Sources, layer_rows, some_images, state_of
from core.transform.shrink import shrink
from core.transform.steps.rewind import early_weights
from core.transform.units import Units, named_blocks, units_of

SCORED = 64  # images at a time


def prune(sources: Sources, params: Mapping[str, Any]) -> Network:
    """See `core.transform.catalogue` for the parameters."""
    session = sources.first
    model = copy.deepcopy(session.model)
    begins = _begins(sources, model, params)
    if params["what"] == "weights":
        return _prune_weights(sources, model, begins, params)
    return _prune_units(sources, model, begins, params)


def _begins(sources: Sources, model: nn.Module, params: Mapping[str, Any]) -> nn.Module | None:
    """The network with the values that what is left begins with; None: it is drawn when that is known."""
    if params["start"] == "as they are":
        return model
    if params["start"] == "drawn anew":
        return None
    session = sources.first
    spec, kept = session.spec, session.validation
    shape = {"channels": kept.channels, "side": kept.side, "num_classes": len(kept.classes)}
    first = build_model(spec.model, **shape, seed=derive(spec.seed_of("weights"), "weights"))
    first = first.to(session.device).eval()
    if shapes_of(first.state_dict()) != shapes_of(model.state_dict()):
        raise SpecError(
            "params.start",
            "the network is smaller than the one that its run began with, so there is nothing to rewind to; "
            "choose another start.",
        )
    if epochs := int(params["rewind_epochs"]):
        first.load_state_dict(early_weights(sources.specs[0], epochs, session, sources.check))
    return first


def _prune_weights(
    sources: Sources, model: nn.Module, begins: nn.Module | None, params: Mapping[str, Any]
) -> Network:
    later = params["when"] == "step by step" and sources.epochs > 0
    layers = regularised_weights(model)
    weights = [weight for each in layers.values() for weight in each]
    share = 0.0 if later else params["share"]
    scores = _weight_scores(sources, model, weights, params["by"])
    parts = [[score] for score in scores] if params["threshold"] == "layer" else [scores]
    together = params["by"] == "magnitude"  # a score of 0 is no weight of 0
    masks = [mask for part in parts for mask in smallest(part, share, zeros_together=together)]
    rows = [
        {
            "table": "layers",
            "layer": name,
            "what": "weights",
            "kept": sum(int((~masks[place]).sum()) for place in places),
            "of": sum(masks[place].numel() for place in places),
        }
        for name, places in _places(layers).items()
        if not later  # what goes step by step is counted when it is gone
    ]
    if begins is None:
        begins = model
        draw_anew(begins, derive(sources.seed, "drawn anew"))
    lay_([weight.data for each in regularised_weights(begins).values() for weight in each], masks)
    return Network(state_of(begins), rows)


def _places(layers: Mapping[str, list[nn.Parameter]]) -> dict[str, range]:
    found, at = {}, 0
    for name, parts in layers.items():
        found[name] = range(at, at + len(parts))
        at += len(parts)
    return found


def _weight_scores(sources: Sources, model: nn.Module, weights: list[nn.Parameter], by: str) -> list[Tensor]:
    if by == "random":
        draws = generator(derive(sources.seed, "random scores"))
        return [torch.rand(weight.shape, generator=draws).to(weight.device) for weight in weights]
    if by == "gradient":
        found = [torch.zeros_like(weight) for weight in weights]
        for gradients in gradients_of(sources.first, model):
            for score, weight in zip(found, weights, strict=True):
                score += (weight.detach() * gradients[weight]).abs()
        return found
    return [weight.detach().abs() for weight in weights]


def gradients_of(session: Session, model: nn.Module) -> Iterator[dict[Tensor, Tensor]]:
    """Of the mean loss on some training images, by parameter, batch after batch: over all of them together
    the gradient of a trained network is near 0, whatever a weight does."""
    labels = session.train.labels[:LOOKED_AT]
    parts = zip(some_images(session).split(SCORED), labels.split(SCORED), strict=True)
    for images, targets in parts:
        model.zero_grad(set_to_none=True)
        with torch.enable_grad():
            F.cross_entropy(model(images), targets).backward()
        yield {p: torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in model.parameters()}
    model.zero_grad(set_to_none=True)


def _prune_units(
    sources: Sources, model: nn.Module, begins: nn.Module | None, params: Mapping[str, Any]
) -> Network:
    if params["what"] == "blocks":
        return _prune_blocks(sources, model, begins, params)
    if not units_of(model):
        raise SpecError("params.what", "the network has no units that could be taken out; choose weights.")
    scores = unit_scores(sources, model, params["by"])
    gone = goes(scores, params["share"], together=params["threshold"] == "network")
    kind = {units.layer: units.family for units in units_of(model)}
    masked = begins if begins is not None else model
    for units, away in zip(units_of(masked), gone, strict=True):
        units.mask(away)
    kept = sources.first.validation
    small = shrink(masked, channels=kept.channels, side=kept.side)
    if begins is None:
        draw_anew(small.model, derive(sources.seed, "drawn anew"))
    named = {layer.split(" (")[0]: family for layer, family in kind.items()}
    return Network(state_of(small.model), layer_rows(small.layers, named))


def unit_scores(sources: Sources, model: nn.Module, by: str) -> list[Tensor]:
    """For each layer's units how much they matter, (units,)."""
    found = units_of(model)
    if by == "random":
        draws = generator(derive(sources.seed, "random scores"))
        return [torch.rand(units.count, generator=draws) for units in found]
    if by == "gradient":
        scores = [torch.zeros(units.count) for units in found]
        for gradients in gradients_of(sources.first, model):
            for score, units in zip(scores, found, strict=True):
                score += _taylor(units, gradients)
        return scores
    return [_size(units) for units in found]


@torch.no_grad()
def _size(units: Units) -> Tensor:
    return (units.incoming(lambda p: p).norm(dim=1) * units.outgoing(lambda p: p).norm(dim=1)).cpu()


@torch.no_grad()
def _taylor(units: Units, gradients: Mapping[Tensor, Tensor]) -> Tensor:
    return units.outgoing(lambda p: p * gradients[p]).sum(1).abs().cpu()


def goes(scores: list[Tensor], share: float, *, together: bool) -> list[Tensor]:
    """The places of each layer's units that go; one of each layer stays at least.

    Args:
        together: a share of all units, each measured by its layer's mean; else of each layer's.
    """
    if not together:
        return [each.argsort(stable=True)[: min(round(share * len(each)), len(each) - 1)] for each in scores]
    measured = torch.cat([each / each.mean().clamp(min=1e-30) for each in scores])
    order = measured.argsort(stable=True)[: round(share * len(measured))]
    away = torch.zeros(len(measured), dtype=torch.bool)
    away[order] = True
    found = []
    for score, part in zip(scores, away.split([len(each) for each in scores]), strict=True):
        if part.all():
            part[score.argmax()] = False
        found.append(part.nonzero().flatten())
    return found


def _prune_blocks(
    sources: Sources, model: nn.Module, begins: nn.Module | None, params: Mapping[str, Any]
) -> Network:
    if not isinstance(model, Attention):
        raise SpecError("params.what", "only an attention network has blocks; choose weights or units.")
    scores = [_block_score(sources, model, block, params["by"], i) for i, block in enumerate(model.blocks)]
    (gone,) = goes([torch.tensor(scores)], params["share"], together=False)
    names = [name for name, _ in named_blocks(model)]
    away = {names[i] for i in gone.tolist()}
    if begins is None:
        begins = model
        draw_anew(begins, derive(sources.seed, "drawn anew"))
    state = {name: value for name, value in state_of(begins).items() if name.split(".")[0] not in away}
    rows = [
        {"table": "layers", "layer": name, "what": "blocks", "kept": int(name not in away), "of": 1}
        for name in names
    ]
    return Network(state, rows)


def _block_score(sources: Sources, model: nn.Module, block: Any, by: str, number: int) -> float:
    writes = (block.attention.output.weight, block.fc2.weight)  # what it adds to the tokens
    if by == "random":
        return float(torch.rand((), generator=generator(derive(sources.seed, "random block", number))))
    if by == "gradient":
        return sum(
            abs(float(sum((weight.detach() * gradients[weight]).sum() for weight in writes)))
            for gradients in gradients_of(sources.first, model)
        )
    return float(sum(weight.detach().square().sum() for weight in writes))
