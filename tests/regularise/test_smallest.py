import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.regularise.zeros import lay_, smallest


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
    lay_(weights, smallest(weights, share))
    left = np.concatenate([weight.numpy().ravel() for weight in weights])
    gone = np.argsort(np.abs(every))[: round(share * len(every))]
    expected = every.copy()
    expected[gone] = 0
    np.testing.assert_array_equal(left, expected)
    assert not np.signbit(left[gone]).any()


def test_weights_that_are_equal_go_together():
    weights = [torch.tensor([0.5, -0.5, 0.5, 2.0])]
    assert smallest(weights, 0.25)[0].tolist() == [True, True, True, False]
