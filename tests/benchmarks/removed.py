"""How much faster a network is forward when units are taken out of it, and not only masked.

    python -m tests.benchmarks.removed [--batch 128]

The default network of each architecture on 28×28 digits, with a share of each layer's units masked, drawn
at random, against the same with these units taken out, in paired rounds. A ratio is the median of the rounds'
own ratios: masked to removed, so 1 is no gain. ``apart``: how far their logits are from each other, at most.
"""

from __future__ import annotations

from core.runtime import prepare_torch  # first: `core` prepares the environment that torch loads in

# isort: split
import argparse
import statistics

import torch
from torch import Tensor, nn

from core.bench.paired import ratio
from core.models.build import build_model
from core.randomness import generator
from core.run.spec import ModelSpec
from core.transform.shrink import shrink
from core.transform.units import units_of
from tests.benchmarks.shrunk import DIGITS, ROUNDS, WARM_UP, forward_of, milliseconds

SHARES = (0.5, 0.75, 0.9)
NETWORKS = {
    "cnn": {},
    "cnn, batch norm": {"batch_norm": True},
    "mlp": {},
    "rnn (tanh)": {"cell": "rnn"},
    "gru": {"cell": "gru"},
    "lstm": {"cell": "lstm"},
    "lstm, 2 layers, both ways": {"cell": "lstm", "layers": 2, "bidirectional": True},
    "attention": {},
}


def masked(name: str, share: float) -> nn.Module:
    """The network with a share of each layer's units at zero."""
    arch = name.split(",")[0].split(" ")[0]
    spec = ModelSpec(arch="rnn" if arch in ("gru", "lstm") else arch, params=NETWORKS[name])
    model = build_model(spec, **DIGITS, num_classes=10, seed=0).eval()
    draws = generator(0)
    for units in units_of(model):
        gone = torch.randperm(units.count, generator=draws)
        units.mask(gone[: min(round(share * units.count), units.count - 1)])
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def compare(name: str, share: float, images: Tensor) -> None:
    full = masked(name, share)
    small = shrink(full, **DIGITS)
    with torch.inference_mode():
        logits = full(images)
        apart = (logits - small.model.eval()(images)).abs().max() / max(1.0, float(logits.abs().max()))
    assert apart < 1e-5, f"the logits are {apart:g} apart"
    pair = [forward_of(model, images) for model in (full, small.model)]
    rounds = [[milliseconds(work) for work in pair] for _ in range(WARM_UP + ROUNDS)][WARM_UP:]
    long, short = zip(*rounds, strict=True)
    fewer = [
        getattr(small.before, what) / getattr(small.after, what) for what in ("parameters", "multiply_adds")
    ]
    print(
        f"{name:27}{share:5.0%}{apart:9.0e}{fewer[0]:9.1f} ×{fewer[1]:9.1f} ×{statistics.median(long):10.2f}"
        f"{statistics.median(short):9.2f}{ratio(long, short):8.2f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="How much faster a network is without its masked units.")
    parser.add_argument("--batch", type=int, default=128, help="images at a time")
    options = parser.parse_args()
    prepare_torch()
    draws = generator(1)
    images = torch.randn(options.batch, 1, 28, 28, generator=draws)
    images = images.contiguous(memory_format=torch.channels_last)
    where = f"torch {torch.__version__}, {torch.get_num_threads()} threads, batches of {options.batch}"
    print(
        f"{where}, medians of {ROUNDS} paired rounds\n\n{'':27}{'gone':>5}{'apart':>9}{'parameters':>11}"
        f"{'products':>11}{'masked ms':>10}{'removed':>9}{'ratio':>8}"
    )
    for name in NETWORKS:
        for share in SHARES:
            compare(name, share, images)


if __name__ == "__main__":
    main()
