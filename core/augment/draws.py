"""What was drawn for a batch, and how it reads."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.augment.entry import OpEntry, Values

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class DrawnOp:
    """What one operation did to one image: its title, whether it ran, and with which values."""

    title: str
    fired: bool
    values: Values


@dataclass(frozen=True, slots=True)
class OpDraws:
    """What Kornia drew for one operation and a whole batch; None if it was not among the chosen.

    ``key`` is all that it follows from: equal keys, equal numbers.
    """

    entry: OpEntry
    params: dict[str, Tensor] | None
    key: Hashable = None

    def fired(self, i: int) -> bool:
        """Whether the operation ran on image ``i``."""
        return self.params is not None and bool(self.params["batch_prob"][i] > 0.5)

    def describe(self, i: int) -> DrawnOp:
        """What it did to image ``i``; no values if it did not run."""
        if self.params is None or not self.fired(i):
            return DrawnOp(self.entry.title, False, ())
        return DrawnOp(self.entry.title, True, self.entry.describe(self.params, i))


@dataclass(frozen=True, slots=True)
class Draws:
    """The draws of every operation that is switched on, in the order they run."""

    batch_size: int
    ops: tuple[OpDraws, ...]

    def describe(self, i: int) -> list[DrawnOp]:
        """What each operation did to image ``i``, with units, from the very numbers that were drawn."""
        return [op.describe(i) for op in self.ops]
