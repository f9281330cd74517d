"""How much faster a network is without its zero units.

    python -m tests.benchmarks.shrunk [--trained]

The default CNN on digits, with some of its filters and neurons at zero, against its shrunk form, in paired
rounds. A ratio is the median of the rounds' own ratios. With ``--trained`` the zeros are those that the
preset group-lasso leaves, and its accuracy stands beside that of the same run without a regulariser.
"""

from __future__ import annotations

from core.runtime import prepare_torch  # first: `core` prepares the environment that torch loads in

# isort: split
import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.bench.paired import ratio
from core.models.build import build_model
from core.presets import preset
from core.probe.label_damage import open_trained
from core.randomness import generator
from core.run.events import Event
from core.run.spec import ModelSpec, RunSpec
from core.train.loop import run
from core.transform.shrink import shrink

SHARES = (0.4, 0.6, 0.8)
BATCH = 128
ROUNDS = 25
WARM_UP = 3
DIGITS = {"channels": 1, "side": 28}


def zeroed(share: float) -> nn.Module:
    """The default CNN with ``share`` of each layer's filters or neurons at zero, drawn at random."""
    model = build_model(ModelSpec(arch="cnn"), **DIGITS, num_classes=10, seed=0)
    draws = generator(0)
    with torch.no_grad():
        for name in ("conv1", "conv2", "conv3", "fc1"):
            layer = model.get_submodule(name)
            assert isinstance(layer, nn.Conv2d | nn.Linear)
            units = len(layer.weight)
            layer.weight[torch.randperm(units, generator=draws)[: round(share * units)]] = 0
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def trained() -> nn.Module:
    """The network that the preset group-lasso trains. Prints how it went, and how it goes without."""
    spec = preset("group-lasso")
    with tempfile.TemporaryDirectory(prefix="augury-bench-") as folder:
        plain = finished(spec.model_copy(update={"regularisers": ()}))
        lasso = finished(spec, Path(folder))
        model = open_trained(spec, Path(folder)).model
    groups = lasso["last"]["sparsity"]["groups"]
    zero = [f"{groups[kind]['zero']} of {groups[kind]['all']}" for kind in ("filters", "neurons")]
    print(f"{'':22}{'accuracy':>10}{'seconds':>9}{'zero filters':>14}{'zero neurons':>14}")
    print(f"{'no regulariser':22}{plain['last']['validation_accuracy']:10.2%}{plain['seconds']:9.0f}")
    accuracy = lasso["last"]["validation_accuracy"]
    print(f"{spec.name:22}{accuracy:10.2%}{lasso['seconds']:9.0f}{zero[0]:>14}{zero[1]:>14}\n")
    return model


def finished(spec: RunSpec, out: Path | None = None) -> Event:
    """Train to the end: the weights are saved after the last event."""
    return {event["event"]: event for event in run(spec, out=out)}["finished"]


def step_of(model: nn.Module, images: Tensor, labels: Tensor) -> Callable[[], None]:
    """One training step. The learning rate is 0, so that zeros stay zeros and round follows round."""
    optimiser = torch.optim.Adam(model.parameters(), lr=0.0, fused=True)

    def step() -> None:
        model.train()
        loss = F.cross_entropy(model(images), labels)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()

    return step


def forward_of(model: nn.Module, images: Tensor) -> Callable[[], None]:
    def forward() -> None:
        model.eval()
        with torch.inference_mode():
            model(images)

    return forward


def milliseconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1e3


def compare(name: str, full: nn.Module, images: Tensor, labels: Tensor) -> None:
    """Print what the shrunk form of ``full`` saves.

    Raises:
        AssertionError: the two give other logits.
    """
    shrunk = shrink(full, **DIGITS)
    with torch.inference_mode():
        apart = (full.eval()(images) - shrunk.model.eval()(images)).abs().max()
    assert apart < 1e-5, f"the logits are {apart:g} apart"
    parameters = f"÷ {shrunk.before.parameters / shrunk.after.parameters:.1f}"
    products = f"÷ {shrunk.before.multiply_adds / shrunk.after.multiply_adds:.1f}"
    works = {
        "forward": [forward_of(model, images) for model in (full, shrunk.model)],
        "training step": [step_of(model, images, labels) for model in (full, shrunk.model)],
    }
    for work, pair in works.items():
        rounds = [[milliseconds(work) for work in pair] for _ in range(WARM_UP + ROUNDS)][WARM_UP:]
        long, short = zip(*rounds, strict=True)
        print(
            f"{name:8}{parameters:>12}{products:>10}{apart:>12.1e}    {work:14}"
            f"{statistics.median(long):9.2f}{statistics.median(short):11.2f}{ratio(long, short):7.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="How much faster a network is without its zero units.")
    parser.add_argument("--trained", action="store_true", help="zeros of the preset group-lasso; minutes")
    options = parser.parse_args()
    prepare_torch()
    draws = generator(1)
    images = torch.randn(BATCH, 1, 28, 28, generator=draws).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(10, (BATCH,), generator=draws)
    print(
        f"torch {torch.__version__}, {torch.get_num_threads()} threads, batches of {BATCH}, medians of "
        f"{ROUNDS} paired rounds\n"
    )
    if options.trained:
        models = {"trained": trained()}
    else:
        models = {f"{share:.0%}": zeroed(share) for share in SHARES}
    print(
        f"{'zero':8}{'parameters':>12}{'products':>10}{'apart':>12}{'':18}{'full ms':>9}{'shrunk ms':>11}"
        f"{'ratio':>7}"
    )
    for name, full in models.items():
        compare(name, full, images, labels)


if __name__ == "__main__":
    main()
