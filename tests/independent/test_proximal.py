"""Zeros are λ's doing: counted by hand in the weights, and against solutions by NumPy and SciPy."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import nn
from torch.nn import functional as F

from core.catalogues import completed
from core.regularise.check import completed_regularisers
from core.regularise.regularisation import Regularisation
from core.run.spec import RegulariserSpec, parse
from core.train.session import epoch_order, open_session
from core.train.step import train_step

KINDS = ("l1", "elastic_net", "group_lasso")
ADAPTIVE = {
    "adam": lambda p: torch.optim.Adam(p, 0.01),
    "adam fused": lambda p: torch.optim.Adam(p, 0.01, fused=True),
    "adamw foreach": lambda p: torch.optim.AdamW(p, 0.01, weight_decay=0.0, foreach=True),
    "rmsprop": lambda p: torch.optim.RMSprop(p, 0.001, foreach=True),
}


def zero_units(model):
    """Rows of matrices and filters of convolutions all of whose weights are 0.0."""
    weights = [w for name, w in model.named_parameters() if name.endswith("weight") and w.ndim > 1]
    return sum(int((w.flatten(1) == 0).all(1).sum()) for w in weights)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("optimiser", ["adam", "adamw", "rmsprop"])
@pytest.mark.parametrize("strength", [1e-6, 1e-4])
def test_a_strength_up_to_the_default_kills_no_unit_in_the_first_step(optimiser, kind, strength):
    """The default network and rate; some hundred units are silent on the first batch."""
    spec = completed(
        parse(
            {
                "data": {"train_images": 500},
                "optimiser": {"kind": optimiser},
                "regularisers": [{"kind": kind, "strength": strength, "solver": "proximal"}],
            }
        )
    )
    session = open_session(spec)
    assert zero_units(session.model) == 0
    images, labels = session.batch(epoch_order(spec, 500, 1)[:128], 0)
    train_step(session, images, labels, 0)
    matrices = [w for w in session.model.parameters() if w.ndim == 2]
    assert sum(int((w.grad == 0).all(1).sum()) for w in matrices) > 50  # silent
    assert zero_units(session.model) == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("optimiser", ADAPTIVE)
def test_a_unit_that_is_silent_at_first_lives_to_fire(optimiser, kind):
    """The first batch lights only the first pixel, which the second unit does not look at."""
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1, bias=False))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[1.0, 0.3], [-0.8, 0.9]]))
        model[0].bias.zero_()
        model[2].weight.fill_(0.7)
    before = model[0].weight.detach().clone()
    step = trainer(model, ADAPTIVE[optimiser], RegulariserSpec(kind=kind, strength=1e-5, solver="proximal"))
    step(torch.tensor([[1.0, 0.0]]))
    assert (model[0].weight.grad[1] == 0).all()  # silent: relu(-0.8) = 0
    assert (model[0].weight[1] - before[1]).abs().max() < 0.05
    step(torch.tensor([[0.0, 1.0]]))
    assert (model[0].weight.grad[1] != 0).any() and (model[0].weight[1] != 0).all()


def trainer(model, optimiser, spec):
    regularisation = Regularisation(completed_regularisers([spec]), model)
    made = optimiser(model.parameters())
    count = 0

    def step(x):
        nonlocal count
        made.zero_grad()
        (model(x) - 3).square().mean().backward()
        regularisation.step(made, float(count))
        count += 1

    return step


def floored(squares, floor=0.03):
    """The definition again: no root below 3 % of its tensor's mean root."""
    roots = np.sqrt(squares)
    return np.maximum(roots, floor * roots.mean())


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_is_the_minimum_in_the_optimisers_metric(kind):
    """One step of Adam from given averages. SciPy minimises λ·penalty + Σ d/2·(w − moved)², with d = 1/s."""
    rng = np.random.default_rng(0)
    weight, gradient = rng.normal(size=(3, 4)), rng.normal(size=(3, 4)) * 0.1
    gradient[1] = 0  # a silent unit
    strength, rate, eps = 0.02, 0.01, 1e-8
    model = nn.Linear(4, 3, bias=False).double()
    with torch.no_grad():
        model.weight.copy_(torch.from_numpy(weight))
    spec = RegulariserSpec(kind=kind, strength=strength, solver="proximal")
    regularisation = Regularisation(completed_regularisers([spec]), model)
    optimiser = torch.optim.Adam(model.parameters(), rate)
    model.weight.grad = torch.from_numpy(gradient)
    regularisation.step(optimiser, 0.0)

    moved = weight - rate * gradient / (np.abs(gradient) + eps)  # Adam's first step: m̂/(√v̂ + ε) = g/|g|
    inverse = (floored(gradient**2) + eps) / rate

    def penalty(w):
        if kind == "l1":
            return np.abs(w).sum()
        if kind == "elastic_net":
            return 0.5 * np.abs(w).sum() + 0.25 * np.square(w).sum()
        return math.sqrt(4) * np.sqrt(np.square(w).sum(1)).sum()

    def objective(parts):
        w = (parts[:12] - parts[12:]).reshape(3, 4)  # w = u − v with u, v ≥ 0
        return strength * penalty(w) + (inverse / 2 * np.square(w - moved)).sum()

    start = np.concatenate([moved.ravel().clip(0), (-moved.ravel()).clip(0)])
    best = minimize(
        objective, start, method="L-BFGS-B", bounds=[(0, None)] * 24, options={"ftol": 1e-16, "gtol": 1e-12}
    )
    found = model.weight.detach().numpy()
    mine = objective(np.concatenate([found.ravel().clip(0), (-found.ravel()).clip(0)]))
    assert mine <= best.fun + 1e-9 * abs(best.fun)
    np.testing.assert_allclose(found, (best.x[:12] - best.x[12:]).reshape(3, 4), atol=2e-3)


def test_full_batches_find_the_lassos_support_and_objective():
    """Multinomial logistic regression on scikit-learn's digits, against FISTA in NumPy."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    x = digits.data[:600] / 16
    y = digits.target[:600]
    strength = 5e-3
    onehot = np.eye(10)[y]

    def loss_and_slope(w):
        logits = x @ w.T
        logits -= logits.max(1, keepdims=True)
        log = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        return -(log * onehot).sum(1).mean(), (np.exp(log) - onehot).T @ x / len(x)

    w = z = np.zeros((10, 64))
    rate, t = 1 / (0.5 * np.linalg.norm(x, 2) ** 2 / len(x)), 1.0
    for _ in range(3000):
        moved = z - rate * loss_and_slope(z)[1]
        new = np.sign(moved) * np.maximum(np.abs(moved) - rate * strength, 0)
        t, before = (1 + math.sqrt(1 + 4 * t * t)) / 2, t
        z, w = new + (before - 1) / t * (new - w), new
    least = loss_and_slope(w)[0] + strength * np.abs(w).sum()

    torch.manual_seed(0)
    model = nn.Linear(64, 10, bias=False).double()
    regularisation = Regularisation(
        completed_regularisers([RegulariserSpec(kind="l1", strength=strength, solver="proximal")]), model
    )
    optimiser = torch.optim.Adam(model.parameters(), 0.05, foreach=True)
    images, labels = torch.from_numpy(x), torch.from_numpy(y)
    steps = 1500
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = 0.05 * (0.5 + 0.5 * math.cos(math.pi * step / steps))
        optimiser.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        regularisation.step(optimiser, float(step))
    found = model.weight.detach().numpy()
    assert loss_and_slope(found)[0] + strength * np.abs(found).sum() == pytest.approx(least, rel=5e-4)
    assert np.mean((found == 0) == (w == 0)) > 0.97
