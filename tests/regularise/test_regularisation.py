"""What the training loop relies on: strengths over time, sums, decay, and nothing at strength 0."""

import copy

import pytest
import torch
from torch import nn

from core.regularise.check import completed_regularisers
from core.regularise.regularisation import Regularisation
from core.run.spec import RegulariserSpec

KINDS = [
    {"kind": "l1"},
    {"kind": "l1", "solver": "penalty"},
    {"kind": "elastic_net"},
    {"kind": "elastic_net", "solver": "penalty"},
    {"kind": "l2"},
    {"kind": "weight_decay"},
]
WITH_GROUPS = [
    {"kind": "group_lasso"},
    {"kind": "group_lasso", "solver": "penalty"},
    {"kind": "orthogonality"},
    {"kind": "l0"},
]


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))


def one_weight(value):
    model = nn.Linear(1, 1)
    nn.init.constant_(model.weight, value)
    nn.init.constant_(model.bias, value)
    return model


def train(model, optimiser, take_step, loss_term=lambda: None, steps=20):
    data = torch.Generator().manual_seed(1)
    for _ in range(steps):
        loss = model(torch.randn(16, 6, generator=data)).square().mean()
        penalty = loss_term()
        optimiser.zero_grad()
        (loss if penalty is None else loss + penalty).backward()
        take_step(optimiser)
    return list(model.parameters())


def adamw(parameters, **options):
    return torch.optim.AdamW(parameters, 0.01, **{"weight_decay": 0.0, **options})


def test_each_penalty_and_strength_by_kind():
    model = nn.Linear(3, 1)
    model.weight.data = torch.tensor([[1.0, -2.0, 0.0]])
    specs = [
        RegulariserSpec(kind="weight_decay", strength=9.0),
        RegulariserSpec(kind="l1", strength=0.1, warmup_epochs=2),
        RegulariserSpec(kind="l2", strength=0.2, warmup_epochs=5, schedule="step"),
        RegulariserSpec(kind="ema"),
        RegulariserSpec(kind="max_norm"),
    ]
    regularisation = Regularisation(completed_regularisers(specs), model)
    assert regularisation.values(1.0) == pytest.approx({"l1": 0.15, "l2": 0.0})
    assert regularisation.strengths(1.0) == pytest.approx({"l1": 0.05, "l2": 0.0, "weight_decay": 9.0})
    assert regularisation.values(5.0) == pytest.approx({"l1": 0.3, "l2": 0.5})


def test_a_strength_can_be_changed_in_mid_run():
    model = one_weight(1.0)
    regularisation = Regularisation(
        completed_regularisers([RegulariserSpec(kind="l1", warmup_epochs=9)]), model
    )
    regularisation.set_strength("l1", 0.5)
    assert regularisation.strengths(1.0) == {"l1": 0.5}
    model.weight.grad = torch.zeros_like(model.weight)
    regularisation.step(torch.optim.SGD(model.parameters(), 0.1), 1.0)
    assert model.weight.item() == pytest.approx(0.95)


def test_max_norm_by_hand():
    model = nn.Sequential(nn.Conv2d(1, 2, 2), nn.Flatten(), nn.Linear(2, 3))
    model[0].weight.data = torch.tensor([[[[3.0, 0.0], [0.0, 4.0]]], [[[0.1, 0.2], [0.3, 0.4]]]])
    model[2].weight.data = torch.tensor([[0.0, 0.0], [0.6, 0.8], [6.0, -8.0]])
    before = copy.deepcopy(model.state_dict())
    regularisation = Regularisation(
        completed_regularisers([RegulariserSpec(kind="max_norm", params={"c": 2.0})]), model
    )
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    regularisation.step(torch.optim.SGD(model.parameters(), 0.1), 0.0)
    torch.testing.assert_close(model[0].weight[0, 0], torch.tensor([[1.2, 0.0], [0.0, 1.6]]))
    torch.testing.assert_close(model[2].weight[2], torch.tensor([1.2, -1.6]))
    assert torch.equal(model[0].weight[1], before["0.weight"][1])  # to the last bit
    assert torch.equal(model[2].weight[:2], before["2.weight"][:2])
    assert torch.equal(model[0].bias, before["0.bias"])


