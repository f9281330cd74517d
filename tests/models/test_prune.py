import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from core.transform.prune import GradualPruning, cubic, prune_, smallest


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=4),
    share=st.floats(0, 1),
    seed=st.integers(0, 99),
)
def test_the_smallest_of_all_layers_together_go(sizes, share, seed):
    generator = torch.Generator().manual_seed(seed)
    weights = [torch.randn(size, 2, generator=generator) for size in sizes]
    every = np.concatenate([weight.numpy().ravel() for weight in weights])
    prune_(weights, smallest(weights, share))
    left = np.concatenate([weight.numpy().ravel() for weight in weights])
    gone = np.argsort(np.abs(every))[: round(share * len(every))]
    expected = every.copy()
    expected[gone] = 0
    np.testing.assert_array_equal(left, expected)
    assert not np.signbit(left[gone]).any()


def test_weights_that_are_equal_go_together():
    weights = [torch.tensor([0.5, -0.5, 0.5, 2.0])]
    assert smallest(weights, 0.25)[0].tolist() == [True, True, True, False]


def test_the_cubic_is_that_of_the_paper():
    # s_t = s_f + (s_i - s_f)·(1 - (t - t0)/(n·Δt))³ with s_i = 0
    for progress in (0, 0.1, 0.5, 1):
        assert cubic(0.9, progress) == pytest.approx(0.9 + (0 - 0.9) * (1 - progress) ** 3)


def test_pruned_weights_stay_zero_while_the_others_learn():
    torch.manual_seed(0)
    layer = nn.Linear(20, 10)
    optimiser = torch.optim.Adam(layer.parameters(), lr=0.01)
    pruning = GradualPruning([layer.weight], 0.8, first=10, last=31, every=5)
    images, targets, shares = torch.randn(64, 20), torch.randn(64, 10), []
    for step in range(50):
        loss = (layer(images) - targets).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        pruning.after_step(step)
        shares.append(float(layer.weight.eq(0).float().mean()))
        if step == 31:
            at_end = layer.weight.detach().clone()
    assert shares[9] == shares[10] == 0
    expected = [0.8 * (1 - (1 - since / 21) ** 3) for since in (5, 10, 15, 20, 21)]
    assert [shares[10 + since] for since in (5, 10, 15, 20, 21)] == pytest.approx(expected, abs=0.005)
    assert shares[16] == shares[15] and shares == sorted(shares)
    assert torch.equal(layer.weight == 0, at_end == 0) and shares[-1] == pytest.approx(0.8)
    assert not torch.equal(layer.weight, at_end)
