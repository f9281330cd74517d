"""Averages of the weights, kept beside those that train: what is evaluated and saved is the average.

Each average is a running one, ``w̄ ← w̄ + share·(w - w̄)``, of all parameters: biases and norm layers too,
for they belong to the weights they were trained with. The training itself is not touched, to the last
bit. Statistics that norm layers keep of their inputs are not averaged: those of the averaged network
are other numbers altogether, so the engine takes them anew (Izmailov et al. 2018, section 3.2).

An average is exactly zero only where every averaged value was: proximal zeros that came late are lost in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from core.regularise.regulariser import Regulariser


class Average(Regulariser):
    """A running mean of the parameters; a kind says when to take them in, and with what share.

    Args:
        model: with all its parameters, those that other regularisers have given it too.
    """

    def __init__(self, model: nn.Module, params: Mapping[str, Any]) -> None:
        super().__init__(model, params)
        self.trained: list[Tensor] = list(model.parameters())
        self.averages = [torch.zeros_like(parameter) for parameter in self.trained]
        self.count = 0  # how many times the parameters have been taken in

    @torch.no_grad()
    def take_in(self, share: float) -> None:
        """Move the average by ``share`` in (0, 1] of the way to the parameters as they are now."""
        torch._foreach_lerp_(self.averages, self.trained, share)

    @contextmanager
    def averaged(self) -> Iterator[bool]:
        """Inside, the network has the average as its parameters, if there is one yet."""
        if not self.count:
            yield False
            return
        # Copied, not swapped: optimisers and cuDNN's flat weights know parameters by their place in memory.
        before = [parameter.detach().clone() for parameter in self.trained]
        self._fill(self.averages)
        try:
            yield True
        finally:
            self._fill(before)

    def state(self) -> dict[str, Tensor]:
        averages = {f"average.{i}": average for i, average in enumerate(self.averages)}
        return {"count": torch.tensor(self.count), **averages}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        self.count = int(state["count"])
        for i, average in enumerate(self.averages):
            average.copy_(state[f"average.{i}"])

    @torch.no_grad()
    def _fill(self, values: list[Tensor]) -> None:
        torch._foreach_copy_(self.trained, values)


class ExponentialAverage(Average):
    """EMA: after each step, ``w̄_t = Σ_s d^(t-s)·w_s / Σ_s d^(t-s)`` with ``d`` the decay.

    A mean over about the last ``1/(1 - d)`` steps, in the spirit of Polyak & Juditsky 1992. The division
    makes it a true mean from the first step on, as in Adam (Kingma & Ba 2014, section 3); without it the
    average would hang on to where it began for as many steps.
    """

    def after_step(self, optimiser: Optimizer, strength: float) -> None:
        decay = self.params["decay"]
        self.count += 1
        self.take_in((1 - decay) / (1 - decay**self.count))


class StochasticWeightAverage(Average):
    """SWA (Izmailov et al. 2018, arXiv 1803.05407, algorithm 1): the plain mean of the weights at the ends
    of epochs, from ``start`` on, a share of the run's epochs."""

    def epoch_trained(self, share: float) -> None:
        if share >= self.params["start"]:
            self.count += 1
            self.take_in(1 / self.count)
