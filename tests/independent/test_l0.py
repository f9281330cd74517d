"""Hard concrete gates: drawn as the paper says, differentiated as autograd does, gone from what is saved."""

import math

import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F

from core.layers.groups import Part
from core.measure.sparsity import sparsity
from core.randomness import derive, private_draws
from core.regularise.check import completed_regularisers
from core.regularise.l0 import L0, SPEED, Gates
from core.regularise.regularisation import Regularisation
from core.run.spec import RegulariserSpec


def network():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3)).double()
    model.classifier = "2"
    return model


def made(model, gates, strength=1.0, **options):
    spec = RegulariserSpec(kind="l0", strength=strength, params={"gates": gates}, **options)
    regularisation = Regularisation(completed_regularisers([spec]), model)
    optimiser = torch.optim.Adam([*model.parameters(), *regularisation.own_parameters()], 0.01)
    return regularisation, optimiser


def batch():
    draws = torch.Generator().manual_seed(3)
    x = torch.randn(64, 6, generator=draws, dtype=torch.float64)
    return x, (x[:, 0] + x[:, 1] > 0).long()


def stretched(s):
    return (s * 1.2 - 0.1).clamp(0, 1)


@pytest.mark.parametrize("log_alpha", [-4.0, -2.4, -1.0, 0.0, 1.0, 2.4, 4.0])
def test_drawn_gates_are_shut_and_open_as_often_as_the_paper_says(log_alpha):
    gates = Gates([Part(nn.Parameter(torch.ones(200_000, 1)))], 200_000, 1)
    gates.raw.data.fill_(log_alpha / SPEED)
    with torch.no_grad(), private_draws(5):
        gates.draw()
    # Equation 12: z > 0 where s > 1/12.
    alive = 1 / (1 + math.exp(-(log_alpha - 2 / 3 * math.log(0.1 / 1.1))))
    # Likewise z = 1 where s >= 11/12, whose logit is log 11.
    whole = 1 / (1 + math.exp(-(log_alpha - 2 / 3 * math.log(11))))
    assert float((gates.z > 0).double().mean()) == pytest.approx(alive, abs=4e-3)
    assert float(gates.probability().detach().mean()) == pytest.approx(alive, abs=1e-6)
    assert float((gates.z == 1).double().mean()) == pytest.approx(whole, abs=4e-3)


@pytest.mark.parametrize("sign", [-1, 1])
def test_without_noise_a_gate_is_shut_below_and_whole_above_the_logarithm_of_11(sign):
    """sigmoid(log α)·1.2 - 0.1 = 0 where sigmoid(log α) = 1/12, so where α = 1/11; and 1 where α = 11."""
    gates = Gates([Part(nn.Parameter(torch.ones(2, 1).double()))], 2, 1)
    gates.raw.data = sign * torch.tensor([[math.log(11) + 1e-6], [math.log(11) - 1e-6]]).double() / SPEED
    with torch.no_grad():
        gates.settle()
    beyond, before = gates.z[:, 0].tolist()
    assert beyond == (0 if sign < 0 else 1) and 0 < abs(before - beyond) < 1e-6


