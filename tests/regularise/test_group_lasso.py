"""The group lasso against independent minimisation: one step, a whole regression, and what it leaves."""

import copy
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from core.layers.groups import weight_groups
from core.models.build import build_model
from core.models.check import completed_model
from core.regularise.check import completed_regularisers
from core.regularise.group_lasso import ROUNDS, _climb, row_scales, shrink_rows_
from core.regularise.regularisation import Regularisation
from core.regularise.step_sizes import step_sizes
from core.run.spec import ModelSpec, RegulariserSpec

STRENGTH = 0.12


OPTIMISERS = {
    "sgd momentum": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, fused=True),
    "adam": lambda p: torch.optim.Adam(p, 0.03, fused=True),
    "adamw": lambda p: torch.optim.AdamW(p, 0.03, weight_decay=0.0, fused=True),
    "rmsprop": lambda p: torch.optim.RMSprop(p, 0.03, alpha=0.5, foreach=True),
    "rmsprop momentum": lambda p: torch.optim.RMSprop(p, 0.005, alpha=0.5, momentum=0.9, foreach=True),
}


def problem():
    """90 rows, 10 groups of 4 features, correlated and of unequal scales; four groups matter, one little."""
    rng = np.random.default_rng(8)
    x = rng.normal(size=(90, 10, 4))
    x[..., 1:] += 0.7 * x[..., :-1]
    x[:, 1:] += 0.3 * x[:, :-1]
    x *= rng.uniform(0.5, 2, size=(10, 4))
    truth = np.zeros((10, 4))
    truth[[0, 3, 4, 8]] = rng.normal(size=(4, 4)) * np.array([[1.0], [0.6], [1.2], [0.1]])
    return x, (x * truth).sum((1, 2)) + 0.5 * rng.normal(size=90)


def objective(w):
    x, y = problem()
    fit = 0.5 * np.mean(((x * w).sum((1, 2)) - y) ** 2)
    return fit + STRENGTH * 2 * np.linalg.norm(w, axis=1).sum()  # √4 = 2


@cache
def minimum():
    """The minimiser by proximal gradient with momentum (FISTA), in NumPy, to machine precision."""
    x, y = problem()
    flat = x.reshape(len(y), -1)
    step = 1 / np.linalg.eigvalsh(flat.T @ flat / len(y)).max()
    w = ahead = np.zeros(40)
    for i in range(10_000):
        moved = (ahead - step * flat.T @ (flat @ ahead - y) / len(y)).reshape(10, 4)
        norms = np.linalg.norm(moved, axis=1, keepdims=True)
        new = (moved * np.maximum(0, 1 - step * STRENGTH * 2 / norms)).ravel()
        ahead, w = new + (i % 500) / (i % 500 + 3) * (new - w), new
    return w.reshape(10, 4)


def fitted(optimiser, spec, steps=700):
    x, y = (torch.from_numpy(values) for values in problem())
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 10, bias=False)).double()
    regularisation = Regularisation(completed_regularisers([spec]), model)
    optimiser = optimiser([model[0].weight])
    rate = optimiser.param_groups[0]["lr"]
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = rate * (0.5 + 0.5 * np.cos(np.pi * step / steps))
        loss = 0.5 * ((x * model[0].weight).sum((1, 2)) - y).square().mean()
        penalty = regularisation.loss_term(0.0)
        optimiser.zero_grad()
        (loss if penalty is None else loss + penalty).backward()
        regularisation.step(optimiser, 0.0)
    return model[0].weight.detach().numpy()


@pytest.mark.parametrize("name", OPTIMISERS)
def test_the_proximal_solver_rests_at_the_minimum(name):
    expected = minimum()
    zero = ~expected.any(1)
    assert 3 <= zero.sum() <= 7 and expected[~zero].all()
    w = fitted(OPTIMISERS[name], RegulariserSpec(kind="group_lasso", strength=STRENGTH))
    assert objective(w) == pytest.approx(objective(expected), rel=1e-4)
    assert (~w.any(1) == zero).all() and w[~zero].all()


def test_the_penalty_solver_nears_the_minimum_and_leaves_no_zeros():
    spec = RegulariserSpec(kind="group_lasso", strength=STRENGTH, solver="penalty")
    w = fitted(OPTIMISERS["sgd momentum"], spec)
    assert objective(w) == pytest.approx(objective(minimum()), rel=1e-3)
    assert w.all()


