"""Small networks of every kind with made-up weights, to be written as ONNX."""

from __future__ import annotations

from itertools import product

import torch
from torch import nn

from core.models.build import build_model
from core.models.sizes import GATES
from core.run.spec import ModelSpec


def recurrent(cell: str, bidirectional: bool, layers: int) -> dict:
    return {"cell": cell, "bidirectional": bidirectional, "layers": layers, "hidden": 16, "dropout": 0.2}


def convolutional(channels: list[int], batch_norm: bool) -> dict:
    return {"channels": channels, "batch_norm": batch_norm, "hidden": 16, "channel_dropout": 0.2}


def attention(patch: int, heads: int, depth: int) -> dict:
    return {"patch": patch, "heads": heads, "depth": depth, "width": 16, "dropout": 0.1, "drop_path": 0.1}


# Architecture, parameters, channels and side of the images. A convolution's map of 16 is averaged to 8 before
# it is flattened; of 8 and five layers the last two have a single pixel, which is not pooled.
FEW: list[tuple[str, dict, int, int]] = [
    *(("rnn", recurrent(cell, both, 1 + both), 1, 8) for cell, both in product(GATES, (False, True))),
    ("cnn", convolutional([4], True), 3, 32),
    ("cnn", convolutional([4, 4, 4, 4, 4], False), 1, 8),
    ("mlp", {"hidden": [16, 8], "dropout": 0.2}, 3, 8),
    ("attention", attention(8, 1, 1), 1, 8),
    ("attention", attention(4, 4, 2), 3, 8),
]

MANY: list[tuple[str, dict, int, int]] = [
    *(
        ("rnn", recurrent(*each), c, s)
        for *each, c, s in product(GATES, (False, True), (1, 2, 4), (1, 3), (8, 28))
    ),
    *(
        ("cnn", convolutional([4] * depth, norm), c, s)
        for depth, norm, c, s in product((1, 3, 5), (False, True), (1, 3), (8, 28, 33, 64))
    ),
    *(("mlp", {"hidden": [16] * depth}, c, s) for depth, c, s in product((1, 2, 5), (1, 3), (8, 28))),
    *(("attention", attention(*each), c, 16) for *each, c in product((1, 4, 16), (1, 4), (1, 2, 12), (1, 3))),
]


@torch.no_grad()
def made_up(arch: str, params: dict, channels: int, side: int, num_classes: int = 5) -> nn.Module:
    """A network in evaluation mode. No bias is zero, and batch norm has seen something: the same as fresh
    weights would hide what is left out."""
    spec = ModelSpec(arch=arch, params=params)
    network = build_model(spec, channels=channels, side=side, num_classes=num_classes, seed=0).eval()
    draw = torch.Generator().manual_seed(1)
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            drawn = torch.rand(value.shape, generator=draw)
            value.copy_(drawn + 0.5 if name.endswith("running_var") else value + 0.3 * (drawn - 0.5))
    return network
