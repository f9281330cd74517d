"""What a study will take, from how long runs like its own took here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from statistics import fmean
from typing import NamedTuple

from core.run.spec import RunSpec
from core.store.store import StoredRun
from core.study.cells import Cell
from core.study.spec import Study
from core.text.how_long import LOOKED_AT, how_long

GAP = 0.1  # seconds from one run's end to the next one's start


class Price(NamedTuple):
    """Runs and epochs that are still to be trained, at most; ``reused`` runs are there already. ``seconds``:
    None: no run like these was trained here yet."""

    runs: int
    epochs: int
    reused: int
    seconds: float | None
    measured_in: str = ""


def price(study: Study, cells: Sequence[Cell], there: Collection[str], runs: Sequence[StoredRun]) -> Price:
    """What ``study`` still costs. What follows from its first cells costs as much as they do, an epoch.

    Args:
        cells: those that it begins with.
        there: the keys of those that finished runs answer already.
        runs: of this server, the newest first, to measure by.
    """
    count, epochs = study.cost()
    wanted = [cell for cell in cells if cell.key not in there]
    left = max(0, count - len(there))
    trained = max(0, epochs - sum(cell.epochs for cell in cells if cell.key in there))
    # Where all that it begins with is there, what follows costs as much, an epoch, as those did.
    found = [(cell, estimate) for cell in wanted or cells if (estimate := how_long(cell.spec, runs))]
    if not found:
        return Price(left, trained, len(there), None if left else 0.0)
    each = sum(estimate.seconds * cell.epochs / cell.spec.train.epochs for cell, estimate in found)
    an_epoch = each / sum(cell.epochs for cell, _ in found)
    beside = seconds_beside([cell.spec for cell, _ in found], runs)
    seconds = trained * an_epoch + left * (beside + GAP)
    return Price(left, trained, len(there), seconds, found[0][1].measured_in)


def seconds_beside(specs: Sequence[RunSpec], runs: Sequence[StoredRun]) -> float:
    """What a run like ``specs`` takes beside its epochs, in a worker that is there already: to read the
    images, to build the network, and to say what it does. The mean over ``specs`` of the least that is known
    of each; nothing of a single run, which may have been its worker's first and loaded libraries."""
    known: dict[str, float] = {}
    for spec in specs:
        name = spec.model.model_dump_json()
        if name not in known:
            found = [
                float(run.summary["beside_seconds"])
                for run in runs
                if run.summary and "beside_seconds" in run.summary and how_long(spec, [run])
            ][:LOOKED_AT]
            known[name] = min(found) if len(found) > 1 else 0.0
    return fmean(known[spec.model.model_dump_json()] for spec in specs)