def test_l1_and_the_group_lasso_together_take_the_step_of_their_sum():
    """The sparse group lasso (Friedman et al. 2010) under a metric meets its own condition."""
    draws = torch.Generator().manual_seed(2)
    x = torch.randn(50, 12, generator=draws, dtype=torch.float64)
    s = torch.rand(50, 12, generator=draws, dtype=torch.float64) + 0.1
    thresholded = x.sign() * (x.abs() - 0.4 * s).clamp_min(0)
    w, dead = shrink_rows(thresholded, s, 7.0)
    alive = w[~dead[:, 0]]
    moved = ((x - w) / s)[~dead[:, 0]]  # = 0.4·sign(w) + 7·w/‖w‖ where w is not 0
    rest = moved - 7 * alive / alive.norm(dim=1, keepdim=True)
    torch.testing.assert_close(rest[alive != 0], 0.4 * alive.sign()[alive != 0], rtol=1e-7, atol=1e-7)
    assert (rest[alive == 0].abs() <= 0.4 + 1e-9).all()
    assert 0 < dead.sum() < 50 and (alive == 0).any()


# At which one step shrinks some rows and kills others.
RATES = {"sgd momentum": 0.006, "adam": 0.03, "adamw": 0.03, "rmsprop": 0.03, "rmsprop momentum": 0.03}


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("kinds", [("elastic_net", "group_lasso"), ("l1", "elastic_net", "group_lasso")])
def test_penalties_together_take_the_step_of_their_sum(name, kinds):
    """One step of each optimiser: where it led, minus where the penalties left it, over the step sizes, is
    the sum of their slopes; and a row is zero just where no row of another size would pay for itself."""
    strengths = {"l1": 0.3, "elastic_net": 2.0, "group_lasso": 1.5}
    specs = [RegulariserSpec(kind=kind, strength=strengths[kind], solver="proximal") for kind in kinds]
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(12, 50, bias=False), nn.Linear(1, 1)).double()
    model.classifier = "1"
    w, x = model[0].weight, nn.Parameter(model[0].weight.detach().clone())
    w.grad = torch.randn(w.shape, dtype=w.dtype)
    x.grad = w.grad.clone()
    model[1].weight.grad = torch.zeros_like(model[1].weight)
    regularisation = Regularisation(completed_regularisers(specs), model)
    regularised, plain = OPTIMISERS[name]([w, model[1].weight]), OPTIMISERS[name]([x])
    for optimiser in (regularised, plain):
        optimiser.param_groups[0]["lr"] = RATES[name]
    plain.step()
    regularisation.step(regularised, 0.0)
    s = step_sizes(plain, [x])
    pull = ((x - w) / (s if isinstance(s, float) else s.sizes(s.squares[0]))).detach()
    w, each = w.detach(), strengths["elastic_net"] / 2 + (strengths["l1"] if "l1" in kinds else 0.0)
    dead = ~w.any(1)
    assert 0 < dead.sum() < 50 and (w[~dead] == 0).any()
    alive, group = w[~dead], strengths["group_lasso"] * 12**0.5
    rest = (
        pull[~dead] - strengths["elastic_net"] / 2 * alive - group * alive / alive.norm(dim=1, keepdim=True)
    )
    torch.testing.assert_close(rest[alive != 0], each * alive.sign()[alive != 0], rtol=1e-7, atol=1e-7)
    assert (rest[alive == 0].abs() <= each + 1e-9).all()
    assert ((pull[dead].abs() - each).clamp_min(0).norm(dim=1) <= group + 1e-9).all()


def shrink_rows(x, s, c, norms=None):
    """The rows after their step, and which are zero."""
    w = x.clone()
    return w, shrink_rows_([w], [s * c], norms) == 0


def root_by_bisection(x, s, c):
    """The ``w`` of `shrink_rows` for one row, from τ by 200 halvings in float64."""
    x, s = np.asarray(x, np.float64), np.asarray(s, np.float64)
    if np.linalg.norm(x / s) <= c:
        return np.zeros_like(x)
    low, high = 0.0, np.linalg.norm(x) / c
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if np.linalg.norm(x / (middle + s)) > c else (low, middle)
    return x * low / (low + s)


@pytest.mark.parametrize("start", [None, 0.0, 0.5, 1.0, 1.02, 30.0])
@pytest.mark.parametrize("decades", [0, 1, 3])
def test_one_step_against_bisection(decades, start):
    """From any norms: none, 0, or so many times the right ones."""
    draws = torch.Generator().manual_seed(decades)
    x = torch.randn(60, 25, generator=draws) * 10 ** (decades * torch.rand(60, 25, generator=draws) - decades)
    s = 10 ** (decades * torch.rand(60, 25, generator=draws) - decades)
    for share in (1e-3, 0.3, 0.9, 1.5):
        c = share * float((x / s).norm(dim=1).median())
        expected = np.stack([root_by_bisection(x[i], s[i], c) for i in range(60)])
        norms = torch.from_numpy(np.linalg.norm(expected, axis=1, keepdims=True)).float()
        w, dead = shrink_rows(x, s, c, None if start is None else norms * start)
        errors = np.linalg.norm(w.numpy() - expected, axis=1) / np.linalg.norm(x.numpy(), axis=1)
        assert errors.max() < 2e-6
        assert (dead[:, 0].numpy() == ~expected.any(1)).all()


