"""The measures against closed forms, NumPy, SciPy and scikit-learn, and the axioms they claim."""

import gzip
import itertools
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

from core.layers.weights import regularised_weights
from core.measure.catalogue import MEASURES
from core.measure.concentration import effective_rank, gini, hoyer, magnitudes, moments
from core.measure.histogram import histogram
from core.measure.near import EDGES, share_below
from core.measure.prunable import prunable
from core.measure.sparsity import sparsity
from core.measure.storage import dense_bytes, gzip_bytes, gzipped, sparse_bytes
from core.measure.weight_measures import WeightMeasures
from core.models.build import build_model
from core.models.summary import summarise
from core.run.spec import ModelSpec


def hoyer_of(*parts):
    return hoyer(moments([torch.as_tensor(part) for part in parts]))


def gini_of(*parts):
    return gini(magnitudes([torch.as_tensor(part) for part in parts]))


def sparse_normal(*shape, seed=0, zeros=0.3):
    random = np.random.default_rng(seed)
    values = random.normal(size=shape) * (random.random(shape) >= zeros)
    return torch.tensor(values, dtype=torch.float32)


def default(arch, **params):
    return build_model(ModelSpec(arch=arch, params=params), channels=1, side=28, num_classes=10, seed=0)


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


# Histograms


def test_the_histogram_is_numpys_and_zeros_stand_apart():
    w = sparse_normal(50, 20, 3, 3).to(memory_format=torch.channels_last)
    w[:20] *= 1e-4
    w[20, 0, 0] = torch.tensor([2.0**-10, np.nextafter(np.float32(2**-10), np.float32(0)), -8.0])
    found = histogram([w[:10], w[10:]], int(w.count_nonzero()))
    values = w.abs().flatten().numpy()
    assert found["zeros"] == (values == 0).sum()
    assert found["counts"] == np.histogram(values, EDGES)[0].tolist()
    assert len(found["counts"]) <= 40
    assert sum(found["counts"]) + found["zeros"] == w.numel()


def test_what_lies_beyond_the_edges_is_in_the_outer_bins():
    found = histogram([torch.tensor([[0.0, -0.0, 1e-45, 1e-12, EDGES[0], EDGES[-1], -1e30]])], 5)
    assert found["zeros"] == 2
    assert (found["counts"][0], found["counts"][-1], sum(found["counts"])) == (3, 2, 5)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(EDGES[1:-1]), st.integers(0, 5))
def test_the_share_below_an_edge_is_exact(edge, seed):
    layers = {"a": sparse_normal(30, 40, seed=seed), "b": sparse_normal(7, 9, seed=seed) * 1e-3}
    layers["b"][0, 0] = edge  # not below itself
    every = torch.cat([w.flatten() for w in layers.values()])
    histograms = {name: histogram([w], int(w.count_nonzero())) for name, w in layers.items()}
    assert share_below(histograms, edge) == pytest.approx(float((every.abs() < edge).double().mean()))


# All together


class TiedAndRecurrent(nn.Module):
    """A shared layer, a layer of several matrices, and much that is not counted."""

    classifier = "classify"

    def __init__(self):
        super().__init__()
        self.encode = nn.Linear(3, 4)
        self.norm = nn.LayerNorm(4)
        self.lstm = nn.LSTM(4, 2, bidirectional=True)
        self.again = nn.Linear(3, 4)
        self.again.weight = self.encode.weight
        self.classify = nn.Linear(4, 5)


