"""Which weights are regularised and counted, and the counts, by hand."""

import torch
from torch import nn

from core.layers.weights import regularised_weights
from core.measure.sparsity import sparsity


def names(model):
    return {
        layer: [tuple(part.shape) for part in parts] for layer, parts in regularised_weights(model).items()
    }


class Encoder(nn.Module):
    """Positions, a class token, attention with extra biases, norms: much that is not a weight matrix."""

    def __init__(self):
        super().__init__()
        self.position = nn.Parameter(torch.zeros(1, 5, 4))
        self.token = nn.Parameter(torch.zeros(1, 1, 4))
        self.embed = nn.Conv2d(1, 4, 2)
        self.norm = nn.LayerNorm([5, 4])  # a norm whose scale has two dimensions
        self.attention = nn.MultiheadAttention(4, 2, add_bias_kv=True)
        self.labels = nn.Embedding(7, 4)
        self.head = nn.Linear(4, 3)


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.encode = nn.Linear(3, 2, bias=False)
        self.decode = nn.Linear(3, 2, bias=False)
        self.decode.weight = self.encode.weight
        self.again = self.encode


def test_norms_positions_embeddings_and_biases_are_left_out():
    assert names(Encoder()) == {
        "embed": [(4, 1, 2, 2)],
        "attention": [(12, 4)],
        "attention.out_proj": [(4, 4)],
        "head": [(3, 4)],
    }


def test_attention_with_separate_projections():
    assert names(nn.ModuleDict({"a": nn.MultiheadAttention(4, 1, kdim=3, vdim=2)})) == {
        "a": [(4, 4), (4, 3), (4, 2)],
        "a.out_proj": [(4, 4)],
    }


def test_a_recurrent_layer_is_one_layer():
    model = nn.ModuleDict({"lstm": nn.LSTM(3, 2, bidirectional=True), "gru": nn.GRU(2, 1, num_layers=2)})
    assert names(model) == {
        "lstm": [(8, 3), (8, 2), (8, 3), (8, 2)],
        "gru": [(3, 2), (3, 1), (3, 1), (3, 1)],
    }
    for parameter in model["lstm"].parameters():
        nn.init.ones_(parameter)
    nn.init.zeros_(model["lstm"].weight_hh_l0)
    layer = sparsity(model)["layers"]["lstm"]
    assert layer == {"exact": 16 / 80, "near": 16 / 80, "weights": 80}


def test_a_shared_weight_counts_once():
    model = Tied()
    assert list(regularised_weights(model)) == ["encode"]
    assert sparsity(model)["weights"] == 6
