"""One network of several: the mean of their weights.

The mean of two networks that were trained apart answers like neither, for their units stand in different
orders; put into one order first, it often does as well as they (Ainsworth et al. 2023, arXiv 2209.04836).
Branches of one run need no order: a soup (Wortsman et al. 2022, arXiv 2203.05482).
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from core.layers.quantise import BITS
from core.models.fit import shapes_of
from core.run.errors import SpecError
from core.train.clean import CLEAN_IMAGES
from core.train.evaluation import EVALUATION_BATCH, Judgement, evaluate, take_statistics
from core.train.session import Session
from core.transform.matching import match
from core.transform.network import Network, Sources, some_images, state_of
from core.transform.packing import pack

FEW_BITS = 16  # at most of a weight's that lies on a grid
POINTS = 11  # of the line between two networks
SAME = "merged networks need the same layers of the same widths; these have not."


def merge(sources: Sources, params: Mapping[str, Any]) -> Network:
    """See `core.transform.catalogue`. Rows say how good each network is, their ensemble and their mean, and
    of two networks what lies between them. Where they have batch norm, its statistics are taken anew for
    every mean, on training images."""
    models = [session.model for session in sources.sessions]
    if len({str(shapes_of(model.state_dict())) for model in models}) > 1:
        raise SpecError("from", SAME)
    heard = {str({n: int(b) for n, b in m.named_buffers() if n.endswith(BITS)}) for m in models}
    if len(heard) > 1:
        raise SpecError(
            "from", "their layers hear numbers of different bits; merge networks that hear alike."
        )
    session, renews = sources.first, bool(_norms(models[0]))
    rows = [_compared(f"network {i + 1}", _judge(sources, model), i) for i, model in enumerate(models)]
    rows.append(_compared("ensemble", _ensemble(session, models)))
    ordered = [copy.deepcopy(model) for model in models]
    some = some_images(session)
    moved = [match(model, ordered[0], some) for model in ordered[1:]] if params["method"] == "matched" else []
    if len(models) == 2:
        rows += _path(sources, models, "as they are")
        rows += _path(sources, ordered, "matched") if params["method"] == "matched" else []
    if params["method"] == "greedy":
        chosen = _greedy(sources, models, [row["accuracy"] for row in rows[: len(models)]])
        made = mean([models[i] for i in chosen])
        renews = renews and len(chosen) > 1  # one network alone is as it was
        rows += [{"table": "compared", "what": f"network {i + 1} taken in", "place": i} for i in chosen]
        taken = ", ".join(str(i + 1) for i in sorted(chosen))
        rows.append({"table": "why", "says": f"Taken into the soup, of {len(models)} networks: {taken}."})
    else:
        made = mean(ordered)
    if moved:
        rows.append({"table": "matched", "moved": moved})
    if any(_has_grid(model) for model in models) and not _has_grid(made):
        says = "These networks' weights have few bits, and their mean does not: it lies on no grid."
        rows.append({"table": "why", "says": says})
    judged = _judge(sources, made, renewed=renews)
    rows.append(_compared("mean", judged) | {"norms_renewed": renews})
    return Network(state_of(made), rows)


@torch.no_grad()
def mean(models: Sequence[nn.Module], shares: Sequence[float] | None = None) -> nn.Module:
    """A network whose weights are the mean of theirs, by ``shares`` that add up to 1; plain if None."""
    shares = [1 / len(models)] * len(models) if shares is None else shares
    made = copy.deepcopy(models[0])
    states = [model.state_dict() for model in models]
    for name, value in made.state_dict().items():
        if value.is_floating_point():
            parts = [share * state[name].double() for share, state in zip(shares, states, strict=True)]
            value.copy_(torch.stack(parts).sum(0))
    return made


def _norms(model: nn.Module) -> list[_BatchNorm]:
    return [module for module in model.modules() if isinstance(module, _BatchNorm)]


def renew_norms(session: Session, model: nn.Module) -> None:
    """Take the statistics of batch norm anew, in place, if there is some: over the first batches of an epoch
    of training images, as they are and not augmented."""
    if norms := _norms(model):
        kept, session.model = session.model, model
        take_statistics(session, norms, 1)
        session.model = kept


def _judge(sources: Sources, model: nn.Module, renewed: bool = False) -> Judgement:
    sources.check()
    session = sources.first
    if renewed:
        renew_norms(session, model)
    kept, session.model = session.model, model
    judged = evaluate(session, session.validation)
    session.model = kept
    return judged


def _compared(what: str, judged: Judgement, place: int | None = None) -> dict[str, Any]:
    return {
        "table": "compared",
        "what": what,
        "place": place,
        "accuracy": judged.accuracy,
        "loss": judged.loss,
        "images": len(judged.correct),
    }


@torch.inference_mode()
def _ensemble(session: Session, models: Sequence[nn.Module]) -> Judgement:
    """All asked, and the mean of their probabilities taken: the yardstick, at so many times the work."""
    found = []
    for images, labels in zip(
        *(part.split(EVALUATION_BATCH) for part in (session.validation.images, session.validation.labels)),
        strict=True,
    ):
        normalised = session.normalised(images.float().div_(255))
        shares = torch.stack([model.eval()(normalised).softmax(1) for model in models]).mean(0)
        found.append((shares, labels))
    shares, labels = (torch.cat(each) for each in zip(*found, strict=True))
    losses = F.nll_loss(shares.clamp(min=1e-30).log(), labels, reduction="none")
    return Judgement(losses, shares.argmax(1) == labels, shares.argmax(1), shares.amax(1))


def _path(sources: Sources, models: Sequence[nn.Module], way: str) -> list[dict[str, Any]]:
    """Along the line from one network to the other, both ends among them."""
    session, rows = sources.first, []
    some = session.train.take(slice(CLEAN_IMAGES))
    for i in range(POINTS):
        at = i / (POINTS - 1)
        between = mean(models, [1 - at, at])
        renewed = 0 < at < 1 and bool(_norms(between))  # at its ends are the networks, as they are
        judged = _judge(sources, between, renewed=renewed)
        kept, session.model = session.model, between
        trained = evaluate(session, some)
        session.model = kept
        rows.append(
            {
                "table": "path",
                "way": way,
                "at": at,
                "accuracy": judged.accuracy,
                "loss": judged.loss,
                "train_accuracy": trained.accuracy,
                "train_loss": trained.loss,
                "images": len(judged.correct),
                "train_images": len(trained.correct),
                "norms_renewed": renewed,
            }
        )
    return rows


def _greedy(sources: Sources, models: Sequence[nn.Module], accuracies: Sequence[float]) -> list[int]:
    """Which networks are taken in: the best, and each of the next, the better first, that does not make the
    mean worse on the validation images (Wortsman et al. 2022, recipe 1). Those images choose, and there are
    no others, so the greedy soup's figure on them is a little too good."""
    order = sorted(range(len(models)), key=lambda i: -accuracies[i])
    chosen, best = order[:1], accuracies[order[0]]
    for i in order[1:]:
        accuracy = _judge(sources, mean([models[j] for j in (*chosen, i)]), renewed=True).accuracy
        if accuracy >= best:
            chosen, best = [*chosen, i], accuracy
    return chosen


def _has_grid(model: nn.Module) -> bool:
    """Whether some of its weights have few bits."""
    _, told = pack({name: value.numpy() for name, value in state_of(model).items()})
    return any(grid["bits"] < FEW_BITS for grid in json.loads(told["grids"]).values())
