"""What telling the truth costs: ``python -m tests.benchmarks.overheads``.

First, a training step with each proximal regulariser against one with none, in paired rounds of a few steps.
Then whole runs of presets: how much of their time goes into proximal steps, into the live measures, and into
the prunable share, which may take more. Evaluation counts as training.
"""

from __future__ import annotations

from core.runtime import prepare_torch  # first: `core` prepares the environment that torch loads in

# isort: split
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from unittest import mock

from core.bench.paired import ratio
from core.catalogues import completed
from core.optimise.catalogue import OPTIMISERS
from core.presets import preset
from core.regularise.catalogue import REGULARISERS
from core.regularise.group_lasso import GroupLasso
from core.regularise.l1 import L1
from core.run.spec import ModelSpec, OptimiserSpec, RegulariserSpec, RunSpec
from core.train import epoch, loop, measuring
from core.train.session import epoch_order, open_session
from core.train.step import train_step

STEPS = 2  # few, so that what else the machine does hits all ways alike
ROUNDS = 60
PRESETS = ("augmented", "group-lasso", "l1-sparse", "mlp-sparse", "rnn", "attention")


def steps_of(spec: RunSpec) -> Callable[[], float]:
    """Train ``STEPS`` steps; how many a second."""
    session = open_session(completed(spec))
    order = epoch_order(session.spec, len(session.train), 1)
    batches = [session.batch(index, 0) for index in order.split(session.spec.train.batch_size)[:STEPS]]

    def steps() -> float:
        began = time.perf_counter()
        for step, (images, targets) in enumerate(batches):
            train_step(session, images, targets, step)
        return STEPS / (time.perf_counter() - began)

    steps()
    return steps


def paired() -> None:
    exact = [name for name, entry in REGULARISERS.items() if "proximal" in entry.solvers]
    print(f"A step with a proximal regulariser, to one with none; medians of {ROUNDS} paired rounds\n")
    print(f"{'':18}" + "".join(f"{name:>14}" for name in exact))
    for arch in ("cnn", "mlp", "rnn", "attention"):
        for optimiser in OPTIMISERS if arch == "cnn" else ("adam", "sgd"):
            plain = RunSpec(model=ModelSpec(arch=arch), optimiser=OptimiserSpec(kind=optimiser))
            regularised = [
                plain.model_copy(update={"regularisers": (RegulariserSpec(kind=kind, solver="proximal"),)})
                for kind in exact
            ]
            works = [steps_of(spec) for spec in (plain, *regularised)]
            without, *rates = zip(*([work() for work in works] for _ in range(ROUNDS)), strict=True)
            dearer = [ratio(without, rate) - 1 for rate in rates]
            print(f"{arch:11}{optimiser:7}" + "".join(f"{share:14.1%}" for share in dearer))


def timed(owner: Any, name: str, patch: ExitStack) -> list[float]:
    """The seconds that each call of ``owner``'s function ``name`` will take, as long as ``patch`` is open."""
    spent: list[float] = []
    original = getattr(owner, name)

    def run(*args: Any, **options: Any) -> Any:
        began = time.perf_counter()
        result = original(*args, **options)
        spent.append(time.perf_counter() - began)
        return result

    patch.enter_context(mock.patch.object(owner, name, run))
    return spent


def shares() -> None:
    print("\nShares of a whole run: the proximal steps of all steps' time, the measures of training time\n")
    print(f"{'':14}{'epochs':>8}{'training s':>12}{'proximal':>10}{'measures':>10}{'prunable':>10}")
    for name in PRESETS:
        with ExitStack() as patch:
            steps, measured = timed(epoch, "train_step", patch), timed(epoch, "measured", patch)
            told = timed(epoch, "step_event", patch)  # the penalties, between two epochs' ends
            prunable = timed(measuring, "prunable", patch)
            proximal = [timed(term, "proximal_step", patch) for term in (L1, GroupLasso)]
            epochs = [event for event in loop.run(completed(preset(name))) if event["event"] == "epoch"]
        training = sum(event["seconds"] for event in epochs) - sum(measured) - sum(told)
        parts = (
            sum(map(sum, proximal)) / sum(steps),
            (sum(measured) + sum(told) - sum(prunable)) / training,
            sum(prunable) / training,
        )
        print(f"{name:14}{len(epochs):8}{training:12.1f}" + "".join(f"{part:10.2%}" for part in parts))


if __name__ == "__main__":
    prepare_torch()
    paired()
    shares()
