"""How strongly one batch acts on each layer: the norm of its gradient, and how far it moves its weights.

The update-to-weight ratio ‖Δw‖₂ / ‖w‖₂ is about 1e-3 where training goes well: far less, and a layer hardly
learns; far more, and it forgets at each step what it had learnt (Karpathy, CS231n notes, "Ratio of weights:
updates"). The range that is called usual here is a rule of thumb, not a law.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.linalg import vector_norm

from core.run.figures import Flow


class FlowMeter:
    """Watches one step of training: made before it, asked after it.

    Args:
        layers: the weights of each layer, by its name. A copy of them is kept.
    """

    def __init__(self, layers: Mapping[str, Sequence[Tensor]]) -> None:
        self._layers = layers
        self._before = {name: [part.detach().clone() for part in parts] for name, parts in layers.items()}

    @torch.no_grad()
    def measure(self) -> Flow:
        """What the step did, with all that moved the weights in it: the optimiser, decay, proximal steps."""
        sums = [_squares(parts, self._before[name]) for name, parts in self._layers.items()]
        if not sums:
            return {"gradient": {}, "update": {}}
        found = torch.stack(sums).sqrt().tolist()  # one wait for the device
        layers = dict(zip(self._layers, found, strict=True))
        return {
            "gradient": {name: _finite(gradient) for name, (gradient, _, _) in layers.items()},
            "update": {
                name: _finite(moved / weights if weights else math.nan)
                for name, (_, moved, weights) in layers.items()
            },
        }


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _squares(parts: Sequence[Tensor], before: Sequence[Tensor]) -> Tensor:
    """(3,) float64: the sums of squares of a layer's gradients, of its moves, and of its weights before."""
    found = torch.zeros(3, dtype=torch.float64, device=parts[0].device)
    for now, then in zip(parts, before, strict=True):
        gradient = now.new_zeros(()) if now.grad is None else now.grad
        norms = [vector_norm(each).double() for each in (gradient, now - then, then)]
        found += torch.stack(norms).square()
    return found