def test_shared_and_multi_part_layers_count_once():
    torch.manual_seed(0)
    model = TiedAndRecurrent()
    with torch.no_grad():
        model.encode.weight[1] = 0
        model.lstm.weight_hh_l0.zero_()
        model.lstm.weight_ih_l0.view(4, 2, 4)[:, 1] = 0  # the second unit, in all four gates
    found = WeightMeasures(model).measure(thorough=True)
    figures, layers = found["sparsity"], found["sparsity"]["layers"]
    encode, classify = model.encode.weight, model.classify.weight
    lstm = [getattr(model.lstm, f"weight_{end}_l0{way}") for way in ("", "_reverse") for end in ("ih", "hh")]
    assert list(layers) == list(found["weights"]) == ["encode", "lstm", "classify"]
    assert [layers[name]["weights"] for name in layers] == [12, 2 * (8 * 4 + 8 * 2), 20]
    assert layers["lstm"]["hoyer"] == pytest.approx(hoyer_of(torch.cat([w.flatten() for w in lstm])))
    assert layers["lstm"]["gini"] == pytest.approx(gini_of(torch.cat([w.flatten() for w in lstm])))
    assert layers["lstm"]["effective_rank"] == pytest.approx(sum(effective_rank(w) for w in lstm))
    assert layers["lstm"]["groups"] == {"neurons": {"zero": 1, "all": 4}}
    assert layers["encode"]["groups"] == {"neurons": {"zero": 1, "all": 4}}
    assert "groups" not in layers["classify"]  # classes are no neurons to take out
    whole = torch.cat([w.flatten() for w in (encode, *lstm, classify)])
    assert figures["weights"] == whole.numel()
    assert figures["hoyer"] == pytest.approx(hoyer_of(whole))
    assert figures["gini"] == pytest.approx(gini_of(whole))
    assert figures["groups"] == {"neurons": {"zero": 2, "all": 8}}
    for name in ("effective_rank", "weights"):
        assert figures[name] == pytest.approx(sum(layer[name] for layer in layers.values()))
    for name in ("dense", "sparse", "gzip"):
        assert figures["bytes"][name] == sum(layer["bytes"][name] for layer in layers.values())
    assert figures["bytes"]["dense"] == 4 * whole.numel()


@pytest.mark.parametrize("arch", ["cnn", "mlp", "rnn", "attention"])
def test_every_network_has_every_measure_in_an_event_of_modest_size(arch):
    model = default(arch).to(memory_format=torch.channels_last)
    plain, full = WeightMeasures(model).measure(thorough=False), WeightMeasures(model).measure(thorough=True)
    assert WeightMeasures(model).measure(thorough=False, histograms=False) == {"sparsity": plain["sparsity"]}
    for found in (plain["sparsity"], *plain["sparsity"]["layers"].values()):
        assert not {"gini", "effective_rank"} & found.keys() and "gzip" not in found["bytes"]
    old = sparsity(model)
    for found, before in [(full["sparsity"], old)] + [
        (full["sparsity"]["layers"][name], layer) for name, layer in old["layers"].items()
    ]:
        assert {key: found[key] for key in before if key != "layers"} == {
            key: value for key, value in before.items() if key != "layers"
        }
        known = {*found, *found["bytes"], *found.get("groups", {}), "prunable"}
        assert known - {"weights", "layers", "groups", "bytes"} <= MEASURES.keys()
    assert len(json.dumps(full, allow_nan=False)) < 12_000


def test_filters_neurons_and_heads_that_are_zero():
    cnn = default("cnn", channels=[8, 4], hidden=16)
    attention = default("attention")
    with torch.no_grad():
        cnn.conv2.weight[[0, 3]] = 0
        cnn.fc1.weight[5] = 0
        block = attention.block1.attention
        for start in (0, 64, 128):
            block.qkv.weight[start + 16 : start + 32] = 0
        block.output.weight[:, 16:32] = 0
        block.output.weight[:, 32:48] = 0  # half a head is none
    found = WeightMeasures(cnn).measure(thorough=False)["sparsity"]
    assert found["groups"] == {"filters": {"zero": 2, "all": 12}, "neurons": {"zero": 1, "all": 16}}
    assert found["layers"]["conv1"]["groups"] == {"filters": {"zero": 0, "all": 8}}
    layers = WeightMeasures(attention).measure(thorough=False)["sparsity"]["layers"]
    assert layers["block1.attention.qkv"]["groups"]["heads"] == {"zero": 1, "all": 4}
    assert layers["block2.attention.qkv"]["groups"]["heads"] == {"zero": 0, "all": 4}


def test_a_network_of_zeros_has_measures_too():
    model = default("cnn", channels=[4], hidden=16)
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    found = WeightMeasures(model).measure(thorough=True)["sparsity"]
    assert (found["exact"], found["hoyer"], found["gini"], found["effective_rank"]) == (1, 1, 1, 0)
    assert found["groups"]["filters"] == {"zero": 4, "all": 4}
    assert found["bytes"]["sparse"] == 4 + 1 + 16 + 1 + 10 + 1  # where each row begins


def test_thorough_measures_take_more_epochs_where_those_are_shorter():
    model = default("cnn")
    work = summarise(ModelSpec(arch="cnn"), channels=1, side=28, num_classes=10).multiply_adds
    costs = [WeightMeasures(model).thorough_cost(steps, work * 128 * steps) for steps in (1, 8, 32, 100)]
    assert costs == pytest.approx([costs[0] / steps for steps in (1, 8, 32, 100)])
    assert 0.04 <= costs[2] <= 0.07  # mnist5k; 0.05 measured


