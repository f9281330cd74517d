"""Counts against sums written out by hand, and against torch's own counter."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from core.models.build import build_model, count_parameters
from core.models.catalogue import ARCHITECTURES
from core.models.summary import summarise
from core.run.spec import ModelSpec

DIGITS = {"channels": 1, "side": 28, "num_classes": 10}
COLOUR = {"channels": 3, "side": 32, "num_classes": 4}


def test_cnn_on_digits_by_hand():
    summary = summarise(ModelSpec(arch="cnn"), **DIGITS)
    weights = [32 * 1 * 9, 64 * 32 * 9, 128 * 64 * 9, 512 * 1152, 10 * 512]
    biases = 32 + 64 + 128 + 512 + 10
    assert summary.parameters == sum(weights) + biases == 688_138
    # A 3×3 kernel is applied at every place of the map before it is pooled: 28², 14², 7².
    uses = [28 * 28, 14 * 14, 7 * 7, 1, 1]
    assert summary.multiply_adds == sum(w * n for w, n in zip(weights, uses, strict=True)) == 8_046_080
    assert [(row.name, row.kind, row.output_shape) for row in summary.rows] == [
        ("conv1", "convolution 3×3", (32, 28, 28)),
        ("pool1", "max pooling 2×2", (32, 14, 14)),
        ("conv2", "convolution 3×3", (64, 14, 14)),
        ("pool2", "max pooling 2×2", (64, 7, 7)),
        ("conv3", "convolution 3×3", (128, 7, 7)),
        ("pool3", "max pooling 2×2", (128, 3, 3)),
        ("flatten", "flatten", (1152,)),
        ("fc1", "dense", (512,)),
        ("dropout", "dropout 0.5", (512,)),
        ("fc2", "dense", (10,)),
    ]
    assert summary.rows[7].share == (512 * 1152 + 512) / 688_138


def test_cnn_with_batch_norm_on_large_images_by_hand():
    spec = ModelSpec(arch="cnn", params={"channels": [8, 16], "hidden": 32, "batch_norm": True})
    summary = summarise(spec, channels=3, side=100, num_classes=7)
    # 100 → 50 → 25, then averaged in squares of 4 (25 / 8, rounded up) to 6.
    weights = [8 * 3 * 9, 16 * 8 * 9, 32 * 16 * 6 * 6, 7 * 32]
    norms = 2 * 8 + 2 * 16  # a scale and a shift each; the convolutions then have no bias
    assert summary.parameters == sum(weights) + norms + 32 + 7
    uses = [100 * 100, 50 * 50, 1, 1]
    assert summary.multiply_adds == sum(w * n for w, n in zip(weights, uses, strict=True))
    assert ("average", "average pooling 4×4", (16, 6, 6)) in [
        (row.name, row.kind, row.output_shape) for row in summary.rows
    ]


def test_mlp_on_digits_by_hand():
    summary = summarise(ModelSpec(arch="mlp"), **DIGITS)
    weights = 784 * 300 + 300 * 100 + 100 * 10
    assert summary.parameters == weights + 300 + 100 + 10 == 266_610  # Han 2015's 267 thousand
    assert summary.multiply_adds == weights
    assert [(row.name, row.kind, row.output_shape) for row in summary.rows] == [
        ("flatten", "flatten", (784,)),
        ("fc1", "dense", (300,)),
        ("fc2", "dense", (100,)),
        ("fc3", "dense", (10,)),
    ]


def test_kinds_of_dropout_are_named():
    for arch, params, kind in (
        ("cnn", {"channel_dropout": 0.2}, "channel dropout 0.2"),
        ("attention", {"drop_path": 0.2, "depth": 3}, "stochastic depth 0.067"),
    ):
        rows = summarise(ModelSpec(arch=arch, params=params), **DIGITS).rows
        assert kind in [row.kind for row in rows]


@pytest.mark.parametrize(("cell", "gates"), [("lstm", 4), ("gru", 3), ("rnn", 1)])
@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("layers", [1, 3])
def test_rnn_by_hand(cell, gates, directions, layers):
    h = 24
    params = {"cell": cell, "hidden": h, "layers": layers, "bidirectional": directions == 2}
    summary = summarise(ModelSpec(arch="rnn", params=params), **COLOUR)
    inputs = [3 * 32] + [directions * h] * (layers - 1)
    weights = sum(directions * gates * (i * h + h * h) for i in inputs)
    biases = layers * directions * gates * 2 * h  # torch keeps two bias vectors a gate
    assert summary.parameters == weights + biases + 4 * directions * h + 4
    assert summary.multiply_adds == 32 * weights + 4 * directions * h  # 32 rows, then the classifier
    assert summary.rows[0].output_shape == (32, directions * h)


def test_attention_on_digits_by_hand():
    summary = summarise(ModelSpec(arch="attention"), **DIGITS)
    t, d, hidden = 49, 64, 128  # tokens, width, the dense layer inside a block
    embed, qkv, output, fc1, fc2, head = 16 * d, d * 3 * d, d * d, d * hidden, hidden * d, d * 10
    biases = d + 2 * (3 * d + d + hidden + d) + 10
    norms = (2 * 2 + 1) * 2 * d
    weights = embed + 2 * (qkv + output + fc1 + fc2) + head
    assert summary.parameters == weights + biases + norms + t * d
    products = 2 * t * t * d  # QKᵀ and its product with V, over all heads together
    block = t * (qkv + output + fc1 + fc2) + products
    assert summary.multiply_adds == t * embed + 2 * block + head
    mix = next(row for row in summary.rows if row.name == "block2.attention.mix")
    assert mix.multiply_adds == products and mix.output_shape == (4, 49, 16)


VARIANTS = [
    ("cnn", {"channels": [4, 8, 8, 8, 8], "batch_norm": True}),
    ("cnn", {"channels": [8], "hidden": 16, "dropout": 0.0}),
    ("rnn", {"layers": 2, "bidirectional": True, "dropout": 0.2, "hidden": 16}),
    ("rnn", {"cell": "gru", "hidden": 16}),
    ("cnn", {"channels": [8, 8], "hidden": 16, "channel_dropout": 0.1}),
    ("mlp", {"hidden": [20], "dropout": 0.1}),
    ("attention", {"patch": 7, "drop_path": 0.1}),
    ("attention", {"patch": 2, "depth": 3, "heads": 2, "mlp_ratio": 4, "dropout": 0.1}),
]


@pytest.mark.parametrize(("arch", "params"), [(arch, {}) for arch in ARCHITECTURES] + VARIANTS)
def test_sums_agree_with_the_real_network_and_with_torch_s_counter(arch, params):
    spec = ModelSpec(arch=arch, params=params)
    summary = summarise(spec, **DIGITS)
    model = build_model(spec, **DIGITS, seed=0)
    assert summary.parameters == count_parameters(model) == sum(r.parameters for r in summary.rows)
    assert sum(row.share for row in summary.rows) == pytest.approx(1)
    model.to("meta")  # on a CPU the counter sees neither an LSTM nor fused attention
    with FlopCounterMode(display=False) as counter:
        model(torch.empty(2, 1, 28, 28, device="meta"))
    assert 2 * 2 * summary.multiply_adds == counter.get_total_flops()  # two images, two FLOPs each


@pytest.mark.parametrize(("arch", "params"), [(arch, {}) for arch in ARCHITECTURES] + VARIANTS)
def test_shapes_are_those_of_the_real_layers(arch, params):
    spec = ModelSpec(arch=arch, params=params)
    model = build_model(spec, **DIGITS, seed=0).eval()
    seen = {}

    def look(name):
        def hook(module, inputs, output):
            output = output[0] if isinstance(output, tuple) else output
            seen.setdefault(name, set()).add(tuple(output.shape[1:]))

        return hook

    for name, module in model.named_modules():
        module.register_forward_hook(look(name))
    model(torch.randn(1, 1, 28, 28))
    for row in summarise(spec, **DIGITS).rows:
        assert row.output_shape in seen[row.name]


def test_nothing_is_allocated(monkeypatch):
    """Even 34 million parameters are summarised on the meta device only."""
    real_empty, places = torch.empty, set()

    def empty(*args, **kwargs):
        tensor = real_empty(*args, **kwargs)
        places.add(tensor.device.type)
        return tensor

    monkeypatch.setattr(torch, "empty", empty)
    params = {"hidden": 1024, "layers": 2, "bidirectional": True}
    summary = summarise(ModelSpec(arch="rnn", params=params), channels=1, side=64, num_classes=9)
    assert summary.parameters > 34_000_000
    assert places == {"meta"}


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_rows_stand_in_the_order_of_execution(arch):
    order = [name for name, _ in build_model(ModelSpec(arch=arch), **DIGITS, seed=0).named_modules()]
    places = [order.index(row.name) for row in summarise(ModelSpec(arch=arch), **DIGITS).rows]
    assert places == sorted(places)
