"""A small run with everything that a run remembers, and ways to steer it."""

import torch
from safetensors.torch import load_file

from core.run.commands import Control
from core.run.spec import parse
from core.train.loop import run

SMALL_CNN = {
    "data": {"name": "digits", "train_images": 160},
    "augment": {"ops": [{"op": "RandomAffine", "p": 1.0}], "mix": {"op": "RandomMixUpV2"}},
    "model": {"params": {"channels": [4, 8], "hidden": 16, "batch_norm": True}},
    "regularisers": [
        {"kind": "l1", "strength": 1e-3, "solver": "proximal", "warmup_epochs": 1},
        {"kind": "ema"},
        {"kind": "early_stopping", "params": {"patience": 50}},
    ],
    "optimiser": {"kind": "adam", "lr": 0.01, "schedule": "cosine"},
    "train": {"epochs": 3, "batch_size": 16, "device": "cpu"},
}
CHANGES = [
    {"optimiser.lr": 0.002, "regularisers.0.strength": 0.01},
    {"augment.strength": 0.3, "augment.ops.0.params.degrees": [-50.0, 50.0]},
]


def steered(chosen, asked, **options):
    """A run's events; after the event of step n, ``asked[n]`` are posted."""
    control, seen = Control(), []
    for event in run(parse(chosen), control, **options):
        seen.append(event)
        for command in asked.get(event["step"], ()) if event["event"] == "step" else ():
            control.post(command)
    return seen


def same_weights(one, other):
    one, other = (load_file(folder / "weights.safetensors") for folder in (one, other))
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