def test_max_norm_is_the_nearest_point_of_the_ball():
    """Of many points in the ball none is nearer."""
    draws = torch.Generator().manual_seed(0)
    model = nn.Linear(4, 1, bias=False).double()
    before = model.weight.data.copy_(3 * torch.randn(1, 4, generator=draws)).clone()
    model.weight.grad = torch.zeros_like(model.weight)
    regularisation = Regularisation(
        completed_regularisers([RegulariserSpec(kind="max_norm", params={"c": 1.5})]), model
    )
    regularisation.step(torch.optim.SGD(model.parameters(), 0.1), 0.0)
    inside = torch.randn(5000, 4, generator=draws, dtype=torch.float64)
    inside *= (
        1.5 * torch.rand(5000, 1, generator=draws, dtype=torch.float64) / inside.norm(dim=1, keepdim=True)
    )
    assert model.weight.norm().item() == pytest.approx(1.5)
    assert ((inside - before).norm(dim=1) >= (model.weight - before).norm() - 1e-9).all()


def test_orthogonality_by_hand_and_at_its_minimum():
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 3))
    model[0].weight.data = torch.tensor([[2.0, 0.0, 0.0], [1.0, 1.0, 0.0]])
    model[1].weight.data = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 3.0]])  # tall: its columns
    (spec,) = completed_regularisers([RegulariserSpec(kind="orthogonality", strength=0.5)])
    regularisation = Regularisation([spec], model)
    # [[4, 2], [2, 2]] - I: 9 + 4 + 4 + 1; [[1, 0], [0, 9]] - I: 64.
    assert sum(regularisation.values(0.0).values()) == pytest.approx(0.5 * (18 + 64))
    for layer in model:
        nn.init.orthogonal_(layer.weight)
    assert sum(regularisation.values(0.0).values()) == pytest.approx(0.0, abs=1e-6)
    for layer in model:
        layer.weight.data += 0.3 * torch.randn_like(layer.weight)
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    for _ in range(200):
        optimiser.zero_grad()
        regularisation.loss_term(0.0).backward()
        regularisation.step(optimiser, 0.0)
    for layer in model:
        torch.testing.assert_close(torch.linalg.svdvals(layer.weight), torch.ones(2), rtol=0, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS + WITH_GROUPS, ids=lambda kind: "-".join(kind.values()))
@pytest.mark.parametrize("now", [{"strength": 0.0}, {"strength": 1.0, "warmup_epochs": 3}])
def test_strength_0_changes_no_bit(kind, now):
    model = network()
    plain = copy.deepcopy(model)
    regularisation = Regularisation(completed_regularisers([RegulariserSpec(**kind, **now)]), model)
    regularisation.begin_step(0, 0, 0.0)
    assert regularisation.loss_term(0.0) is None
    assert sum(regularisation.values(0.0).values()) == 0.0
    ours = train(model, adamw(model.parameters()), lambda o: regularisation.step(o, 0.0))
    theirs = train(plain, adamw(plain.parameters()), lambda o: o.step())
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "-".join(kind.values()))
def test_only_weight_matrices_are_touched(kind):
    """With no gradient from data, only regularisers move anything: biases and norms stay."""
    model = network()
    before = copy.deepcopy(model.state_dict())
    regularisation = Regularisation(completed_regularisers([RegulariserSpec(**kind, strength=0.1)]), model)
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    if (penalty := regularisation.loss_term(0.0)) is not None:
        penalty.backward()
    regularisation.step(optimiser, 0.0)
    moved = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert moved == {"0.weight", "3.weight"}


def test_no_regularisers():
    model = network()
    regularisation = Regularisation((), model)
    assert regularisation.loss_term(1.0) is None
    assert sum(regularisation.values(1.0).values()) == 0.0


def test_value_and_loss_term_by_hand():
    model = nn.Linear(3, 1)
    model.weight.data = torch.tensor([[1.0, -2.0, 0.0]])
    specs = completed_regularisers(
        [
            RegulariserSpec(kind="l1", strength=0.1),  # 0.1 * 3
            RegulariserSpec(kind="l2", strength=0.2, warmup_epochs=2),  # 0.2 * 5 / 2, half of it at epoch 1
            RegulariserSpec(kind="elastic_net", strength=0.3, params={"l1_ratio": 0.2}),  # 0.3 * (0.6 + 2)
            RegulariserSpec(kind="weight_decay", strength=9.0),  # no term of the objective
        ]
    )
    regularisation = Regularisation(specs, model)
    assert sum(regularisation.values(1.0).values()) == pytest.approx(0.3 + 0.25 + 0.78)
    assert sum(regularisation.values(2.0).values()) == pytest.approx(0.3 + 0.5 + 0.78)
    in_loss = regularisation.loss_term(2.0)
    assert in_loss.item() == pytest.approx(0.5)
    in_loss.backward()
    torch.testing.assert_close(model.weight.grad, 0.2 * model.weight.detach())  # λw: the convention
    assert model.bias.grad is None


