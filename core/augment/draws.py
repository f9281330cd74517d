"""What was drawn for a batch, and how it reads."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import torch
from torch import Tensor

from core.augment.entry import Drawn, OpEntry, Values

# How many times its own memory a tensor takes while Kornia draws it: measured on 128 images of 3×256×256,
# 3 times for `RandomElasticTransform` and most others that draw for each pixel.
_WORKING = {"gaussian_noise": 2, "plasma": 24}
_WORKING_OTHERS = 3


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

    def take(self, rows: Tensor) -> OpDraws:
        """What was drawn for the images ``rows`` (M,) of the batch, as a batch of their own."""
        params = None if self.params is None else take_rows(self.params, rows)
        return OpDraws(self.entry, params, (self.key, tuple(rows.tolist())))

    @property
    def working_bytes(self) -> int:
        """How much memory drawing it takes at its peak, about."""
        return sum(
            value.untyped_storage().nbytes() * _WORKING.get(name, _WORKING_OTHERS)
            for name, value in (self.params or {}).items()
        )

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

    def take(self, rows: Tensor) -> Draws:
        """The draws for the images ``rows`` (M,) of the batch, as a batch of their own.

        A pipeline makes of those images what it makes of them in the whole batch, bit for bit, if there
        are two or more: on one thread, torch convolves a single image another way, to other last bits.
        """
        return Draws(len(rows), tuple(op.take(rows) for op in self.ops))

    def describe(self, i: int) -> list[DrawnOp]:
        """What each operation did to image ``i``, with units, from the very numbers that were drawn."""
        return [op.describe(i) for op in self.ops]


def take_rows(drawn: Drawn, rows: Tensor) -> dict[str, Tensor]:
    """What was drawn for the images ``rows`` (M,) of a batch, in Kornia's own form for a batch of M."""
    kept = {name: value if name in _of_all(drawn) else value[rows] for name, value in drawn.items()}
    if "forward_input_shape" in drawn:
        shape = drawn["forward_input_shape"].tolist()
        kept["forward_input_shape"] = torch.tensor([len(rows), *shape[1:]])
    if "batch_idx" in drawn:  # where in the batch each image is
        kept["batch_idx"] = torch.arange(len(rows)).unsqueeze(1)
    if "kind" in drawn and "in_company" not in drawn:  # a policy, and its draws for the whole batch
        alike = [(kinds == kinds[rows].unsqueeze(1)).sum(1) > 1 for kinds in drawn["kind"].T]
        kept["in_company"] = torch.stack(alike, 1)
    return kept


def _of_all(drawn: Drawn) -> tuple[str, ...]:
    """The names of what was drawn once for all images of a batch."""
    # A motion blur's kernel size is one for all: that of the image number ``idx``.
    blur = ("idx", "ksize_factor") if "ksize_factor" in drawn else ()
    return ("forward_input_shape", "image_shape", "order", *blur)
