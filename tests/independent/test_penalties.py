"""Convex problems whose minimum scikit-learn knows: our solvers must rest at the same point."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression
from torch import nn
from torch.nn import functional as F

from core.regularise.check import completed_regularisers
from core.regularise.regularisation import Regularisation
from core.run.spec import RegulariserSpec

STRENGTH = 0.15
OPTIMISERS = {
    "sgd": lambda p: torch.optim.SGD(p, 0.2, fused=True),
    "sgd momentum": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, fused=True),
    "sgd nesterov": lambda p: torch.optim.SGD(p, 0.05, momentum=0.9, nesterov=True, fused=True),
    "adam": lambda p: torch.optim.Adam(p, 0.05, fused=True),
    "adamw": lambda p: torch.optim.AdamW(p, 0.05, weight_decay=0.0, fused=True),
    "rmsprop": lambda p: torch.optim.RMSprop(p, 0.02, foreach=True),
    "rmsprop momentum": lambda p: torch.optim.RMSprop(p, 0.005, momentum=0.9, foreach=True),
}


def problem():
    """80 rows of 14 features, neighbours correlated, five of which matter, and noise."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(80, 14))
    x[:, 1:] += 0.6 * x[:, :-1]
    truth = np.array([1.5, 0, 0, -2, 0, 0.7, 0, 0, 0, 0.4, 0, 0, -0.1, 0])
    return x, x @ truth + 0.5 * rng.normal(size=80)


def fitted(optimiser, *specs, steps=1000):
    """The weights that full-batch training ends at, the learning rate falling along a cosine to 0."""
    x, y = (torch.from_numpy(values) for values in problem())
    torch.manual_seed(0)
    model = nn.Linear(x.shape[1], 1, bias=False).double()
    return train(model, optimiser, specs, lambda: 0.5 * (model(x)[:, 0] - y).square().mean(), steps)


def train(model, optimiser, specs, data_loss, steps):
    regularisation = Regularisation(completed_regularisers(specs), model)
    optimiser = optimiser(model.parameters())
    rate = optimiser.param_groups[0]["lr"]
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = rate * (0.5 + 0.5 * np.cos(np.pi * step / steps))
        loss, penalty = data_loss(), regularisation.loss_term(float(step))
        optimiser.zero_grad()
        (loss if penalty is None else loss + penalty).backward()
        regularisation.step(optimiser, float(step))
    return model.weight.detach().numpy().copy()


def objective(w, l1=0.0, l2=0.0):
    x, y = problem()
    return 0.5 * np.mean((x @ w.ravel() - y) ** 2) + l1 * np.abs(w).sum() + l2 / 2 * np.square(w).sum()


def lasso():
    return Lasso(STRENGTH, fit_intercept=False, tol=1e-12, max_iter=100_000).fit(*problem()).coef_


def elastic_net(l1_ratio):
    model = ElasticNet(STRENGTH, l1_ratio=l1_ratio, fit_intercept=False, tol=1e-12, max_iter=100_000)
    return model.fit(*problem()).coef_


@pytest.mark.parametrize("name", OPTIMISERS)
def test_proximal_l1_is_the_lasso(name):
    expected = lasso()
    w = fitted(OPTIMISERS[name], RegulariserSpec(kind="l1", strength=STRENGTH))
    assert 4 <= (expected == 0).sum() <= 10  # a problem worth solving: some are out, some are in
    assert objective(w, STRENGTH) == pytest.approx(objective(expected, STRENGTH), rel=1e-5)
    assert ((w.ravel() == 0) == (expected == 0)).all()


@pytest.mark.parametrize("name", OPTIMISERS)
def test_proximal_elastic_net_is_the_elastic_net(name):
    expected = elastic_net(0.6)
    spec = RegulariserSpec(kind="elastic_net", strength=STRENGTH, params={"l1_ratio": 0.6})
    w = fitted(OPTIMISERS[name], spec)
    strengths = {"l1": 0.6 * STRENGTH, "l2": 0.4 * STRENGTH}
    assert (expected == 0).any()
    assert objective(w, **strengths) == pytest.approx(objective(expected, **strengths), rel=1e-5)
    assert ((w.ravel() == 0) == (expected == 0)).all()