def test_penalty_gradients_by_hand():
    model = nn.Linear(3, 1)
    model.weight.data = torch.tensor([[1.0, -2.0, 0.0]])
    specs = [
        RegulariserSpec(kind="l1", strength=0.1, solver="penalty"),
        RegulariserSpec(kind="elastic_net", strength=0.2, solver="penalty", params={"l1_ratio": 0.25}),
    ]
    regularisation = Regularisation(completed_regularisers(specs), model)
    regularisation.loss_term(0.0).backward()
    expected = torch.tensor([[0.1 + 0.05 + 0.15, -0.1 - 0.05 - 0.3, 0.0]])
    torch.testing.assert_close(model.weight.grad, expected)


def test_decay_by_hand():
    model = one_weight(2.0)
    regularisation = Regularisation(
        completed_regularisers([RegulariserSpec(kind="weight_decay", strength=0.5)]), model
    )
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    regularisation.step(optimiser, 0.0)
    assert model.weight.item() == pytest.approx(2 - 0.1 * 0.5 * 2 - 0.1 * 1)
    assert model.bias.item() == pytest.approx(2 - 0.1 * 1)


@pytest.mark.parametrize("options", [{"foreach": False}, {"fused": True}], ids=["loop", "fused"])
def test_decay_is_adamw_step_for_step(options):
    model = nn.Sequential(nn.Linear(6, 8, bias=False), nn.Tanh(), nn.Linear(8, 3, bias=False))
    theirs_model = copy.deepcopy(model)
    spec = RegulariserSpec(kind="weight_decay", strength=0.3)
    regularisation = Regularisation(completed_regularisers([spec]), model)
    optimiser = adamw(model.parameters(), **options)
    theirs_optimiser = adamw(theirs_model.parameters(), weight_decay=0.3, **options)
    for _ in range(10):
        ours = train(model, optimiser, lambda o: regularisation.step(o, 0.0), steps=3)
        theirs = train(theirs_model, theirs_optimiser, lambda o: o.step(), steps=3)
        for a, b in zip(ours, theirs, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-7)


def test_a_proximal_step_by_hand():
    model = one_weight(1.0)
    regularisation = Regularisation(completed_regularisers([RegulariserSpec(kind="l1", strength=0.5)]), model)
    optimiser = torch.optim.SGD(model.parameters(), 0.1, momentum=0.5)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    regularisation.step(optimiser, 0.0)  # 1 - 0.1, then the threshold 0.1 * 0.5 / (1 - 0.5)
    assert model.weight.item() == pytest.approx(0.8)
    assert model.bias.item() == pytest.approx(0.9)


def test_proximal_steps_do_not_depend_on_the_order_in_the_spec():
    specs = [
        RegulariserSpec(kind="elastic_net", strength=2.0, params={"l1_ratio": 0.25}),
        RegulariserSpec(kind="l1", strength=1.0),
    ]
    ends = []
    for order in (specs, specs[::-1]):
        model = one_weight(1.0)
        model.weight.grad = torch.zeros_like(model.weight)
        Regularisation(completed_regularisers(order), model).step(
            torch.optim.SGD(model.parameters(), 0.1), 0.0
        )
        ends.append(model.weight.item())
    # prox of the sum: soft-threshold with 0.1·(1 + 2/4), divide by 1 + 0.1·2·3/4
    assert ends == pytest.approx([(1 - 0.15) / 1.15] * 2)


def test_an_absurd_strength_zeroes_everything_and_stays_finite():
    for make in (lambda p: torch.optim.SGD(p, 0.1, momentum=0.9), adamw):
        model = network()
        regularisation = Regularisation(
            completed_regularisers([RegulariserSpec(kind="l1", strength=100.0)]), model
        )
        parameters = train(model, make(model.parameters()), lambda o: regularisation.step(o, 0.0))  # noqa: B023
        assert all(parameter.isfinite().all() for parameter in parameters)
        assert all((parameter == 0).all() for parameter in parameters if parameter.ndim == 2)