def test_a_metric_that_is_the_same_for_all_is_the_closed_form():
    x = torch.randn(40, 9, generator=torch.Generator().manual_seed(0))
    scales = row_scales(x, 0.3 * 8.0)
    plain, dead = x * scales, scales == 0
    metric, dead_by_metric = shrink_rows(x, torch.full_like(x, 0.3), 8.0)
    norms = x.norm(dim=1)
    torch.testing.assert_close(plain.norm(dim=1), (norms - 2.4).clamp_min(0))
    torch.testing.assert_close(metric, plain, rtol=1e-5, atol=1e-6)
    assert torch.equal(dead, dead_by_metric) and 0 < dead.sum() < 40


def test_weights_that_never_had_a_gradient_go_and_others_hardly_notice():
    """Adam's step size there is lr/eps, 100,000 times the learning rate."""
    x = torch.tensor([[0.1, 0.2, 0.3, 0.05]])
    w, _ = shrink_rows(x, torch.tensor([[1e5, 0.1, 0.1, 1e5]]), 0.5)
    alone = x[:, 1:3] * row_scales(x[:, 1:3], 0.1 * 0.5)
    torch.testing.assert_close(w[:, 1:3], alone, rtol=1e-5, atol=0)
    assert (w[:, [0, 3]].abs() < 1e-6).all()


def test_rows_of_any_size_under_any_metric_stay_numbers():
    """What momentum still moves in a dead group fades through all magnitudes."""
    x = torch.randn(46, 1, 20, generator=torch.Generator().manual_seed(0))
    x = x * 10.0 ** -torch.arange(46.0)[:, None, None]
    s = 10.0 ** torch.arange(-10.0, 6.0)[:, None].expand(46, 16, 20)
    s = s * (1 + torch.rand(46, 16, 20, generator=torch.Generator().manual_seed(1)))
    x, s = x.expand(46, 16, 20).reshape(-1, 20), s.reshape(-1, 20)
    for c in (1e-6, 1e-3, 1.0):
        w, dead = shrink_rows(x, s, c)
        assert w.isfinite().all()
        assert ((w == 0).all(1) | ~dead[:, 0]).all()
        expected = np.stack([root_by_bisection(x[i], s[i], c) for i in range(len(x))])
        errors = np.linalg.norm(w.numpy() - expected, axis=1)
        assert (errors <= 1e-5 * np.linalg.norm(x.double().numpy(), axis=1) + 1e-37).all()


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.floats(-5, 5, width=32), st.floats(1e-3, 5)), min_size=1, max_size=8),
    st.floats(1e-3, 20),
)
def test_any_step_is_a_minimum(pairs, c):
    """No other point near it, or zero, or where it came from, is better."""
    x, s = (torch.tensor(column, dtype=torch.float64)[None] for column in zip(*pairs, strict=True))
    w, _ = shrink_rows(x, s, c)

    def cost(w):
        return float(((w - x) ** 2 / s).sum() / 2 + c * w.norm())

    near = torch.Generator().manual_seed(0)
    others = [w + 0.01 * torch.randn(w.shape, generator=near, dtype=w.dtype) for _ in range(20)]
    assert all(cost(w) <= cost(other) + 1e-9 for other in [torch.zeros_like(w), x, *others])


def test_no_number_stays_no_number():
    x = torch.tensor([[1.0, torch.nan], [1.0, 2.0]])
    for w in (x * row_scales(x, 0.1 * 0.5), shrink_rows(x, torch.full_like(x, 0.1), 0.5)[0]):
        assert w[0].isnan().any() and w[1].isfinite().all()


@pytest.mark.parametrize("start", [0.0, 1.0, 1.5])
def test_rounds_for_all_rows_end_where_rounds_for_those_not_there_do(start):
    """As on a GPU, which is not asked."""
    draws = torch.Generator().manual_seed(5)
    x, t = torch.randn(200, 30, generator=draws), 10 ** (2 * torch.rand(200, 30, generator=draws) - 2)
    norms = torch.full((200, 1), torch.finfo().tiny) if start == 0 else start * x.norm(dim=1, keepdim=True)
    asked, all_rows = (_climb([x], [t], norms, ROUNDS, asks=asks) for asks in (True, False))
    torch.testing.assert_close(asked, all_rows, rtol=2e-5, atol=0)
    assert (asked > 1e-3).any()


