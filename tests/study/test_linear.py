"""A network without a hidden layer is multinomial logistic regression, and with L1 a convex problem: then
cross-validation of λ must come to scikit-learn's figures."""

import math
import warnings

import numpy as np
import pytest
import torch
from sklearn.datasets import make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LassoCV, LogisticRegression

from core.study.rules.strength import choose_strength
from core.train.batching import batches
from core.train.evaluation import evaluate
from core.train.session import open_session
from core.train.step import train_step
from tests.study.playing import figures, played, study

BASE = {
    "data": {"name": "digits", "train_images": None},
    "model": {"arch": "mlp", "params": {"hidden": [], "dropout": 0}},
    "optimiser": {"kind": "sgd", "lr": 0.05, "params": {"momentum": 0.9}},
    "regularisers": [{"kind": "l1", "strength": 0.05, "solver": "proximal"}],
    "train": {"epochs": 1, "batch_size": 4096, "device": "cpu"},
}
STEPS, LOOK, SETTLED = 20_000, 100, 1e-9


def trained(spec):
    """A session whose weights, trained on all images at once, don't move any more."""
    session = open_session(spec)
    batch = next(iter(batches(session, 1)))
    before = math.inf
    for step in range(STEPS):
        loss = train_step(session, batch.images, batch.targets, 0).loss
        if step % LOOK == 0:
            if abs(before - float(loss)) < SETTLED:
                break
            before = float(loss)
    return session, batch


def scikit_learns(session, batch, strength):
    """The loss on the fold that judges, of the same problem solved by SAGA."""
    flat = session.normalised(batch.images).flatten(1).double().numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("error", ConvergenceWarning)
        inverse = 1 / (strength * len(flat))
        model = LogisticRegression(
            penalty="l1", solver="saga", C=inverse, tol=1e-9, max_iter=100_000, random_state=0
        ).fit(flat, batch.targets.numpy())
    kept = session.validation
    images = kept.images if kept.images.dtype.is_floating_point else kept.images.float() / 255
    logs = model.predict_log_proba(session.normalised(images).flatten(1).double().numpy())
    return -logs[np.arange(len(logs)), kept.labels.numpy()].mean()


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_cross_validation_of_a_linear_network_is_scikit_learns(one_thread):
    grid = [0.05, 0.1]
    asked = study(
        "strength", BASE, folds=2, figure="loss", strengths=[{"regulariser": 0, "grid": grid}], refit="none"
    )
    theirs = {}

    def judge(cell):
        session, batch = trained(cell.spec)
        found = evaluate(session, session.validation)
        theirs[cell.key] = scikit_learns(session, batch, cell.settings["lambda"])
        return figures(found.accuracy, cell, found.loss)

    result = asked.result(played(asked, judge))
    by_theirs = [[theirs[f"{strength!r}/{fold}"] for fold in range(2)] for strength in grid]
    assert result["mean"] == pytest.approx([np.mean(each) for each in by_theirs], abs=1e-6)
    expected = choose_strength(grid, by_theirs)
    assert (result["lambda_min"], result["lambda_1se"]) == (expected.lambda_min, expected.lambda_1se)


def test_the_rule_on_the_path_of_lasso_cv_is_its_own_choice():
    x, y = make_regression(120, 30, n_informative=5, noise=20.0, random_state=3)
    model = LassoCV(cv=5, alphas=40).fit(x, y)
    found = choose_strength(list(model.alphas_), [list(each) for each in model.mse_path_])
    assert found.lambda_min == pytest.approx(model.alpha_, rel=1e-12)
    assert found.mean[::-1] == pytest.approx(model.mse_path_.mean(axis=1), rel=1e-12)
    spread = model.mse_path_.std(axis=1, ddof=1) / np.sqrt(5)
    assert found.standard_error[::-1] == pytest.approx(spread, rel=1e-12)
    best = int(np.argmin(model.mse_path_.mean(axis=1)))
    within = model.mse_path_.mean(axis=1) <= model.mse_path_.mean(axis=1)[best] + spread[best]
    assert found.lambda_1se == max(model.alphas_[within])
