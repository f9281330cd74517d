"""The metric against what the optimisers do: how far a weight really moves under a constant gradient."""

import pytest
import torch
from torch import nn

from core.regularise.step_sizes import _root_of_correction, _root_on_device, step_sizes

LR = 1e-3
OPTIMISERS = {
    "sgd": lambda p: torch.optim.SGD(p, LR, fused=True),
    "sgd momentum": lambda p: torch.optim.SGD(p, LR, momentum=0.9, fused=True),
    "sgd nesterov": lambda p: torch.optim.SGD(p, LR, momentum=0.8, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, LR, betas=(0.9, 0.999), foreach=False),
    "adam fused": lambda p: torch.optim.Adam(p, LR, betas=(0.8, 0.99), fused=True),
    "adamw fused": lambda p: torch.optim.AdamW(p, LR, weight_decay=0.0, fused=True),
    "rmsprop": lambda p: torch.optim.RMSprop(p, LR, alpha=0.9, foreach=True),
    "rmsprop momentum": lambda p: torch.optim.RMSprop(p, LR, alpha=0.95, momentum=0.9),
}
GRADIENTS = [torch.tensor([[1.0, -0.5, 0.01], [3.0, 1e-4, -20.0]]), torch.tensor([[0.2], [-7.0]])]


@pytest.mark.parametrize("name", OPTIMISERS)
def test_step_size_is_the_distance_moved_under_a_constant_gradient(name):
    weights = [nn.Parameter(torch.zeros_like(g, dtype=torch.float64)) for g in GRADIENTS]
    bias = nn.Parameter(torch.zeros(2, dtype=torch.float64))  # in the same group, and not asked about
    optimiser = OPTIMISERS[name]([*weights, bias])
    noise = torch.Generator().manual_seed(0)
    for step in range(600):
        for weight, gradient in zip(weights, GRADIENTS, strict=True):
            # First a gradient that changes, so that the averages have a past to remember.
            factor = torch.randn((), generator=noise) if step < 50 else 1.0
            weight.grad = (gradient * factor).double()
        bias.grad = torch.ones_like(bias)
        before = [weight.detach().clone() for weight in weights]
        optimiser.step()
    sizes = step_sizes(optimiser, weights)
    for i, (weight, gradient) in enumerate(zip(weights, GRADIENTS, strict=True)):
        moved = (before[i] - weight.detach()) / gradient.double()
        size = torch.full_like(moved, sizes) if isinstance(sizes, float) else sizes.sizes(sizes.squares[i])
        low = gradient.abs() < 0.03 * gradient.abs().mean() if not isinstance(sizes, float) else None
        if low is not None and low.any():  # as if its gradient were 3 % of the tensor's mean
            floored = moved[low] * gradient[low].abs() / (0.03 * gradient.abs().mean())
            torch.testing.assert_close(size[low], floored.double(), rtol=2e-4, atol=0)
            moved, size = moved[~low], size[~low]
        torch.testing.assert_close(moved, size, rtol=1e-6, atol=0)


def test_adam_is_corrected_from_its_first_step():
    weight = nn.Parameter(torch.zeros(1, 2, dtype=torch.float64))
    optimiser = torch.optim.Adam([weight], LR, fused=True)
    weight.grad = torch.tensor([[4.0, -0.5]], dtype=torch.float64)
    optimiser.step()
    sizes = step_sizes(optimiser, [weight])
    size = sizes.sizes(sizes.squares[0])
    torch.testing.assert_close(size, LR / (weight.grad.abs() + 1e-8))
    torch.testing.assert_close(-weight.detach(), size * weight.grad)


def test_sgd_in_closed_form():
    weight = nn.Parameter(torch.zeros(1, 1))
    assert step_sizes(torch.optim.SGD([weight], 0.1, momentum=0.9), [weight]) == pytest.approx(1.0)


def test_the_group_that_holds_the_weights_gives_the_learning_rate():
    weight, bias = nn.Parameter(torch.zeros(1, 1)), nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.SGD([{"params": [bias], "lr": 9.0}, {"params": [weight]}], lr=0.5)
    assert step_sizes(optimiser, [weight]) == 0.5
    with pytest.raises(AssertionError):
        step_sizes(optimiser, [weight, bias])


@pytest.mark.parametrize("steps", [1, 7, 10_000])
def test_what_corrects_adams_mean_is_the_same_on_a_device(steps):
    step = torch.tensor(float(steps))
    found = _root_on_device(step, 0.999)
    assert found.dtype == step.dtype and float(found) == pytest.approx((1 - 0.999**steps) ** 0.5, rel=1e-6)
    assert _root_of_correction(step, 0.999) == pytest.approx(float(found), rel=1e-6)
