"""Which images of a batch a process computes, and how much they count."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

LEAST = 2  # images that a process computes


@dataclass(frozen=True, slots=True)
class Share:
    """The part of process ``rank``, from 0, of ``processes``: images that stand side by side in the batch, as
    many as the others have, or one more or less."""

    rank: int
    processes: int

    def bounds(self, size: int) -> tuple[int, int]:
        """The first place in a batch of ``size`` images, and the one behind the last; equal: it has none."""
        return size * self.rank // self.processes, size * (self.rank + 1) // self.processes

    def count(self, size: int) -> int:
        """How many images of the batch are this process's."""
        first, end = self.bounds(size)
        return end - first

    def rows(self, size: int) -> Tensor:
        """The places (M,) that are computed: its own, and if these are fewer than two, as may be in the last
        batch of an epoch, others for company, which come last and count nothing. All processes must take part
        in an exchange, a network needs an image, and a single one doesn't say how a batch lies in memory."""
        first, end = self.bounds(size)
        own = torch.arange(first, end)
        others = torch.cat([torch.arange(first), torch.arange(end, size)])
        return torch.cat([own, others[: max(0, LEAST - len(own))]])

    def weight(self, size: int) -> float:
        """By what the mean loss of these images is multiplied, so that the mean over all processes is the
        mean over all images; 1 where all have as many."""
        return self.count(size) * self.processes / size
