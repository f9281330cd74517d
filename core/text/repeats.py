"""Repeats of runs in words: how far chance moves a figure, and whether two groups differ by more."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from itertools import combinations

from core.measure.mean import MeanDifference, mean_interval, same_spread
from core.text.seeds import DRAWS

SURE = 0.05  # a test's p-value below it is no chance


def mean_and_spread(shares: Sequence[float]) -> str:
    """E.g. ``97.12 ± 0.31 % (n = 5)``: the mean, the standard deviation, and of how many runs; of one run
    there is no deviation."""
    mean = f"{100 * statistics.fmean(shares):.2f}"
    if len(shares) < 2:
        return f"{mean} % (n = 1)"
    return f"{mean} ± {100 * statistics.stdev(shares):.2f} % (n = {len(shares)})"


def lowest_and_highest(shares: Sequence[float]) -> str:
    """E.g. ``96.80 to 97.50``, in per cent."""
    return f"{100 * min(shares):.2f} to {100 * max(shares):.2f}"


def mean_in_words(shares: Sequence[float]) -> str:
    """E.g. ``96.7 to 97.5``: where the mean of very many such runs lies, at 95 %, in per cent; empty of one
    run, or where all are the same."""
    if len(shares) < 2 or len(set(shares)) == 1:
        return ""
    _, low, high = mean_interval([100 * share for share in shares])
    return f"{max(low, 0):.2f} to {min(high, 100):.2f}"


def exam_alone(share: float, images: int) -> float:
    """How far apart, as a standard deviation, shares are that differ by which ``images`` were judged alone:
    the binomial distribution's."""
    return math.sqrt(share * (1 - share) / images)


def which_moves_more(spreads: Mapping[str, Sequence[float]]) -> str:
    """Of single kinds of chance, by their names in `DRAWS`, which moves the figure most and which least, and
    whether that is more than chance; empty for fewer than two kinds."""
    single = {kind: values for kind, values in spreads.items() if kind != "all" and len(values) > 1}
    if len(single) < 2:
        return ""
    by_spread = sorted(single, key=lambda kind: statistics.stdev(single[kind]))
    least, most = by_spread[0], by_spread[-1]
    p = same_spread(single[most], single[least])
    n = " and ".join(str(len(single[kind])) for kind in (most, least))
    if p is not None:  # the two were picked out of all pairs (Bonferroni)
        p = min(1.0, p * len(list(combinations(single, 2))))
    if p is None or p >= SURE:
        said = "" if p is None else f" (F test of their variances, p = {p:.2g})"
        names = f"the {DRAWS[most]} or the {DRAWS[least]}"
        return f"Whether {names} moves it more can't be told with n = {n}{said}."
    return (
        f"The {DRAWS[most]} moves it more than the {DRAWS[least]} does "
        f"(F test of their variances, p = {p:.2g}, n = {n})."
    )


def group_beside(found: MeanDifference, name: str, other: str, n: int, other_n: int) -> tuple[str, str]:
    """Whether the mean of the group ``name`` differs from that of ``other`` by more than the seeds' noise, in
    a sentence; and how the numbers were found."""
    points = round(100 * abs(found.difference), 2)
    count = f"n = {n}" if n == other_n else f"n = {n} and {other_n}"
    amount = (
        f"{points:.2f} points {'above' if found.difference > 0 else 'below'}" if points else "the same as"
    )
    begin = f"“{name}” is on average {amount} “{other}”"
    how = (
        f"Paired by seed: {found.pairs} times both were trained with the same seeds, and the differences "
        "are looked at; 95 % interval of their mean by Student's t."
        if found.pairs
        else "No pairs of the same seeds: the two means are compared; 95 % interval by Welch's t, which lets "
        "the spreads differ."
    )
    if not found.is_known:
        return f"{begin}; the runs do not vary, so that chance can't be told with {count}.", how
    ends = f"{100 * found.low:.2f} to {100 * found.high:.2f}".replace("-", "−")
    if found.is_beyond_noise:
        return f"{begin} (95 %: {ends}, {count}): more than the noise of seeds.", how
    return f"{begin} (95 %: {ends}): whether they differ can't be told with {count}.", how


def uneven(lost: int, won: int, p: float, is_beyond_noise: bool) -> str:
    """What the exact chance ``p`` of so uneven a difference says, see `core.measure.paired.chance`.

    Args:
        is_beyond_noise: whether the 95 % interval of the difference leaves 0 out. It is no exact one: the two
            may disagree on a border that is close.
    """
    differ = lost + won
    if not differ:
        return "The two are right and wrong on the very same images."
    verdict = (
        "more than chance"
        if p < SURE and is_beyond_noise
        else "no surprise"
        if p >= SURE and not is_beyond_noise
        else "on the border of what chance does"
    )
    return (
        f"They differ on {differ:,} images. If each of these were a fair coin's throw, a division at least "
        f"so uneven would come up in {_percent(p)} of all tries: {verdict}."
    )


def _percent(p: float) -> str:
    return "fewer than 0.01 %" if p < 1e-4 else f"{100 * p:.2g} %" if p < 0.01 else f"{100 * p:.1f} %"
