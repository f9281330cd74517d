"""Learning-rate schedules: what each does to the rate over a run.

Each is a function of the share of the run that is done, so that an edited number of epochs stretches or
shortens it.
"""

from __future__ import annotations

import math

from core.catalogue import Number
from core.optimise.entry import ScheduleEntry


def constant(t: float) -> float:
    return 1.0


def cosine(t: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * t))


def one_cycle(t: float) -> float:
    """Up from 1/25 to 1 over the first 30 %, then down to 1/10,000 of the start, both along half a cosine.
    The end would be reached one step after the last; torch's `OneCycleLR` reaches it with the last step.
    Momentum is not cycled."""
    peak, start, end = 0.3, 1 / 25, 1 / 25 / 1e4
    if t < peak:
        return start + (1 - start) * 0.5 * (1 - math.cos(math.pi * t / peak))
    return end + (1 - end) * cosine((t - peak) / (1 - peak))


def warm_restarts(t: float, cycles: int, growth: float) -> float:
    """Half a cosine from 1 to 0, ``cycles`` times, each ``growth`` times as long as the one before; the last
    ends with the run. SGDR's equation 5 with η_min = 0, T_mult = ``growth``, and T_0 such that it does."""
    lengths = [growth**i for i in range(cycles)]
    begin, whole = 0.0, sum(lengths)
    for length in lengths[:-1]:
        if t * whole < begin + length - 1e-9:  # a share is rounded: a cycle's first step must not end another
            break
        begin += length
    else:
        length = lengths[-1]
    return cosine(max(0.0, (t * whole - begin) / length))


SCHEDULES: dict[str, ScheduleEntry] = {
    entry.name: entry
    for entry in (
        ScheduleEntry(
            name="constant",
            title="Constant",
            help="The learning rate stays as it is.",
            source="",
            factor=constant,
        ),
        ScheduleEntry(
            name="cosine",
            title="Cosine",
            help="Falls along half a cosine to zero at the end: large steps first, fine ones last.",
            source="Loshchilov & Hutter 2016, arXiv 1608.03983",
            factor=cosine,
        ),
        ScheduleEntry(
            name="warm-restarts",
            title="Cosine with warm restarts",
            help="Falls along half a cosine to zero and starts again at the full rate, several times; the "
            "network is at its best at the end of a cycle.",
            source="Loshchilov & Hutter 2017, SGDR, arXiv 1608.03983",
            parameters=(
                Number("cycles", 3, 1, 10, "How many times it falls; 1 is a plain cosine.", integer=True),
                Number(
                    "growth",
                    2.0,
                    1.0,
                    4.0,
                    "How many times as long as the one before each cycle is (T_mult in the paper).",
                    step=0.5,
                ),
            ),
            factor=warm_restarts,
        ),
        ScheduleEntry(
            name="one-cycle",
            title="One cycle",
            help="Rises for the first 30 % of the run, then falls to almost zero, which allows larger rates; "
            "momentum stays as it is.",
            source="Smith & Topin 2017, arXiv 1708.07120",
            factor=one_cycle,
        ),
    )
}
