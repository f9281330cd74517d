"""What L1, L2 and elastic net do to one weight that the data does not pull at.

Drawn by the proximal operators and the step sizes that training uses; L2, which training follows by its
gradient, by its proximal operator too, which to first order is the same. What is left out: the noise of the
data's gradients, and momentum, which spreads each pull over several steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.figures.parts import NEUTRAL, PENALTY, SPARSITY, TRAIN, VALIDATION, Figure, line, plain_layout
from core.optimise.catalogue import build_optimiser
from core.regularise.shrinkage import elastic_net_, soft_threshold_
from core.regularise.step_sizes import step_sizes
from core.run.spec import OptimiserSpec

# Adam and RMSprop divide a step by the size that a weight's gradient usually has, so what a regulariser
# does to it depends on that: 0.01 is a typical one in the first epochs of the default network.
USUAL_GRADIENT = 0.01
NEAR_ZERO_STEPS = 12  # how many are shown of each solver, close to zero


@dataclass(frozen=True, slots=True)
class Pull:
    """How hard a run's settings pull at one weight that the data leaves alone.

    Args:
        size: a step's for a gradient of 1, so ``size * strength`` is the way one step takes a weight
            under L1.
        steps: of the run.
    """

    strength: float
    size: float
    steps: int

    @property
    def a_step(self) -> float:
        return self.size * self.strength

    @property
    def a_run(self) -> float:
        """The largest weight that L1 brings to zero within the run."""
        return self.a_step * self.steps


def pull(strength: float, optimiser: OptimiserSpec, steps: int) -> Pull:
    """At strength λ, under a completed optimiser at its full learning rate, over ``steps`` steps."""
    weight = torch.zeros(1, requires_grad=True)
    built = build_optimiser(optimiser, [weight], [])
    weight.grad = torch.full_like(weight, USUAL_GRADIENT)
    built.step()
    if "square_avg" in (state := built.state[weight]):  # RMSprop's mean starts at 0: let it settle
        state["square_avg"].fill_(USUAL_GRADIENT**2)
    size = step_sizes(built, [weight])
    return Pull(strength, size if isinstance(size, float) else float(size[0]), steps)


def shrinkage_curves(size: float = 0.3) -> Figure:
    """What one step of strength ``size`` makes of a weight, against the weight before it."""
    before = torch.linspace(-1, 1, 201)
    lasso, elastic = before.clone(), before.clone()
    soft_threshold_([lasso], size)
    elastic_net_([elastic], size, 1.0, 0.5)
    return _before_and_after(before, before / (1 + size), elastic, lasso)


def after_the_run(pulled: Pull, l1_ratio: float = 0.5) -> Figure:
    """What a whole run makes of a weight that the data leaves alone, against the weight before it.

    The x-axis spans what matters: three times the largest weight that L1 brings to zero, at most 1.
    """
    reach = min(max(3 * pulled.a_run, 1e-9), 1.0)
    before = torch.linspace(-reach, reach, 201, dtype=torch.float64)
    lasso = before.clone()
    soft_threshold_([lasso], pulled.a_run)
    ridge = before * (1 + pulled.a_step) ** -pulled.steps
    # Its steps in closed form: w ← (w − a)/(1 + b), n times, with a and b its two shares of a step.
    a, b = l1_ratio * pulled.a_step, (1 - l1_ratio) * pulled.a_step
    kept = (1 + b) ** -pulled.steps
    taken = a * (1 - kept) / b if b else a * pulled.steps
    elastic = before.sign() * (before.abs() * kept - taken).clamp_min(0)
    return _before_and_after(before, ridge, elastic, lasso)


def _before_and_after(before: Tensor, ridge: Tensor, elastic: Tensor, lasso: Tensor) -> Figure:
    curves = (
        ("no regulariser", before, TRAIN, "dot"),
        ("L2", ridge, VALIDATION, "solid"),
        ("elastic net", elastic, PENALTY, "solid"),
        ("L1", lasso, SPARSITY, "solid"),
    )
    traces = [
        line(name, before.tolist(), after.tolist(), colour, dash=dash) for name, after, colour, dash in curves
    ]
    layout = plain_layout("weight after")
    layout["xaxis"] |= {"title": {"text": "weight before"}}
    return {"data": traces, "layout": layout}


def near_zero(pulled: Pull) -> Figure:
    """One weight close to zero, step by step, under L1: the ``penalty`` solver hops over 0 for ever, the
    ``proximal`` one is at 0 and stays there."""
    a_step = pulled.a_step
    penalty = [2.4 * a_step]
    proximal = [torch.tensor([2.4 * a_step], dtype=torch.float64)]
    for _ in range(NEAR_ZERO_STEPS):
        w = penalty[-1]
        penalty.append(w - a_step * ((w > 0) - (w < 0)))
        stepped = proximal[-1].clone()
        soft_threshold_([stepped], a_step)
        proximal.append(stepped)
    steps = list(range(NEAR_ZERO_STEPS + 1))
    traces = [
        line("penalty", steps, penalty, VALIDATION, markers=True, hovertemplate="%{y:.3g}"),
        line("proximal", steps, [float(w) for w in proximal], SPARSITY, markers=True),
    ]
    layout = plain_layout("weight")
    layout["xaxis"] |= {"title": {"text": "step"}, "dtick": 2}
    layout["yaxis"] |= {"exponentformat": "e", "automargin": True}
    layout["shapes"] = [
        {
            "type": "line",
            "xref": "paper",
            "x0": 0,
            "x1": 1,
            "y0": 0,
            "y1": 0,
            "line": {"color": NEUTRAL, "width": 1},
        }
    ]
    return {"data": traces, "layout": layout}
