"""What L1, L2 and elastic net do to one weight that the data does not pull at.

Drawn by the proximal operators and the step sizes that training uses, in NumPy; the tests compare them with
training's own. L2, which training follows by its gradient, is drawn by its proximal operator too: to first
order that is the same. Left out are the noise of the data's gradients, and momentum, which spreads each pull
over several steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.figures.parts import NEUTRAL, PENALTIES, PENALTY, SPARSITY, Figure, line, plain_layout
from core.optimise.catalogue import OPTIMISERS
from core.run.spec import OptimiserSpec

Weights = np.ndarray[tuple[int], np.dtype[np.float64]]

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
    assert optimiser.lr is not None
    size = OPTIMISERS[optimiser.kind].step_size(optimiser.params, optimiser.lr, USUAL_GRADIENT)
    return Pull(strength, size, steps)


def soft_threshold(weights: Weights, threshold: float) -> Weights:
    """``sign(w)·max(|w| - t, 0)``: the proximal operator of ``t·|w|``."""
    return np.sign(weights) * np.maximum(np.abs(weights) - threshold, 0.0)


def shrinkage_curves(size: float = 0.3) -> Figure:
    """What one step of strength ``size`` makes of a weight, against the weight before it."""
    before = np.linspace(-1, 1, 201)
    elastic = soft_threshold(before, size / 2) / (1 + size / 2)
    return _before_and_after(before, before / (1 + size), elastic, soft_threshold(before, size))


def after_the_run(pulled: Pull, l1_ratio: float = 0.5) -> Figure:
    """What a whole run makes of a weight that the data leaves alone, against the weight before it.

    The x-axis spans what matters: three times the largest weight that L1 brings to zero, at most 1.
    """
    reach = min(max(3 * pulled.a_run, 1e-9), 1.0)
    before = np.linspace(-reach, reach, 201)
    lasso = soft_threshold(before, pulled.a_run)
    ridge = before * (1 + pulled.a_step) ** -pulled.steps
    # Its steps in closed form: w ← (w − a)/(1 + b), n times, with a and b its two shares of a step.
    a, b = l1_ratio * pulled.a_step, (1 - l1_ratio) * pulled.a_step
    kept = (1 + b) ** -pulled.steps
    taken = a * (1 - kept) / b if b else a * pulled.steps
    elastic = soft_threshold(before * kept, taken)
    return _before_and_after(before, ridge, elastic, lasso)


def _before_and_after(before: Weights, ridge: Weights, elastic: Weights, lasso: Weights) -> Figure:
    curves = (
        ("no regulariser", before, NEUTRAL, "dot"),
        ("L2", ridge, PENALTIES[1], "solid"),
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
    proximal = [2.4 * a_step]
    for _ in range(NEAR_ZERO_STEPS):
        w = penalty[-1]
        penalty.append(w - a_step * ((w > 0) - (w < 0)))
        proximal.append(max(proximal[-1] - a_step, 0.0))
    steps = list(range(NEAR_ZERO_STEPS + 1))
    traces = [
        line("penalty", steps, penalty, PENALTY, markers=True, hovertemplate="%{y:.3g}"),
        line("proximal", steps, proximal, SPARSITY, markers=True),
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