@pytest.mark.parametrize("gates", ["groups", "weights"])
def test_gradients_are_those_of_autograd_through_the_gates(gates):
    model, (x, y) = network(), batch()
    theta = {name: value.detach().clone().requires_grad_() for name, value in model.named_parameters()}
    regularisation, optimiser = made(model, gates, strength=0.3)
    own = regularisation.own_parameters()
    log_alphas = [(parameter.detach() * SPEED).requires_grad_() for parameter in own]

    regularisation.begin_step(7, 4, 0.0)
    (F.cross_entropy(model(x), y) + regularisation.loss_term(0.0)).backward()
    (l0,) = regularisation._regularisers
    l0.before_step(optimiser, 0.3)

    with private_draws(derive(7, "l0", 4)):
        noises = [torch.rand_like(log_alpha) for log_alpha in log_alphas]
    weights = dict(theta)
    gated = ["0.weight"] if gates == "groups" else ["0.weight", "2.weight"]
    for name, log_alpha, u in zip(gated, log_alphas, noises, strict=True):
        s = torch.sigmoid((u.log() - (1 - u).log() + log_alpha) / (2 / 3))
        z = stretched(s)
        weights[name] = theta[name] * (z if gates == "groups" else z.view(theta[name].shape))
    alive = [torch.sigmoid(log_alpha - 2 / 3 * math.log(0.1 / 1.1)) for log_alpha in log_alphas]
    share = sum(p.sum() for p in alive) / sum(p.numel() for p in alive)
    (F.cross_entropy(functional_call(model, weights, x), y) + 0.3 * share).backward()

    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, theta[name].grad)
        assert torch.equal(parameter, theta[name])  # the optimiser moves what lies under the gates
    for parameter, log_alpha in zip(own, log_alphas, strict=True):
        assert log_alpha.grad.any()
        torch.testing.assert_close(parameter.grad, SPEED * log_alpha.grad)


def train(model, regularisation, optimiser, steps, first=0):
    x, y = batch()
    for step in range(first, first + steps):
        regularisation.begin_step(1, step, 0.0)
        loss = F.cross_entropy(model(x), y) + regularisation.loss_term(0.0)
        optimiser.zero_grad()
        loss.backward()
        regularisation.step(optimiser, 0.0)


def test_gates_of_useless_weights_shut_and_the_weights_are_exactly_zero():
    model, (x, y) = network(), batch()
    regularisation, optimiser = made(model, "weights", strength=0.5)
    train(model, regularisation, optimiser, 400)
    first = model[0].weight
    assert (first[:, 2:] == 0).double().mean() > 0.8  # pixels that say nothing
    assert first[:, :2].any()
    assert (model(x).argmax(1) == y).double().mean() > 0.9
    assert sparsity(model)["exact"] > 0.5
    assert set(model.state_dict()) == {"0.weight", "0.bias", "2.weight", "2.bias"}
    assert 0 < sum(regularisation.values(0.0).values()) < 0.3


def test_between_steps_the_network_has_the_gates_without_noise():
    model = network()
    regularisation, optimiser = made(model, "weights")
    train(model, regularisation, optimiser, 5)
    (l0,) = regularisation._regularisers
    (first, _) = l0.gates
    settled = stretched(torch.sigmoid(SPEED * first.raw))  # equation 13
    torch.testing.assert_close(model[0].weight, first.under[0] * settled.view(5, 6))


def test_a_whole_group_shuts_and_the_classifier_has_no_gate():
    model = network()
    regularisation, optimiser = made(model, "groups", strength=20.0)
    train(model, regularisation, optimiser, 200)
    assert (model[0].weight == 0).all() and model[2].weight.all()


def test_a_resumed_run_goes_on_bit_for_bit():
    ends = []
    for stop in (None, 6):
        model = network()
        regularisation, optimiser = made(model, "weights")
        train(model, regularisation, optimiser, stop or 12)
        if stop:
            fresh = network()
            again, other = made(fresh, "weights")
            fresh.load_state_dict(model.state_dict())
            again.load_state(regularisation.state())
            other.load_state_dict(optimiser.state_dict())
            train(fresh, again, other, 12 - stop, first=stop)
            model = fresh
        ends.append(model.state_dict())
    assert all(torch.equal(value, ends[1][name]) for name, value in ends[0].items())


def test_nothing_is_gated_until_the_strength_rises_and_then_from_the_weights_as_they_are():
    model = network()
    regularisation, _ = made(model, "weights", warmup_epochs=2, schedule="step")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    regularisation.begin_step(1, 0, 1.9)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    model[0].weight.data.mul_(3)
    regularisation.begin_step(1, 1, 2.0)
    (l0,) = regularisation._regularisers
    assert isinstance(l0, L0)
    ratio = model[0].weight / (3 * before["0.weight"])
    torch.testing.assert_close(ratio, l0.gates[0].z.view(5, 6))
    assert (model[0].weight.abs() <= 3 * before["0.weight"].abs()).all()