def test_every_measure_has_a_definition():
    for entry in MEASURES.values():
        assert entry.title and entry.formula and entry.source
        assert entry.help.endswith(".") and ". " not in entry.help


# The prunable share


def counting(weights, right):
    """An accuracy that depends on the weights' share of non-zeros alone, and how often it was asked for."""
    calls = []

    def evaluate(least):
        kept = sum(int(w.count_nonzero()) for w in weights) / sum(w.numel() for w in weights)
        calls.append(kept)
        return right(kept)

    return evaluate, calls


@pytest.mark.parametrize("needed", [0.0, 0.01, 0.37, 0.5, 0.999, 1.0])
def test_bisection_finds_how_many_weights_are_needed(needed):
    weights = [sparse_normal(40, 30, zeros=0), sparse_normal(20, 10, 3, 3, seed=1, zeros=0)]
    evaluate, calls = counting(weights, lambda kept: 0.9 if kept >= needed else 0.1)
    found = prunable(weights, evaluate)
    assert len(calls) <= 8
    assert 1 - needed - 1 / 128 <= found["share"] <= 1 - needed + 1e-9
    assert found["accuracy"] == 0.9


def test_half_a_point_is_allowed_and_the_rest_is_not():
    weights = [torch.linspace(1, 2, 1000).view(10, 100)]
    evaluate, calls = counting(weights, lambda kept: 0.9 - 0.01 * (1 - kept))
    found = prunable(weights, evaluate, accuracy=0.9)
    assert len(calls) <= 7
    assert 0.5 - 1 / 128 <= found["share"] <= 0.5
    assert found["accuracy"] == pytest.approx(0.9 - 0.01 * found["share"])
    assert prunable(weights, evaluate, points=100.0)["share"] > 1 - 1 / 128
    evaluate, _ = counting(weights, lambda kept: 9 / 200)  # half a point exactly; a shade more as floats
    assert prunable(weights, evaluate, accuracy=10 / 200)["share"] > 1 - 1 / 128


def test_of_few_weights_the_answer_is_exact():
    weights = [sparse_normal(5, 20, zeros=0)]
    for needed in range(101):
        evaluate, _ = counting(weights, lambda kept, needed=needed: float(kept * 100 > needed - 0.5))
        assert prunable(weights, evaluate, accuracy=1.0)["share"] == (100 - needed) / 100


def test_the_smallest_go_first_whatever_their_layer():
    weights = [torch.tensor([[1.0, -4.0], [0.0, 3.0]]), torch.tensor([[-2.0, 5.0]])]
    seen = []

    def evaluate(least):
        seen.append(
            sorted(float(abs(w)) for w in itertools.chain(*(part.flatten() for part in weights)) if w)
        )
        return 1.0

    assert prunable(weights, evaluate) == {"share": 1.0, "accuracy": 1.0, "cutoff": 5.0}
    assert seen[0] == [1, 2, 3, 4, 5]
    assert all(kept == [1, 2, 3, 4, 5][5 - len(kept) :] for kept in seen)


def test_zeros_that_are_there_count_and_equals_go_together():
    zeros = torch.zeros(4, 4)
    evaluate, calls = counting([zeros], lambda kept: 0.1)
    whole = {"share": 1.0, "accuracy": 0.1, "cutoff": 0.0}
    assert prunable([zeros], evaluate, accuracy=0.1) == whole and not calls
    same = torch.cat([torch.zeros(1, 5), torch.full((1, 5), 0.5)])
    evaluate, _ = counting([same], lambda kept: float(kept == 0.5))
    assert prunable([same], evaluate) == {"share": 0.5, "accuracy": 1.0, "cutoff": 0.0}


def test_weights_are_put_back_to_the_last_bit():
    model = default("cnn", channels=[4], hidden=16).to(memory_format=torch.channels_last)
    weights = [w for parts in regularised_weights(model).values() for w in parts]
    with torch.no_grad():
        weights[0][0] = torch.tensor(-0.0)
    before = [w.detach().clone() for w in weights]

    def fails(least):
        assert any(not w.equal(old) for w, old in zip(weights, before, strict=True))
        raise RuntimeError("no memory")

    assert 0 < prunable(weights, lambda least: 0.5 if weights[0].any() else 0.1)["share"] < 1
    with pytest.raises(RuntimeError, match="no memory"):
        prunable(weights, fails, accuracy=0.9)
    for weight, old in zip(weights, before, strict=True):
        assert weight.view(torch.int32).equal(old.view(torch.int32)) and weight.stride() == old.stride()
    assert all(weight.requires_grad for weight in weights)
