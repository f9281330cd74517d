"""Gradient clipping against torch's function, and proximal steps beside it against the lasso's conditions."""

import math

import pytest
import torch
from torch import nn

from core.catalogues import completed
from core.regularise.check import completed_regularisers
from core.regularise.regularisation import Regularisation
from core.regularise.step_sizes import step_sizes
from core.run.spec import RegulariserSpec
from core.train.loop import run
from core.train.session import epoch_order, open_session
from core.train.step import train_step
from tests.train.small_runs import epochs, spec

OPTIMISERS = {
    "sgd": lambda p: torch.optim.SGD(p, 0.02),
    "momentum": lambda p: torch.optim.SGD(p, 0.005, momentum=0.8),
    "nesterov": lambda p: torch.optim.SGD(p, 0.005, momentum=0.8, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, 0.01, betas=(0.8, 0.99)),
    "adamw": lambda p: torch.optim.AdamW(p, 0.01, weight_decay=0.0, fused=True),
    "rmsprop": lambda p: torch.optim.RMSprop(p, 0.01, alpha=0.9, foreach=True),
    "rmsprop momentum": lambda p: torch.optim.RMSprop(p, 0.003, alpha=0.9, momentum=0.6),
}


def regularised(model, *specs):
    return Regularisation(completed_regularisers([RegulariserSpec(**each) for each in specs]), model)


def clipping(norm):
    return {"kind": "clipping", "params": {"norm": norm}}


@pytest.mark.parametrize("size", [1e-3, 0.999, 1.001, 50.0])
def test_it_is_torchs_own_clipping_of_all_gradients_together(size):
    model, other = nn.Linear(5, 3), nn.Linear(5, 3)
    other.load_state_dict(model.state_dict())
    draws = torch.Generator().manual_seed(0)
    for one in model.parameters():
        one.grad = torch.randn(one.shape, generator=draws)
    length = math.sqrt(sum(float(each.grad.square().sum()) for each in model.parameters()))
    for one, two in zip(model.parameters(), other.parameters(), strict=True):
        one.grad *= 2 * size / length
        two.grad = one.grad.clone()
    regularisation = regularised(model, clipping(2.0))
    regularisation.step(torch.optim.SGD(model.parameters(), 0.5), 0.0)
    torch.nn.utils.clip_grad_norm_(other.parameters(), 2.0)
    torch.optim.SGD(other.parameters(), 0.5).step()
    for one, two in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)
    assert regularisation.acted() == {"clipping": float(size > 1)}


@pytest.mark.parametrize("name", OPTIMISERS)
def test_the_share_followed_is_of_the_way_that_an_unclipped_gradient_goes(name):
    """A constant gradient, and a norm that changes from step to step."""
    model = nn.Linear(3, 1, bias=False).double()
    gradient = torch.tensor([[3.0, -1.0, 2.0]], dtype=torch.float64)
    regularisation = regularised(model, clipping(1.0))
    (clip,) = regularisation._regularisers
    optimiser = OPTIMISERS[name](model.parameters())
    draws = torch.Generator().manual_seed(1)
    for _ in range(400):
        clip.params = {"norm": 3.5 * float(torch.rand((), generator=draws))}
        model.weight.grad = gradient.clone()
        before = model.weight.detach().clone()
        regularisation.step(optimiser, 0.0)
    sizes = step_sizes(optimiser, [model.weight])
    size = sizes if isinstance(sizes, float) else sizes.sizes(sizes.squares[0])
    moved = (before - model.weight.detach()) / gradient
    assert 0.1 < clip.followed() < 0.99
    # RMSprop's momentum holds gradients that were divided by the roots of their own steps.
    close = 0.1 if name == "rmsprop momentum" else 1e-6
    torch.testing.assert_close(moved, size * clip.followed() * torch.ones_like(moved), rtol=close, atol=0)


@pytest.mark.parametrize("kind", ["l1", "elastic_net", "group_lasso"])
@pytest.mark.parametrize("name", OPTIMISERS)
def test_weights_rest_where_the_objective_is_least_though_each_step_is_clipped(name, kind):
    """½(w - a)ᵀH(w - a) + λ·penalty: where its subgradient holds 0 it is least. There the loss's own gradient
    has a length, and it is clipped to a third of that."""
    draws = torch.Generator().manual_seed(3)
    h = torch.randn(12, 12, generator=draws, dtype=torch.float64)
    h = h @ h.T / 12 + 0.5 * torch.eye(12, dtype=torch.float64)
    a = torch.randn(12, generator=draws, dtype=torch.float64)
    model = nn.Linear(3, 4, bias=False).double()
    w, strength = model.weight, 0.4
    regularisation = regularised(
        model, clipping(0.3), {"kind": kind, "strength": strength, "solver": "proximal"}
    )
    optimiser = OPTIMISERS[name](model.parameters())
    rate, steps = optimiser.param_groups[0]["lr"], 3000
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = rate * (0.5 + 0.5 * math.cos(math.pi * step / steps))
        with torch.no_grad():
            gradient = (h @ (w.flatten() - a)).view_as(w)
            w.grad = gradient.clone()
        regularisation.step(optimiser, 0.0)
    gradient = (h @ (w.detach().flatten() - a)).view_as(w)
    assert gradient.norm() > 0.9
    zeros = w == 0
    assert zeros.any() and not zeros.all()
    if kind == "group_lasso":
        cost = strength * math.sqrt(3)
        for row, slope in zip(w.detach(), gradient, strict=True):
            if row.any():
                torch.testing.assert_close(slope, -cost * row / row.norm(), rtol=0, atol=0.02)
            else:
                assert slope.norm() < cost * 1.02
        return
    share = 0.5 if kind == "elastic_net" else 1.0
    wanted = -strength * (share * w.sign() + (1 - share) * w)
    torch.testing.assert_close(gradient[~zeros], wanted[~zeros].detach(), rtol=0, atol=0.02)
    assert (gradient[zeros].abs() < strength * share * 1.02).all()


def test_an_epoch_says_in_which_share_of_its_steps_it_acted():
    def shares(norm):
        return [event["acted"] for event in epochs(run(spec(clipping(norm))))]

    assert shares(1000.0) == [{"clipping": 0.0}] * 4 and shares(0.001) == [{"clipping": 1.0}] * 4
    assert any(0 < each["clipping"] < 1 for each in shares(1.5))
    assert all("acted" not in event for event in epochs(run(spec())))


def test_l0s_gates_are_clipped_with_the_weights():
    """Theirs follow from the gradients of the network's weights, and those are turned into them first."""
    clip = clipping(0.01)
    chosen = spec(clip, {"kind": "l0"}, optimiser={"kind": "sgd", "lr": 1.0, "params": {"momentum": 0.0}})
    session = open_session(completed(chosen))
    session.model.train()
    trained = [each for group in session.optimiser.param_groups for each in group["params"]]
    index = epoch_order(chosen, 200, 1)[:64]
    train_step(session, *session.batch(index, 0), 0)
    length = math.sqrt(sum(float(each.grad.square().sum()) for each in trained if each.grad is not None))
    assert length == pytest.approx(0.01, rel=1e-3)
