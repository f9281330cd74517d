"""The measures of a network: what is counted, how often, and what every one is told with."""

import itertools
import json
import math

import numpy as np
import pytest
import scipy.sparse
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from core.layers.weights import regularised_weights
from core.measure.catalogue import MEASURES
from core.measure.concentration import effective_rank, gini, hoyer, magnitudes, moments
from core.measure.histogram import histogram
from core.measure.near import EDGES, share_below
from core.measure.prunable import prunable
from core.measure.sparsity import sparsity
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


def judged_by(weights, falls, right=0.9):
    """A judgement in which each image's probability, ``right`` at first, falls as ``falls`` says of the share
    of zeros; and the shares that were asked for."""
    asked = []

    def judge():
        share = 1 - sum(int(w.count_nonzero()) for w in weights) / sum(w.numel() for w in weights)
        asked.append(share)
        left = right - torch.as_tensor(falls(share), dtype=torch.float64)
        return -left.log(), left > 0.5

    whole = judge()
    asked.clear()
    return judge, whole, asked


def cliff(needed, images=4):
    """Nothing is lost as long as the share ``needed`` of the weights is kept, and then nearly all."""
    return lambda share: np.full(images, 0.0 if 1 - share >= needed - 1e-9 else 0.8)


@pytest.mark.parametrize("needed", [0.0, 0.01, 0.37, 0.5, 0.999, 1.0])
def test_bisection_finds_how_many_weights_are_needed(needed):
    weights = [sparse_normal(40, 30, zeros=0), sparse_normal(20, 10, 3, 3, seed=1, zeros=0)]
    judge, whole, asked = judged_by(weights, cliff(needed))
    found = prunable(weights, judge, whole)
    assert len(asked) == 7  # all images fall alike, so the ends lie between the same two looks
    assert 1 - needed - 1 / 128 <= found["share"] <= 1 - needed + 1e-9
    assert found["share"] - 1e-9 <= found["low"] <= found["high"] <= found["share"] + 1 / 128 + 1e-9
    assert found["accuracy"] == 1.0


def test_two_points_are_allowed_and_the_interval_is_that_of_a_paired_mean():
    """Image i loses b_i of its probability for each share: mean and standard error are lines in it."""
    weights = [torch.linspace(1, 2, 12_800).view(10, 1280)]
    each = np.random.default_rng(0).uniform(-0.4, 0.5, 400)
    judge, whole, asked = judged_by(weights, lambda share: each * share, right=0.5)
    found = prunable(weights, judge, whole)
    interval = scipy.stats.norm.interval(0.95, each.mean(), each.std() / math.sqrt(len(each)))
    assert 0.02 / each.mean() - 1 / 128 < found["share"] <= 0.02 / each.mean() < 0.6
    assert (found["high"], found["low"]) == pytest.approx([0.02 / end for end in interval], abs=2e-3)
    assert found["accuracy"] == pytest.approx(np.mean(each * found["share"] < 0))
    assert len(asked) == len(set(asked)) < 18


def test_where_no_share_fails_all_weights_can_go():
    weights = [torch.linspace(1, 2, 1000).view(10, 100)]
    judge, whole, _ = judged_by(weights, lambda share: np.array([-0.05, 0.08]) * share)  # 1.5 points at most
    found = prunable(weights, judge, whole)
    assert found["share"] > 1 - 1 / 128 and found["low"] < 0.6 and found["high"] == 1.0


def test_of_few_weights_the_answer_is_exact():
    weights = [sparse_normal(5, 20, zeros=0)]
    for needed in range(101):
        judge, whole, _ = judged_by(weights, cliff(needed / 100))
        assert prunable(weights, judge, whole)["share"] == (100 - needed) / 100


def test_the_smallest_go_first_whatever_their_layer():
    weights = [torch.tensor([[1.0, -4.0], [0.0, 3.0]]), torch.tensor([[-2.0, 5.0]])]
    whole = torch.zeros(3), torch.ones(3, dtype=torch.bool)
    seen = []

    def judge():
        seen.append(
            sorted(float(abs(w)) for w in itertools.chain(*(part.flatten() for part in weights)) if w)
        )
        return whole

    every = {"share": 1.0, "low": 1.0, "high": 1.0, "accuracy": 1.0, "cutoff": 5.0}
    assert prunable(weights, judge, whole) == every
    assert seen[0] == [1, 2, 3, 4, 5][5 - len(seen[0]) :] and len(seen[0]) > len(seen[-1])
    assert all(kept == [1, 2, 3, 4, 5][5 - len(kept) :] for kept in seen)


def test_zeros_that_are_there_count_and_equals_go_together():
    zeros = torch.zeros(4, 4)
    judge, whole, asked = judged_by([zeros], cliff(0.0))
    assert prunable([zeros], judge, whole)["share"] == 1.0 and not asked
    same = torch.cat([torch.zeros(1, 5), torch.full((1, 5), 0.5)])
    judge, whole, _ = judged_by([same], cliff(0.5))
    found = prunable([same], judge, whole)
    assert found["share"] == found["low"] == 0.5 and found["cutoff"] == 0.0


def test_weights_are_put_back_to_the_last_bit():
    model = default("cnn", channels=[4], hidden=16).to(memory_format=torch.channels_last)
    weights = [w for parts in regularised_weights(model).values() for w in parts]
    with torch.no_grad():
        weights[0][0] = torch.tensor(-0.0)
    before = [w.detach().clone() for w in weights]

    whole = torch.zeros(2), torch.ones(2, dtype=torch.bool)

    def judge():
        return (torch.zeros(2) if weights[0].any() else torch.full((2,), 9.0)), whole[1]

    def fails():
        assert any(not w.equal(old) for w, old in zip(weights, before, strict=True))
        raise RuntimeError("no memory")

    assert 0 < prunable(weights, judge, whole)["share"] < 1
    with pytest.raises(RuntimeError, match="no memory"):
        prunable(weights, fails, whole)
    for weight, old in zip(weights, before, strict=True):
        assert weight.view(torch.int32).equal(old.view(torch.int32)) and weight.stride() == old.stride()
    assert all(weight.requires_grad for weight in weights)
