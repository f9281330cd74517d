"""What runs that differ by chance alone have in common: the lowest and the highest after each epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Band = tuple[tuple[int, float, float], ...]  # epoch, lowest, highest


def band(runs: Sequence[Mapping[int, float]]) -> Band:
    """Over the epochs that at least two of ``runs`` have, in order."""
    epochs = sorted({epoch for run in runs for epoch in run})
    found = []
    for epoch in epochs:
        values = [run[epoch] for run in runs if epoch in run]
        if len(values) > 1:
            found.append((epoch, min(values), max(values)))
    return tuple(found)
