"""What several processes gain over one: measured in two runs that differ in nothing else."""

from __future__ import annotations

from statistics import median
from typing import NamedTuple

from core.run.history import History
from core.run.spec import RunSpec

LOSSES = ("train_loss", "validation_loss")


class Trained(NamedTuple):
    """One of the runs."""

    processes: int
    threads: int  # of each process
    images_per_second: float  # while it trained: the median of its epochs
    epochs: int
    exchanged_bytes: int | None  # a step, that each process handed to the others; None: there was nobody


def trained(history: History) -> Trained | None:
    """None: it has not ended an epoch."""
    rates = [rate for each in history.epochs if (rate := each["images_per_second"])]
    if not history.started or not rates:
        return None
    exchanged = [each["exchanged_bytes"] for each in history.epochs if "exchanged_bytes" in each]
    return Trained(
        processes=history.started.get("processes", 1),
        threads=history.started["threads"],
        images_per_second=median(rates),
        epochs=len(rates),
        exchanged_bytes=round(median(exchanged)) if exchanged else None,
    )


def table(ours: Trained, alone: Trained | None) -> list[dict[str, str]]:
    """A row of text for each run: the run's, and that of one process if there is one."""
    return [_row(each, alone) for each in (ours, alone) if each is not None]


def apart(history: History, other: History) -> tuple[float, int] | None:
    """By what share their losses differ at most, and over how many epochs; None: they have none."""
    pairs = list(zip(history.epochs, other.epochs, strict=False))
    shares = [
        abs(ours[name] - theirs[name]) / abs(theirs[name])
        for ours, theirs in pairs
        for name in LOSSES
        if theirs[name]
    ]
    return (max(shares), len(pairs)) if shares else None


def by_one_process(spec: RunSpec) -> RunSpec:
    """The same run, trained by one."""
    one = {"processes": 1, "gradient_precision": "float32"}
    return spec.model_copy(update={"train": spec.train.model_copy(update=one)})


def _row(run: Trained, alone: Trained | None) -> dict[str, str]:
    speed_up = run.images_per_second / alone.images_per_second if alone else None
    return {
        "processes × threads": f"{run.processes} × {run.threads}",
        "images/s": f"{run.images_per_second:,.0f}",
        "speed-up": "–" if speed_up is None else f"{speed_up:.2f}",
        "efficiency": "–" if speed_up is None else f"{speed_up / run.processes:.0%}",
        "bytes exchanged a step": "–" if run.exchanged_bytes is None else f"{run.exchanged_bytes:,}",
        "epochs measured": f"{run.epochs}",
    }
