"""Measures of sparsity against closed forms, NumPy, SciPy, scikit-learn and gzip, and their axioms."""

import gzip
import json
import math

import numpy as np
import pytest
import scipy.sparse
import scipy.stats
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import auc
from torch import nn

from core.measure.concentration import effective_rank, gini, hoyer, magnitudes, moments
from core.measure.near import NEAR
from core.measure.sparsity import sparsity
from core.measure.storage import dense_bytes, gzip_bytes, gzipped, sparse_bytes


def hoyer_of(*parts):
    return hoyer(moments([torch.as_tensor(part) for part in parts]))


def gini_of(*parts):
    return gini(magnitudes([torch.as_tensor(part) for part in parts]))


def sparse_normal(*shape, seed=0, zeros=0.3):
    random = np.random.default_rng(seed)
    values = random.normal(size=shape) * (random.random(shape) >= zeros)
    return torch.tensor(values, dtype=torch.float32)


def test_counts_by_hand():
    model = nn.Sequential(nn.Linear(4, 1), nn.BatchNorm1d(1), nn.Linear(1, 2))
    model[0].weight.data = torch.tensor([[0.0, -0.0, 9e-4, 2.0]])
    model[2].weight.data = torch.tensor([[NEAR], [-5e-4]])  # the bound itself is not near
    model[0].bias.data.zero_()
    assert sparsity(model) == {
        "exact": 2 / 6,
        "near": 4 / 6,
        "weights": 6,
        "layers": {
            "0": {"exact": 2 / 4, "near": 3 / 4, "weights": 4},
            "2": {"exact": 0.0, "near": 1 / 2, "weights": 2},
        },
    }
    json.dumps(sparsity(model))
    assert sparsity(model, near=0.5)["near"] == 5 / 6


# How weights are spread

LISTS = st.lists(st.integers(-1000, 1000).map(lambda i: i / 8), min_size=2, max_size=40)


@pytest.mark.parametrize(("n", "k"), [(4, 1), (4, 4), (9, 4), (100, 25), (1, 1)])
def test_k_equal_weights_of_n_have_closed_forms(n, k):
    weights = torch.tensor([0.3] * k + [0.0] * (n - k))
    expected = (math.sqrt(n) - math.sqrt(k)) / (math.sqrt(n) - 1) if n > 1 else 0.0
    assert hoyer_of(weights) == pytest.approx(expected, abs=1e-12)
    assert gini_of(weights) == pytest.approx(1 - k / n, abs=1e-12)


def test_all_zero_is_as_sparse_as_can_be():
    for shape in ((1, 1), (3, 5)):
        assert hoyer_of(torch.zeros(shape)) == gini_of(torch.zeros(shape)) == 1
        assert effective_rank(torch.zeros(shape)) == 0


