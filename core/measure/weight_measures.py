"""All measures of a network at once, in the shape of an ``epoch`` event."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core.catalogue import imported
from core.layers.groups import weight_groups
from core.layers.weights import regularised_weights
from core.measure.catalogue import MEASURES
from core.measure.concentration import Moments, gini, hoyer, magnitudes, moments
from core.measure.histogram import histogram
from core.measure.sparsity import Counts, counts, shares
from core.measure.storage import dense_bytes, gzip_bytes, sparse_bytes


class WeightMeasures:
    """What measures ``model``, epoch after epoch: its layers and groups are looked up once."""

    def __init__(self, model: nn.Module) -> None:
        self.layers = regularised_weights(model)
        self._groups = [
            (next(name for name in self.layers if f"{name}.".startswith(f"{groups.layer}.")), groups)
            for groups in weight_groups(model)
        ]

    @torch.no_grad()
    def measure(self, *, thorough: bool, histograms: bool = True) -> dict[str, Any]:
        """What an ``epoch`` event says of the weights: ``event |= measures.measure(thorough=…)``.

        Returns:
            ``{"sparsity": …, "weights": …}``, the latter if ``histograms``. ``sparsity`` is what `sparsity`
            gives and, whole and by layer, ``hoyer``, ``bytes``: ``{"dense", "sparse"}``, and ``groups``:
            ``{"filters" | "neurons" | "heads": {"zero", "all"}}`` where it has such; if ``thorough`` also
            ``gini`` and ``bytes["gzip"]``. Then what the entries of `MEASURES` compute by themselves.
            ``weights`` is a `histogram` by layer. Heads stand by the layer of their queries.
        """
        layers = self.layers
        counted = counts(layers)
        figures = shares(counted)
        sums = {name: moments(parts) for name, parts in layers.items()}
        for name, parts in layers.items():
            figures["layers"][name] |= {
                "hoyer": hoyer(sums[name]),
                "bytes": _bytes(parts, counted[name], thorough),
            }
        figures["hoyer"] = hoyer(Moments(*map(sum, zip(*sums.values(), strict=True))))
        figures["bytes"] = _added([layer["bytes"] for layer in figures["layers"].values()])
        self._count_groups(figures)
        if thorough:
            rising = {name: magnitudes(parts) for name, parts in layers.items()}
            for name in layers:
                figures["layers"][name]["gini"] = gini(rising[name])
            # A stable sort merges what is sorted already.
            figures["gini"] = gini(np.sort(np.concatenate(list(rising.values())), kind="stable"))
        self._compute_entries(figures, thorough)
        measured = {"sparsity": figures}
        if histograms:
            measured["weights"] = {
                name: histogram(parts, sum(part.nonzero for part in counted[name]))
                for name, parts in layers.items()
            }
        return measured

    def thorough_cost(self, steps: int, multiply_adds: int) -> float:
        """How long `measure` takes if ``thorough``, in epochs of training.

        From sizes, not from a clock, so that a run's events are the same wherever it runs. Both sides are
        estimates from two slow cores, of dense weights, which take longest: of training on the low side.

        Args:
            steps: in an epoch.
            multiply_adds: of an epoch's forward passes: an image's (`core.models.summary`) times images.
        """
        parts = [part for layer in self.layers.values() for part in layer]
        on_cpu = all(part.device.type == "cpu" for part in parts)
        measuring = sum(70 * part.numel() + 0.1 * _rank_work(part) for part in parts)  # ns
        training = 1e6 * steps + (0.05 * multiply_adds if on_cpu else 0)  # ns
        return measuring / training

    def _compute_entries(self, figures: dict[str, Any], thorough: bool) -> None:
        """Add the measures whose entries name a function, to the whole and to each layer."""
        every = [part for parts in self.layers.values() for part in parts]
        for entry in MEASURES.values():
            if not entry.computes or (entry.thorough and not thorough):
                continue
            compute = imported(entry.computes)
            found = {name: float(compute(parts)) for name, parts in self.layers.items()}
            whole = sum(found.values()) if entry.adds else float(compute(every))
            places = [(figures, whole), *((figures["layers"][name], found[name]) for name in found)]
            for place, figure in places:
                if math.isfinite(figure):
                    place[entry.name] = figure

    def _count_groups(self, figures: dict[str, Any]) -> None:
        """Add ``groups`` to the whole and to each layer that has some."""
        for name, groups in self._groups:
            zero = groups.zero()
            dead = int(zero.sum())
            for place in (figures, figures["layers"][name]):
                counted = place.setdefault("groups", {}).setdefault(groups.family, {"zero": 0, "all": 0})
                counted["zero"] += dead
                counted["all"] += len(zero)


def _rank_work(part: Tensor) -> int:
    rows, columns = sorted(part.flatten(1).shape)
    return rows**2 * columns


def _bytes(parts: Sequence[Tensor], counted: Sequence[Counts], thorough: bool) -> dict[str, int]:
    sparse = sparse_bytes(parts, [part.nonzero for part in counted])
    sizes = {"dense": dense_bytes(parts), "sparse": sparse}
    return sizes | {"gzip": gzip_bytes(parts)} if thorough else sizes


def _added(counts: Sequence[dict[str, int]]) -> dict[str, int]:
    return {name: sum(each[name] for each in counts) for name in counts[0]}
