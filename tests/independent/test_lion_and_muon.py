"""Lion against its paper in NumPy, and Muon with AdamW against torch's two, each by itself."""

import numpy as np
import pytest
import torch

from core.optimise.build import build_optimiser
from core.optimise.catalogue import completed_optimiser
from core.run.spec import OptimiserSpec


def parameters(seed=0, dtype=torch.float32):
    """A matrix and filters; and a bias and a matrix of positions, which are no layer's weights."""
    draws = torch.Generator().manual_seed(seed)
    shapes = (5, 7), (4, 3, 3, 3), (7,), (6, 5)
    made = [torch.nn.Parameter(torch.randn(*shape, generator=draws, dtype=dtype)) for shape in shapes]
    return made[:2], made[2:]


def gradients(step, all_of):
    draws = torch.Generator().manual_seed(100 + step)
    return [torch.randn(each.shape, generator=draws, dtype=each.dtype) for each in all_of]


def built(kind, weights, others, **params):
    spec = completed_optimiser(OptimiserSpec(kind=kind, lr=0.01, params=params))
    return build_optimiser(spec, weights, others)


def test_lion_is_algorithm_2_of_its_paper():
    weights, others = parameters(dtype=torch.float64)
    optimiser = built("lion", weights, others, beta1=0.8, beta2=0.95, weight_decay=0.3)
    everything = [*weights, *others]
    hand = [each.detach().numpy().copy() for each in everything]
    means = [np.zeros_like(each) for each in hand]
    for step in range(30):
        rate = 0.01 / (1 + step)
        for group in optimiser.param_groups:
            group["lr"] = rate
        given = gradients(step, everything)
        for i, (each, gradient) in enumerate(zip(everything, given, strict=True)):
            each.grad = gradient
            g, decay = gradient.numpy(), 0.3 if i < 2 else 0.0
            c = 0.8 * means[i] + (1 - 0.8) * g
            hand[i] = hand[i] - rate * (np.sign(c) + decay * hand[i])
            means[i] = 0.95 * means[i] + (1 - 0.95) * g
        optimiser.step()
    for each, by_hand in zip(everything, hand, strict=True):
        np.testing.assert_allclose(each.detach().numpy(), by_hand, rtol=1e-12, atol=1e-13)


def test_lion_leaves_a_weight_alone_that_nothing_pulls_at():
    weight = torch.nn.Parameter(torch.tensor([[1.0, 2.0]]))
    optimiser = built("lion", [weight], [], weight_decay=0.0)
    weight.grad = torch.tensor([[0.0, 1e-9]])
    optimiser.step()
    assert weight[0, 0].item() == 1 and weight[0, 1].item() == pytest.approx(2 - 0.01)


def by_torch(weights, others, rate):
    """Torch's Muon for the matrix, its AdamW for all else."""
    muon = torch.optim.Muon(weights[:1], rate, weight_decay=0.2, momentum=0.9, adjust_lr_fn="match_rms_adamw")
    rest = [
        {"params": weights[1:], "weight_decay": 0.2},
        {"params": others, "weight_decay": 0.0},
    ]
    return muon, torch.optim.AdamW(rest, rate, fused=True)


def test_muon_is_torchs_muon_and_adamw_to_the_last_bit():
    ours, theirs = parameters(), parameters()
    optimiser = built("muon", *ours, momentum=0.9, weight_decay=0.2)
    both = by_torch(*theirs, 0.01)
    for step in range(12):
        if step == 6:  # with its state saved and given to a new one
            state, optimiser = optimiser.state_dict(), built("muon", *ours, momentum=0.9, weight_decay=0.2)
            optimiser.load_state_dict(state)
        for one in (optimiser, *both):
            for group in one.param_groups:
                group["lr"] = 0.01 / (1 + step)
        for of in (ours, theirs):
            everything = [*of[0], *of[1]]
            for each, gradient in zip(everything, gradients(step, everything), strict=True):
                each.grad = gradient
        optimiser.step()
        for each in both:
            each.step()
    for one, other in zip([*ours[0], *ours[1]], [*theirs[0], *theirs[1]], strict=True):
        assert torch.equal(one, other)


def test_a_matrix_goes_a_fifth_of_the_rate_and_nearly_alike_in_all_directions():
    """The root mean square of a step is 0.2·lr, and its singular values lie between 0.5 and 1.5 of one."""
    weights, _ = parameters()
    optimiser = built("muon", weights, [], weight_decay=0.0, momentum=0.0, nesterov=False)
    before = weights[0].detach().clone()
    weights[0].grad = gradients(0, weights)[0] * 1e4  # a gradient's size does not count
    optimiser.step()
    step = (before - weights[0].detach()) / (0.01 * 0.2 * 7**0.5)
    values = torch.linalg.svdvals(step)
    assert values.min() > 0.5 and values.max() < 1.5
    u, _, v = torch.linalg.svd(gradients(0, weights)[0], full_matrices=False)
    assert torch.nn.functional.cosine_similarity(step.flatten(), (u @ v).flatten(), dim=0) > 0.97