def test_of_random_weights_they_are_what_others_compute():
    parts = [sparse_normal(7, 3, 2, 2), sparse_normal(11, 5, seed=1)]
    w = np.concatenate([part.numpy().ravel() for part in parts]).astype(np.float64)
    root = np.sqrt(w.size)
    by_norms = (root - np.linalg.norm(w, 1) / np.linalg.norm(w)) / (root - 1)
    assert hoyer_of(*parts) == pytest.approx(by_norms, rel=1e-12)
    rising = np.sort(np.abs(w))
    lorenz = np.concatenate([[0], rising.cumsum() / rising.sum()])
    assert gini_of(*parts) == pytest.approx(1 - 2 * auc(np.linspace(0, 1, lorenz.size), lorenz), rel=1e-12)
    differences = np.abs(rising[:, None] - rising).sum() / (2 * w.size * rising.sum())
    assert gini_of(*parts) == pytest.approx(differences, rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(LISTS, st.sampled_from([0.25, 3.0, 1e-6, 4e7]), st.randoms())
def test_they_care_for_no_scale_sign_or_order(values, scale, random):
    shuffled = [value * random.choice([-scale, scale]) for value in random.sample(values, len(values))]
    for each in (hoyer_of, gini_of):
        assert 0 <= each(torch.tensor(values)) <= 1
        assert each(torch.tensor(shuffled)) == pytest.approx(each(torch.tensor(values)), abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(LISTS, st.integers(1, 20), st.integers(2, 4))
def test_the_gini_index_keeps_the_axioms_of_hurley_and_rickard(values, more, times):
    w = torch.tensor(values).abs()
    assume(w.any())
    before = gini_of(w)
    assert gini_of(torch.cat([w, torch.zeros(more)])) > before  # babies: zeros make it sparser
    assert gini_of(w.repeat(times)) == pytest.approx(before, abs=1e-9)  # cloning
    if len(w.unique()) > 1:
        assert gini_of(w + more) < before  # rising tide
        rich, poor = w.argmax(), w.argmin()
        shared = w.clone()
        shared[rich] -= (w[rich] - w[poor]) / 4
        shared[poor] += (w[rich] - w[poor]) / 4
        assert gini_of(shared) < before  # Robin Hood
    richer = w.clone()
    richer[0] = 1e6
    richest = w.clone()
    richest[0] = 2e6
    assert gini_of(richest) >= gini_of(richer)  # Bill Gates
    assert hoyer_of(torch.cat([w, torch.zeros(more)])) > hoyer_of(w) - 1e-12


def with_singular_values(rows, columns, values):
    random = np.random.default_rng(0)
    left = np.linalg.qr(random.normal(size=(rows, len(values))))[0]
    right = np.linalg.qr(random.normal(size=(columns, len(values))))[0]
    return torch.tensor(left * values @ right.T)


@pytest.mark.parametrize(("rows", "columns"), [(40, 60), (60, 40), (50, 50)])
def test_the_effective_rank_by_its_singular_values(rows, columns):
    values = np.array([5.0, 2.0, 1.0, 1e-3])
    expected = math.exp(scipy.stats.entropy(values))  # which divides by the sum itself
    matrix = with_singular_values(rows, columns, values)
    assert effective_rank(matrix) == pytest.approx(expected, rel=1e-6)
    assert effective_rank(1e-4 * matrix.float()) == pytest.approx(expected, rel=1e-5)
    assert effective_rank(with_singular_values(rows, columns, [2.0] * 7)) == pytest.approx(7, rel=1e-6)
    assert effective_rank(with_singular_values(rows, columns, [3.0])) == pytest.approx(1, rel=1e-6)


def test_the_effective_rank_of_dense_noise_and_of_filters():
    filters = sparse_normal(30, 8, 3, 3).to(memory_format=torch.channels_last)
    values = np.linalg.svd(filters.contiguous().numpy().reshape(30, 72).astype(np.float64), compute_uv=False)
    assert effective_rank(filters) == pytest.approx(math.exp(scipy.stats.entropy(values)), rel=1e-9)
    assert effective_rank(torch.eye(17)) == pytest.approx(17)
    assert effective_rank(torch.full((1, 1), -3.0)) == 1


# What weights weigh


@pytest.mark.parametrize(
    ("rows", "columns", "zeros", "column_bytes", "pointer_bytes"),
    [
        (6, 9, 0.5, 1, 1),
        (30, 256, 0.5, 1, 2),
        (30, 257, 0.9, 2, 2),
        (3, 70_000, 0.2, 4, 4),
        (5, 4, 1.0, 1, 1),
    ],
)
def test_sparse_storage_is_scipys_with_the_smallest_numbers(
    rows, columns, zeros, column_bytes, pointer_bytes
):
    part = sparse_normal(rows, columns, zeros=zeros)
    csr = scipy.sparse.csr_matrix(part.numpy())
    expected = csr.data.nbytes + column_bytes * csr.indices.size + pointer_bytes * csr.indptr.size
    assert csr.data.itemsize == 4
    assert sparse_bytes([part], [int(part.count_nonzero())]) == expected
    assert sparse_bytes([part, part], [int(part.count_nonzero())] * 2) == 2 * expected
    assert dense_bytes([part]) == part.numpy().nbytes


def test_gzip_is_what_gzip_reads():
    parts = [sparse_normal(16, 4, 3, 3, zeros=0.9), sparse_normal(10, 16)]
    contents = [(part.numpy() + 0.0).tobytes() for part in parts]  # no -0.0
    parts[0] = parts[0].to(memory_format=torch.channels_last)  # how a run keeps its filters
    assert [gzip.decompress(gzipped(part)) for part in parts] == contents
    assert gzip_bytes(parts) == sum(len(gzipped(part)) for part in parts)
    assert gzip_bytes([torch.zeros(100, 100)]) < 300


@pytest.mark.parametrize("zeros", [0.0, 0.5, 0.9, 0.99])
def test_runs_are_all_that_gzip_finds_in_weights(zeros):
    part = sparse_normal(128, 500, zeros=zeros)
    assert gzip_bytes([part]) <= 1.05 * len(gzip.compress((part.numpy() + 0.0).tobytes(), 6))
