"""A run's epochs as a file to take home: each line says of which run it is, and each share of how many."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from core.measure.counted import wilson
from core.measure.near import NEAR
from core.run.history import History
from core.run.spec import RunSpec
from core.text.escape import cell

VERSIONS = ("augury", "torch", "kornia")


def epochs_csv(*runs: tuple[History, str, RunSpec]) -> str:
    """A line an epoch with every figure of it, each layer's sparsity too, as comma-separated values; of
    several runs, each with its id, below each other.

    Shares are in [0, 1] and their names end so; losses are cross-entropies with the natural logarithm.
    """
    rows = [row for each in runs for row in epoch_rows(*each)]
    names = dict.fromkeys(name for row in rows for name in row)  # some are not measured every epoch
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(names), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def epoch_rows(history: History, run_id: str, spec: RunSpec) -> list[dict[str, Any]]:
    """A row an epoch, by column; not every row has every column."""
    of = identity(history, run_id, spec)
    started: Mapping[str, Any] = history.started or {}
    return [of | dict(_figures(event, started)) for event in history.epochs]


def identity(history: History, run_id: str, spec: RunSpec) -> dict[str, Any]:
    """Which run it is, its seeds, the fold that is judged if there is one, and the versions it was computed
    by; empty where an older one did not say."""
    versions = (history.started or {}).get("versions", {})
    return {
        "run_id": cell(run_id),
        "seed": spec.seed,
        **{f"seed.{purpose}": seed for purpose, seed in spec.seeds if seed is not None},
        "split_seed": spec.split_seed,
        **({} if spec.data.fold is None else {"fold": spec.data.fold, "folds": spec.data.folds}),
        **{f"{name}_version": cell(str(versions.get(name, ""))) for name in VERSIONS},
    }


def _figures(event: Mapping[str, Any], started: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from (("epoch", event["epoch"]), ("step", event["step"]))
    images: dict[str, Any] = {name: started.get(f"{name}_images") for name in ("train", "validation")}
    images["clean"] = event.get("clean_images")
    for name in ("train", "clean", "validation"):
        accuracy: Any = event.get(f"{name}_accuracy")
        yield f"{name}_images", images[name]
        yield f"{name}_accuracy_share", accuracy
        if name == "validation" and images[name]:
            low, high = wilson(round(accuracy * images[name]), images[name])
            yield from ((f"{name}_accuracy_low_share", low), (f"{name}_accuracy_high_share", high))
        yield f"{name}_loss", event.get(f"{name}_loss")
    if not event.get("penalties"):  # an older run kept their sum alone
        yield "penalty", event["penalty"]
    for name, each in (("penalty", event.get("penalties")), ("strength", event.get("strengths"))):
        yield from ((f"{name}.{kind}", value) for kind, value in (each or {}).items())
    yield from ((f"acted.{kind}_share", value) for kind, value in event.get("acted", {}).items())
    yield from _sparsity(event)
    yield from (("seconds", event["seconds"]), ("images_per_second", event["images_per_second"]))


def _sparsity(event: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    sparsity = event["sparsity"]
    yield "weights", sparsity["weights"]
    yield "exact_zero_share", sparsity["exact"]
    yield f"below_{NEAR:g}_share", sparsity["near"]
    yield from ((name, sparsity[name]) for name in ("hoyer", "gini", "effective_rank") if name in sparsity)
    yield from ((f"bytes.{form}", count) for form, count in sparsity.get("bytes", {}).items())
    if prunable := event.get("prunable"):
        yield "prunable_share", prunable["share"]
        yield from ((f"prunable_{end}_share", prunable[end]) for end in ("low", "high") if end in prunable)
    for name, layer in sparsity["layers"].items():
        yield f"weights.{name}", layer["weights"]
        yield f"exact_zero_share.{name}", layer["exact"]