@pytest.mark.parametrize("name", ["sgd momentum", "adam"])
def test_proximal_l1_with_l2_in_the_loss_is_the_elastic_net(name):
    expected = elastic_net(0.6)
    l1 = RegulariserSpec(kind="l1", strength=0.6 * STRENGTH)
    w = fitted(OPTIMISERS[name], RegulariserSpec(kind="l2", strength=0.4 * STRENGTH), l1)
    np.testing.assert_allclose(w.ravel(), expected, atol=1e-6)
    assert ((w.ravel() == 0) == (expected == 0)).all()


@pytest.mark.parametrize("name", ["sgd", "sgd momentum", "adam", "rmsprop"])
@pytest.mark.parametrize("kind", ["l1", "elastic_net"])
def test_penalty_solver_gives_no_exact_zero(kind, name):
    w = fitted(OPTIMISERS[name], RegulariserSpec(kind=kind, strength=STRENGTH, solver="penalty"), steps=200)
    assert (w != 0).all()


def test_penalty_solver_nears_the_same_objective():
    w = fitted(OPTIMISERS["sgd"], RegulariserSpec(kind="l1", strength=STRENGTH, solver="penalty"))
    assert objective(w, STRENGTH) == pytest.approx(objective(lasso(), STRENGTH), rel=1e-3)


def test_l2_in_the_loss_is_ridge():
    x, y = problem()
    expected = np.linalg.solve(x.T @ x / len(y) + STRENGTH * np.eye(x.shape[1]), x.T @ y / len(y))
    w = fitted(OPTIMISERS["sgd momentum"], RegulariserSpec(kind="l2", strength=STRENGTH))
    np.testing.assert_allclose(w.ravel(), expected, rtol=1e-4, atol=1e-6)


def test_decay_with_plain_sgd_is_ridge():
    x, y = problem()
    expected = np.linalg.solve(x.T @ x / len(y) + STRENGTH * np.eye(x.shape[1]), x.T @ y / len(y))
    w = fitted(OPTIMISERS["sgd"], RegulariserSpec(kind="weight_decay", strength=STRENGTH))
    np.testing.assert_allclose(w.ravel(), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["sgd momentum", "adam", "adamw", "rmsprop", "rmsprop momentum"])
def test_proximal_l1_is_multinomial_logistic_regression(name):
    rng = np.random.default_rng(5)
    features = rng.normal(size=(150, 10))
    labels = (features[:, :3] + 0.7 * rng.normal(size=(150, 3))).argmax(1)
    strength = 0.02
    sklearn = LogisticRegression(
        C=1 / (strength * len(labels)), l1_ratio=1.0, solver="saga", tol=1e-9, max_iter=20_000, random_state=0
    ).fit(features, labels)

    x, y = torch.from_numpy(features), torch.from_numpy(labels)
    torch.manual_seed(0)
    model = nn.Linear(10, 3).double()  # the intercepts are not penalised, there or here
    spec = RegulariserSpec(kind="l1", strength=strength)
    w = train(model, OPTIMISERS[name], [spec], lambda: F.cross_entropy(model(x), y), steps=500)

    def total(weight, bias):
        logits = x @ torch.from_numpy(weight).T + torch.from_numpy(bias)
        return float(F.cross_entropy(logits, y)) + strength * np.abs(weight).sum()

    ours = total(w, model.bias.detach().numpy())
    assert (sklearn.coef_ == 0).sum() >= 5
    assert ours == pytest.approx(total(sklearn.coef_, sklearn.intercept_), rel=1e-5)
    assert ((w == 0) == (sklearn.coef_ == 0)).all()
