"""Sharpness-aware minimisation against its paper, and what a step with two passes must not do twice."""

import pytest
import torch
from torch import nn

from core.catalogues import completed
from core.regularise.check import completed_regularisers
from core.regularise.regularisation import Regularisation
from core.run.spec import RegulariserSpec, parse
from core.text.how_long import how_long
from core.train.loop import run
from core.train.measuring import thorough_every
from core.train.session import epoch_order, open_session
from core.train.step import train_step
from tests.train.small_runs import epochs, spec

SAM = {"kind": "sam", "strength": 0.3}


def regularised(model, *specs):
    return Regularisation(completed_regularisers([RegulariserSpec(**each) for each in specs]), model)


def test_the_gradient_is_that_of_the_papers_equation_3_and_penalties_are_taken_at_the_weights():
    """L = ½wᵀAw: at w + ρ·Aw/‖Aw‖ its gradient is A(w + ρ·Aw/‖Aw‖), and L2 adds λw."""
    draws = torch.Generator().manual_seed(0)
    a = torch.randn(6, 6, generator=draws, dtype=torch.float64)
    a = a @ a.T
    model = nn.Linear(6, 1, bias=False).double()
    w = model.weight
    before = w.detach().clone()
    regularisation = regularised(model, SAM, {"kind": "l2", "strength": 0.7})

    def loss():
        return 0.5 * (w @ a @ w.T).sum()

    regularisation.backward(torch.optim.SGD(model.parameters(), 0.1), loss(), loss, 0.0)
    g = before @ a
    expected = (before + 0.3 * g / g.norm()) @ a + 0.7 * before
    torch.testing.assert_close(w.grad, expected, rtol=1e-12, atol=1e-12)
    assert torch.equal(w, before)


def test_the_weights_come_back_to_the_last_bit():
    model = nn.Sequential(nn.Linear(40, 40), nn.LayerNorm(40))
    (sam,) = regularised(model, SAM)._regularisers
    model(torch.ones(3, 40)).square().mean().backward()
    before = [each.detach().clone() for each in model.parameters()]
    with sam.uphill(3.0):
        away = [each.detach() - old for each, old in zip(model.parameters(), before, strict=True)]
        assert torch.cat([each.flatten() for each in away]).norm().item() == pytest.approx(3.0, rel=1e-5)
    assert all(map(torch.equal, model.parameters(), before))


def test_both_passes_see_one_batch_and_only_the_first_moves_batch_norms_means():
    chosen = completed(
        spec(
            SAM,
            augment={"ops": [{"op": "RandomAffine", "p": 1.0}], "mix": {"op": "RandomMixUpV2"}},
            model={"arch": "cnn", "params": {"channels": [8], "hidden": 16, "batch_norm": True}},
        )
    )
    seen = {}
    for name, strength in (("plain", 0.0), ("sam", 0.3)):
        session = open_session(chosen)
        session.regularisation.set_strength("sam", strength)
        session.model.train()
        given = []
        session.model.register_forward_pre_hook(
            lambda _, images, given=given: given.append(images[0].clone())
        )
        index = epoch_order(chosen, 200, 1)[:64]
        told = train_step(session, *session.batch(index, 0), 0)
        seen[name] = given, told, dict(session.model.named_buffers())
    assert [len(given) for given, _, _ in seen.values()] == [1, 2]
    assert all(torch.equal(images, seen["plain"][0][0]) for images in seen["sam"][0])
    assert all(map(torch.equal, seen["plain"][1], seen["sam"][1]))  # loss and logits are those of the weights
    for name, value in seen["plain"][2].items():
        assert torch.equal(value, seen["sam"][2][name]), name
    counts = [value for name, value in seen["sam"][2].items() if name.endswith("num_batches_tracked")]
    assert counts and all(count == 1 for count in counts)


@pytest.mark.parametrize(
    "model",
    [
        {"arch": "mlp", "params": {"hidden": [24, 16], "dropout": 0.5}},
        {"arch": "cnn", "params": {"channels": [8], "hidden": 16, "batch_norm": True, "dropout": 0.5}},
        {"arch": "attention", "params": {"width": 16, "heads": 2, "depth": 2, "drop_path": 0.4}},
    ],
    ids=lambda model: model["arch"],
)
def test_next_to_no_distance_changes_next_to_nothing(model):
    """With other masks, another mix or other gates in the second pass it would."""
    rest = {
        "model": model,
        "augment": {"mix": {"op": "RandomMixUpV2"}},
        "optimiser": {"kind": "sgd", "lr": 0.2},
    }
    gates = {"kind": "l0", "strength": 0.1}
    plain = epochs(run(spec(gates, **rest)))
    near = epochs(run(spec({"kind": "sam", "strength": 1e-8}, gates, **rest)))
    for one, other in zip(plain, near, strict=True):
        assert other["train_loss"] == pytest.approx(one["train_loss"], rel=1e-4)
    far = epochs(run(spec(SAM, gates, **rest)))
    assert abs(far[-1]["train_loss"] / plain[-1]["train_loss"] - 1) > 1e-3


def test_its_second_pass_is_counted():
    plain, twice = completed(spec()), completed(spec(SAM))
    started = next(event for event in run(twice) if event["event"] == "started")
    assert any("goes through the network twice" in note for note in started["notes"])
    ran = type("Run", (), {"spec": plain, "kind": "train", "imported_at": None, "inputs": {}})()
    ran.summary = {"epoch_seconds": 3.0, "last": {}}
    assert how_long(plain, [ran]).seconds == pytest.approx(12)
    assert how_long(twice, [ran]) is None  # runs with one pass say nothing of it
    many = {"data": {"train_images": 2000}, "train": {"epochs": 100, "device": "cpu"}}
    every = [
        thorough_every(open_session(completed(parse(many | more)))) for more in ({}, {"regularisers": [SAM]})
    ]
    assert every[1] < every[0]  # measuring is the smaller share of the longer training
