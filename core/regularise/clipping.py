"""Gradient clipping by norm (Pascanu, Mikolov & Bengio 2013, arXiv 1211.5063, algorithm 1).

**With a proximal step.** Clipping makes ``κ·g`` of a gradient g, with κ in [0, 1]. A proximal step of full
length would then pull harder than the loss, and weights would rest where ``κ·|g| = λ``. What an optimiser
follows is a mean of the ``κ·g`` of its last steps; of a constant g that is ``κ̄·g``, with κ̄ the same mean
of the κ's. So the step for each unit of the unclipped gradient is ``κ̄·s``. Adam and RMSprop divide by the
root mean square of ``κ·g``, which is in their s already. A proximal step holds λ and s as a product alone, so
it is given ``κ̄·λ``, and rests where ``|g| = λ`` again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from core.regularise.regulariser import Regulariser
from core.regularise.step_sizes import mean_followed


class GradientClipping(Regulariser):
    """If the norm of the gradients of all that is trained, taken together, is above ``norm``, they are scaled
    to it, by torch's own function."""

    def __init__(self, model: nn.Module, params: Mapping[str, Any]) -> None:
        super().__init__(model, params)
        device = self.weights[0].device
        self.steps = self.taken = 0  # of this epoch; since the run began
        self.clipped = torch.zeros((), dtype=torch.int64, device=device)  # steps of this epoch
        self.lost = torch.zeros((), dtype=torch.float64, device=device)  # 1 - κ, in the optimiser's mean
        self.ahead = torch.zeros((), dtype=torch.float64, device=device)  # and as far as that looks ahead

    @torch.no_grad()
    def before_step(self, optimiser: Optimizer, strength: float) -> None:
        weights = [weight for group in optimiser.param_groups for weight in group["params"]]
        norm = torch.nn.utils.clip_grad_norm_(weights, self.params["norm"])
        lost = 1 - (self.params["norm"] / (norm.double() + 1e-6)).clamp(max=1.0)
        self.steps += 1
        self.taken += 1
        self.clipped += lost > 0
        keeps, looks_ahead = mean_followed(optimiser)
        self.lost.lerp_(lost, (1 - keeps) / (1 - keeps**self.taken))
        self.ahead.copy_(torch.lerp(lost, self.lost, keeps) if looks_ahead else self.lost)

    def followed(self) -> float:
        return 1 - float(self.ahead)  # on a GPU this waits

    def acted(self) -> float | None:
        share = int(self.clipped) / self.steps if self.steps else None
        self.steps = 0
        self.clipped.zero_()
        return share

    def state(self) -> dict[str, Tensor]:
        counts = {"steps": torch.tensor(self.steps), "taken": torch.tensor(self.taken)}
        return {**counts, "clipped": self.clipped, "lost": self.lost, "ahead": self.ahead}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        self.steps, self.taken = int(state["steps"]), int(state["taken"])
        self.clipped.copy_(state["clipped"])
        self.lost.copy_(state["lost"])
        self.ahead.copy_(state["ahead"])
