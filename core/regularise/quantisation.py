"""Training with quantised weights: the network is used with weights of few bits, and trained by the gradients
that it has there, straight through the rounding (Bengio, Léonard & Courville 2013, arXiv 1308.3432).

The real weights are kept aside (Courbariaux et al. 2015, arXiv 1511.00363): they take the optimiser's small
steps, which a grid would swallow. They are what a checkpoint holds; what is judged and kept is quantised.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.optim import Optimizer

from core.layers.quantise import quantised
from core.regularise.regulariser import Regulariser


class Quantisation(Regulariser):
    """Weights on the grid of ``bits`` for each forward and backward pass, and when the network is judged."""

    real: list[Tensor] | None = None

    def begin_step(self, seed: int, step: int) -> None:
        self.real = [weight.detach().clone() for weight in self.weights]
        self._put_on_grid()

    def before_step(self, optimiser: Optimizer, strength: float) -> None:
        assert self.real is not None
        self._put(self.real)
        self.real = None

    @contextmanager
    def averaged(self) -> Iterator[bool]:
        """The network was trained with these weights, so what norm layers know of it still fits."""
        before = [weight.detach().clone() for weight in self.weights]
        self._put_on_grid()
        try:
            yield False
        finally:
            self._put(before)

    @torch.no_grad()
    def _put_on_grid(self) -> None:
        settings = {"by": self.params["by"], "symmetric": self.params["symmetric"]}
        for weight in self.weights:
            weight.copy_(quantised(weight, self.params["bits"], ends_at=self.params["ends_at"], **settings))

    @torch.no_grad()
    def _put(self, values: list[Tensor]) -> None:
        for weight, value in zip(self.weights, values, strict=True):
            weight.copy_(value)
