"""Which classes a network takes for which, counted from its answers; without torch, for pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Confusion(NamedTuple):
    """So many images of class ``label`` were taken for ``answer``, both indices of classes."""

    label: int
    answer: int
    images: int


def matrix(labels: Sequence[int], answers: Sequence[int], classes: int) -> list[list[int]]:
    """How many images of each class (a row) were named what (a column)."""
    counts = [[0] * classes for _ in range(classes)]
    for label, answer in zip(labels, answers, strict=True):
        counts[label][answer] += 1
    return counts


def confusions(labels: Sequence[int], answers: Sequence[int]) -> list[Confusion]:
    """Every pair of classes that were mistaken, the most frequent first."""
    return _most_frequent(Counter((a, b) for a, b in zip(labels, answers, strict=True) if a != b))


def confusions_of(counts: Sequence[Sequence[int]]) -> list[Confusion]:
    """The same of a `matrix`."""
    cells = {(a, b): count for a, row in enumerate(counts) for b, count in enumerate(row)}
    return _most_frequent({pair: count for pair, count in cells.items() if count and pair[0] != pair[1]})


def _most_frequent(found: Mapping[tuple[int, int], int]) -> list[Confusion]:
    return [
        Confusion(*pair, count) for pair, count in sorted(found.items(), key=lambda each: (-each[1], each[0]))
    ]


def mistakes(
    labels: Sequence[int],
    answers: Sequence[int],
    confidence: Sequence[float],
    pair: tuple[int, int] | None = None,
) -> list[int]:
    """The entries that are wrong, those that the network was surest of first; of one cell of the matrix, the
    right ones of a class too, if ``pair``, a label and an answer, is given."""
    wanted = [
        i
        for i, (label, answer) in enumerate(zip(labels, answers, strict=True))
        if ((label, answer) == pair if pair else label != answer)
    ]
    return sorted(wanted, key=lambda i: -confidence[i])