@pytest.mark.parametrize("norm", [None, 1.0, 1e25, torch.inf])
def test_a_row_of_large_weights_or_a_norm_that_is_far_too_large_kills_none(norm):
    for x in (torch.tensor([[3.0, 4.0]]), torch.tensor([[3e20, 4e20]])):
        norms = None if norm is None else torch.tensor([[norm]])
        w, dead = shrink_rows(x, torch.full_like(x, 1e-3), 1.0, norms)
        assert not dead.any()
        if (x[0, 0], norm) == (3e20, 1.0):  # so far left of the root that squares overflow
            assert w.isnan().all()
        else:
            torch.testing.assert_close(w, x * (1 - 1e-3 / x.double().norm()).float())


def test_a_learning_rate_of_zero_moves_nothing():
    """No schedule gets there; if one did, a dead group would be 0/0."""
    x = torch.tensor([[0.0, 0.0], [3.0, 4.0]])
    w, dead = shrink_rows(x, torch.zeros_like(x), 1.0, torch.tensor([[0.0], [5.0]]))
    assert torch.equal(w, x) and dead[:, 0].tolist() == [True, False]


def network(arch):
    shape = {"channels": 1, "side": 8, "num_classes": 10}
    params = {
        "cnn": {"channels": [4, 6], "hidden": 16},
        "attention": {"patch": 4, "width": 16, "heads": 2, "depth": 1},
        "rnn": {"hidden": 16, "layers": 1, "bidirectional": True},
        "mlp": {"hidden": [9, 7]},
    }[arch]
    return build_model(completed_model(ModelSpec(arch=arch, params=params), **shape), **shape, seed=1)


@pytest.mark.parametrize(
    ("arch", "expected"),
    [
        ("cnn", [("conv1", "filters", 4, 9), ("conv2", "filters", 6, 36), ("fc1", "neurons", 16, 24)]),
        ("mlp", [("fc1", "neurons", 9, 64), ("fc2", "neurons", 7, 9)]),
        ("rnn", [("rnn1", "neurons", 16, 4 * (8 + 16))] * 2),
        (
            "attention",
            [
                ("embed", "neurons", 16, 16),
                ("block1.attention", "heads", 2, 3 * 8 * 16 + 16 * 8),
                ("block1.fc1", "neurons", 32, 16),
                ("block1.fc2", "neurons", 16, 32),
            ],
        ),
    ],
)
def test_groups_of_each_architecture(arch, expected):
    found = weight_groups(network(arch))
    assert [(g.layer, g.family, *g.rows().shape) for g in found] == expected
    assert [g.size for g in found] == [size for *_, size in expected]


@pytest.mark.parametrize("arch", ["cnn", "mlp", "rnn", "attention"])
def test_rows_hold_each_weight_once_and_are_written_back_where_they_were_read(arch):
    model = network(arch).to(memory_format=torch.channels_last)
    numbers = iter(range(1, 10**6))
    for parameter in model.parameters():
        values = torch.tensor([float(next(numbers)) for _ in range(parameter.numel())])
        parameter.data.copy_(values.view(parameter.shape))
    before = copy.deepcopy(model.state_dict())
    groups = weight_groups(model)
    every = torch.cat([g.rows().flatten() for g in groups])
    weights = torch.cat([part.parameter.flatten() for g in groups for part in g.parts])
    assert torch.equal(every.sort().values, weights.sort().values)
    with torch.no_grad():
        for g in groups:
            g.fill(g.rows().clone())
            for part in g.parts:
                column = torch.arange(1.0, len(g.rows()) + 1)[:, None]
                torch.testing.assert_close(
                    part.rows(part.parameter * part.spread(column)), part.rows(part.parameter) * column
                )
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("arch", ["cnn", "mlp", "rnn", "attention"])
@pytest.mark.parametrize("make", [OPTIMISERS["sgd momentum"], OPTIMISERS["adam"]], ids=["sgd", "adam"])
def test_groups_die_whole_with_their_biases_and_the_classifier_lives(arch, make):
    torch.manual_seed(0)
    model = network(arch).to(memory_format=torch.channels_last)
    images, labels = torch.randn(32, 1, 8, 8), torch.randint(10, (32,))
    regularisation = Regularisation(
        completed_regularisers([RegulariserSpec(kind="group_lasso", strength=0.02)]), model
    )
    optimiser = make(model.parameters())
    for _ in range(25):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        regularisation.step(optimiser, 0.0)
    died = 0
    for groups in weight_groups(model):
        rows, dead = groups.rows(), groups.zero()
        died += int(dead.sum())
        assert torch.equal((rows == 0).all(1), (rows == 0).any(1))
        for bias in groups.biases:
            assert (bias.rows(bias.parameter)[dead] == 0).all()
            assert bias.rows(bias.parameter)[~dead].any() or not (~dead).any()
    assert died > 0
    assert model.fc2.weight.all() if arch == "cnn" else True
