import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

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


def test_of_weights_that_are_equal_the_first_go():
    weights = [torch.tensor([0.5, -0.5, 0.5, 2.0])]
    assert smallest(weights, 0.25)[0].tolist() == [True, False, False, False]


@given(
    arrays.arrays(np.float32, st.integers(1, 40), elements=st.sampled_from([0.0, 0.5, -0.5, 1.0, -1.0, 2.0])),
    st.floats(0, 1),
)
def test_of_equals_so_many_go_as_are_asked_for(values, share):
    count = round(share * values.size)
    (exact,) = smallest([torch.from_numpy(values)], share, zeros_together=False)
    assert int(exact.sum()) == count
    order = np.argsort(np.abs(values), kind="stable")[:count]
    assert set(np.flatnonzero(exact.numpy())) == set(order)
    (together,) = smallest([torch.from_numpy(values)], share)
    zeros = int((values == 0).sum())
    assert int(together.sum()) == (zeros if 0 < count <= zeros else count)
