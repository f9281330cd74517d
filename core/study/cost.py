"""What a study will take, from how long runs like its own took here."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from core.run.spec import RunSpec
from core.store.store import StoredRun
from core.study.cells import Cell
from core.study.spec import Study
from core.text.how_long import LOOKED_AT, how_long

GAP = 0.2  # seconds from one run's end to the next one's start
MOST_BESIDE = 10.0  # more is a pause


class Price(NamedTuple):
    """Runs and epochs that are still to be trained, at most; ``reused`` runs are there already. ``seconds``:
    None: no run like these was trained here yet."""

    runs: int
    epochs: int
    reused: int
    seconds: float | None
    measured_in: str = ""


def price(study: Study, cells: Sequence[Cell], reused: int, runs: Sequence[StoredRun]) -> Price:
    """What ``study`` still costs.

    Args:
        cells: those that it begins with.
        reused: how many of them finished runs answer already.
        runs: of this server, the newest first, to measure by.
    """
    count, epochs = study.cost()
    left = max(0, count - reused)
    share = left / count if count else 0.0
    begun = [(cell, found) for cell in cells if (found := how_long(cell.spec, runs))]
    if not begun:
        return Price(left, round(epochs * share), reused, None)
    each = sum(found.seconds * cell.epochs / cell.spec.train.epochs for cell, found in begun)
    an_epoch = each / sum(cell.epochs for cell, _ in begun)
    beside = seconds_beside(begun[0][0].spec, runs)
    seconds = share * (epochs * an_epoch + count * (beside + GAP))
    return Price(left, round(epochs * share), reused, seconds, begun[0][1].measured_in)


def seconds_beside(spec: RunSpec, runs: Sequence[StoredRun]) -> float:
    """What a run like ``spec`` takes beside its epochs: to read the images, and to write what it leaves."""
    found = []
    for run in runs:
        if not how_long(spec, [run]) or run.started_at is None or run.finished_at is None:
            continue
        assert run.summary is not None
        trained = run.summary["epochs"] * (run.summary.get("epoch_seconds") or 0.0)
        beside = run.finished_at - run.started_at - trained
        if 0 <= beside < MOST_BESIDE:
            found.append(beside)
    return median(found[:LOOKED_AT]) if found else 0.0
