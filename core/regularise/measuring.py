"""All measures of a network at once, in the shape of an ``epoch`` event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core.regularise.concentration import Moments, effective_rank, gini, hoyer, magnitudes, moments
from core.regularise.groups import weight_groups
from core.regularise.histogram import histogram
from core.regularise.sparsity import sparsity
from core.regularise.storage import dense_bytes, gzip_bytes, sparse_bytes
from core.regularise.weights import regularised_weights


@torch.no_grad()
def measure(model: nn.Module, *, thorough: bool, histograms: bool = True) -> dict[str, Any]:
    """What an ``epoch`` event says of the weights: ``event |= measure(model, thorough=…)``.

    Returns:
        ``{"sparsity": …, "weights": …}``, the latter if ``histograms``. ``sparsity`` is what `sparsity` gives
        and, whole and by layer, ``hoyer``, ``bytes``: ``{"dense", "sparse"}``, and ``groups``: ``{"filters" |
        "neurons" | "heads": {"zero", "all"}}`` where it has such; if ``thorough`` also ``gini``,
        ``effective_rank`` and ``bytes["gzip"]``. ``weights`` is a `histogram` by layer. The rank of the whole
        is the sum of its layers', and a layer's of its matrices'. Heads stand by the layer of their queries.
    """
    layers = regularised_weights(model)
    figures = sparsity(model)
    sums = {name: moments(parts) for name, parts in layers.items()}
    for name, parts in layers.items():
        figures["layers"][name] |= {"hoyer": hoyer(sums[name]), "bytes": _bytes(parts, thorough)}
    figures["hoyer"] = hoyer(Moments(*map(sum, zip(*sums.values(), strict=True))))
    figures["bytes"] = _added([layer["bytes"] for layer in figures["layers"].values()])
    _count_groups(model, figures)
    if thorough:
        rising = {name: magnitudes(parts) for name, parts in layers.items()}
        for name, parts in layers.items():
            rank = sum(effective_rank(part) for part in parts)
            figures["layers"][name] |= {"gini": gini(rising[name]), "effective_rank": rank}
        # A stable sort merges what is sorted already: an eighth of the time.
        figures["gini"] = gini(np.sort(np.concatenate(list(rising.values())), kind="stable"))
        figures["effective_rank"] = sum(layer["effective_rank"] for layer in figures["layers"].values())
    measured = {"sparsity": figures}
    if histograms:
        measured["weights"] = {name: histogram(parts) for name, parts in layers.items()}
    return measured


def thorough_cost(model: nn.Module, steps: int, multiply_adds: int) -> float:
    """How long `measure` takes if ``thorough``, in epochs of training.

    From sizes, not from a clock, so that a run's events are the same wherever it runs. Both sides are
    estimates from two slow cores: of measuring on the high side, of training on the low.

    Args:
        steps: in an epoch.
        multiply_adds: of an epoch's forward passes: an image's (`core.models.summarise`) times images.
    """
    parts = [part for layer in regularised_weights(model).values() for part in layer]
    on_cpu = all(part.device.type == "cpu" for part in parts)
    measuring = sum(95 * part.numel() + 0.1 * _rank_work(part) for part in parts)  # ns
    training = 1e6 * steps + (0.04 * multiply_adds if on_cpu else 0)  # ns
    return measuring / training


def _count_groups(model: nn.Module, figures: dict[str, Any]) -> None:
    """Add ``groups`` to the whole and to each layer that has some."""
    for groups in weight_groups(model):
        of_module = (name for name in figures["layers"] if f"{name}.".startswith(f"{groups.layer}."))
        zero = groups.zero()
        for place in (figures, figures["layers"][next(of_module)]):
            counted = place.setdefault("groups", {}).setdefault(groups.family, {"zero": 0, "all": 0})
            counted["zero"] += int(zero.sum())
            counted["all"] += len(zero)


def _rank_work(part: Tensor) -> int:
    rows, columns = sorted(part.flatten(1).shape)
    return rows**2 * columns


def _bytes(parts: Sequence[Tensor], thorough: bool) -> dict[str, int]:
    sizes = {"dense": dense_bytes(parts), "sparse": sparse_bytes(parts)}
    return sizes | {"gzip": gzip_bytes(parts)} if thorough else sizes


def _added(counts: Sequence[dict[str, int]]) -> dict[str, int]:
    return {name: sum(each[name] for each in counts) for name in counts[0]}
