"""L0 by hard concrete gates: Louizos, Welling & Kingma 2018, Learning sparse neural networks through L0
regularization, arXiv 1712.01312.

Every weight, or every group of weights, is multiplied by a gate ``z`` in [0, 1] that training opens and
shuts. In each step the gate is drawn anew (equations 10 and 11, with ``u`` uniform on (0, 1)):

    s = sigmoid((log u - log(1 - u) + log α)/β),    z = min(1, max(0, s·(ζ - γ) + γ))

so that z is exactly 0 or 1 with some probability, and yet has a derivative by log α in between. The
probability that it is not 0 is ``sigmoid(log α - β·log(-γ/ζ))`` (equation 12), which is the penalty. What is
evaluated, measured and saved has the gates without noise, ``z = min(1, max(0, sigmoid(log α)·(ζ - γ) + γ))``
(equation 13): exactly 0 below log α = -2.4.

The network itself knows nothing of it. Its parameters are the gated weights θ·z at all times but in the
optimiser's step, when they are θ; the chain rule from one to the other is two lines, in `before_step`.
So the saved weights are plain ones, and anything that has weights can be gated, recurrent layers too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from core.layers.groups import Part, weight_groups
from core.randomness import derive, private_draws
from core.regularise.regulariser import Regulariser

BETA, GAMMA, ZETA = 2 / 3, -0.1, 1.1
START = 2.0  # log α at first: z = 0.96, nearly the network as it was initialised
# Gates are trained as log α / SPEED. Adam moves a number by about the learning rate a step, and from 2 to
# -2.4 at 1e-3 that would be 4,400 steps: many more than a lesson has. So it is 440.
SPEED = 10.0


@dataclass(frozen=True, slots=True)
class Singles(Part):
    """A parameter of which each number is a group by itself."""

    def rows(self, values: Tensor) -> Tensor:
        return values.reshape(-1, 1)

    def spread(self, column: Tensor) -> Tensor:
        return column.view(self.parameter.shape)


class Gates:
    """A gate for each group of one layer. ``z`` and ``slope``, its derivative by
    log α, are as last drawn.

    Args:
        parts: the weights behind the gates.
        size: weights behind each gate.
    """

    def __init__(self, parts: Sequence[Part], num_gates: int, size: int) -> None:
        self.parts, self.size = parts, size
        self.raw = nn.Parameter(parts[0].parameter.new_full((num_gates, 1), START / SPEED))
        self.under = [part.parameter.detach().clone() for part in parts]  # θ
        self.z = self.slope = torch.ones_like(self.raw)

    def probability(self) -> Tensor:
        """That a gate is not shut (num_gates, 1), by equation 12; differentiable."""
        return torch.sigmoid(SPEED * self.raw - BETA * math.log(-GAMMA / ZETA))

    def draw(self) -> None:
        """Equations 10 and 11, with torch's global generator."""
        s = torch.sigmoid((torch.rand_like(self.raw).logit() + SPEED * self.raw) / BETA)
        stretched = s * (ZETA - GAMMA) + GAMMA
        self.z = stretched.clamp(0, 1)
        between = (stretched > 0) & (stretched < 1)
        self.slope = between * s * (1 - s) * ((ZETA - GAMMA) / BETA)

    def settle(self) -> None:
        """Equation 13: the gates without noise."""
        self.z = (torch.sigmoid(SPEED * self.raw) * (ZETA - GAMMA) + GAMMA).clamp(0, 1)

    def apply(self) -> None:
        """The network's weights become θ·z."""
        for part, under in zip(self.parts, self.under, strict=True):
            torch.mul(under, part.spread(self.z), out=part.parameter)

    def backward(self) -> None:
        """From the gradient of θ·z to those of θ and log α; the network's weights become θ."""
        by_z = torch.zeros_like(self.raw)
        for part, under in zip(self.parts, self.under, strict=True):
            gradient = part.parameter.grad
            assert gradient is not None
            by_z += part.rows(gradient * under).sum(dim=1, keepdim=True)
            gradient.mul_(part.spread(self.z))
            part.parameter.copy_(under)
        assert self.raw.grad is not None  # the penalty's
        self.raw.grad += SPEED * self.slope * by_z

    def take(self) -> None:
        """The network's weights, as they are, are θ."""
        for part, under in zip(self.parts, self.under, strict=True):
            under.copy_(part.parameter)


class L0(Regulariser):
    """The expected share of the weights whose gate is not shut, in [0, 1]: λ is what a network that is
    open throughout costs, in nats. (The paper's λ is that times the number of images, over that of weights.)

    With ``gates`` = ``groups`` there is a gate for each filter, neuron or head (and none for the
    classifier), else one for each weight.
    """

    def __init__(self, model: nn.Module, params: Mapping[str, Any]) -> None:
        super().__init__(model, params)
        if params["gates"] == "groups":
            self.gates = [
                Gates(groups.parts, len(groups.rows()), groups.size) for groups in weight_groups(model)
            ]
        else:
            self.gates = [Gates([Singles(weight)], weight.numel(), 1) for weight in self.weights]
        self.next_step = -1

    def own_parameters(self) -> Iterable[nn.Parameter]:
        return [gates.raw for gates in self.gates]

    def penalty(self) -> Tensor:
        shares = [gates.size * gates.probability().sum() for gates in self.gates]
        return torch.stack(shares).sum() / sum(gates.size * len(gates.raw) for gates in self.gates)

    @torch.no_grad()
    def begin_step(self, seed: int, step: int) -> None:
        if step != self.next_step:  # the first with a strength above 0: until now the weights had no gates
            for gates in self.gates:
                gates.take()
        self.next_step = step + 1
        with private_draws(derive(seed, "l0", step), self.weights[0].device):
            for gates in self.gates:
                gates.draw()
        for gates in self.gates:
            gates.apply()

    @torch.no_grad()
    def before_step(self, optimiser: Optimizer, strength: float) -> None:
        for gates in self.gates:
            gates.backward()

    @torch.no_grad()
    def after_step(self, optimiser: Optimizer, strength: float) -> None:
        for gates in self.gates:
            gates.take()
            gates.settle()
            gates.apply()

    def state(self) -> dict[str, Tensor]:
        state = {"next_step": torch.tensor(self.next_step)}
        for i, gates in enumerate(self.gates):
            state[f"{i}.raw"] = gates.raw.detach()
            state |= {f"{i}.under.{j}": under for j, under in enumerate(gates.under)}
        return state

    @torch.no_grad()
    def load_state(self, state: Mapping[str, Tensor]) -> None:
        self.next_step = int(state["next_step"])
        for i, gates in enumerate(self.gates):
            gates.raw.copy_(state[f"{i}.raw"])
            for j, under in enumerate(gates.under):
                under.copy_(state[f"{i}.under.{j}"])
