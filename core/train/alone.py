"""Who trains a run: here one process, which has every batch for itself.

`core.train.distributed.group` is what stands in its place where several share each batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from torch import Tensor, nn


class ProcessLostError(Exception):
    """One of a run's processes has ended before the run did."""


class Alone:
    """One process.

    Attributes:
        processes: that train together.
        network: what the forward pass of training goes through.
    """

    processes = 1

    def __init__(self, model: nn.Module) -> None:
        self.network = model

    def rows(self, size: int) -> Tensor | None:
        """Which images of a batch of ``size`` are computed here; None: all."""
        return None

    def targets(self, targets: Tensor, size: int) -> Tensor:
        """Those of the images that count here, which are the first of those that are computed."""
        return targets

    def tell(self, message: Mapping[str, Any]) -> None:
        """Have the others do what this process does now."""

    def as_whole(self, size: int) -> AbstractContextManager[object]:
        """Inside, what a network draws or takes the mean of is of the whole batch of ``size`` images."""
        return nullcontext()

    def over_batch(self, loss: Tensor, logits: Tensor, targets: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """The mean loss of the whole batch, and how many of its images are named rightly; both have no
        dimension.

        Args:
            loss: the mean over the images that are computed here.
            logits, targets: of these. Of a mixed image the heaviest label counts.
        """
        labels = targets if targets.ndim == 1 else targets.argmax(1)
        return loss, (logits.argmax(1) == labels).sum()

    def to_minimise(self, loss: Tensor, size: int) -> Tensor:
        """What the gradient is taken of here, so that the gradient of all is that of the whole batch."""
        return loss

    def take_exchanged(self) -> int | None:
        """How many bytes this process has handed to the others since it was last asked; None: there are no
        others."""
        return None

    def judging(self) -> AbstractContextManager[object]:
        """Inside, this process works by itself, while the others wait: it has whole batches."""
        return nullcontext()
