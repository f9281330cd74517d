"""Proximal L1 beside magnitude pruning: ``python -m tests.benchmarks.sparse_table``.

Four ways with the same data, network, optimiser and number of steps:

- no regulariser, the yardstick;
- proximal L1, as the presets ``l1-sparsest`` and ``mlp-sparse`` have it: λ rises while the network learns;
- the same λ from the first step on;
- no regulariser, and magnitude pruning (Han et al., 1506.02626) to the very share of zeros that L1 found:
  from 20 % of the run on, along the cubic of Zhu & Gupta (1710.01878), reached at 70 %; from there on the
  rest is trained with the pruned weights held at zero.

Accuracies are those of the validation part after the last epoch, means over the seeds with their spread.
Seconds are medians; those of the first two ways include the live measures, which pruning's loop leaves out.
"""

from __future__ import annotations

from core.runtime import prepare_torch  # first: `core` prepares the environment that torch loads in

# isort: split
import argparse
import statistics
import sys
from dataclasses import dataclass

from core.catalogues import completed
from core.presets import preset
from core.run.spec import RegulariserSpec, RunSpec
from core.train.loop import run

PRESETS = {"cnn": "l1-sparsest", "mlp": "mlp-sparse"}
LAST = 0.7  # of the epochs: when pruning has reached its share


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run: accuracy and share of exact zeros in [0, 1], and the seconds of its training."""

    accuracy: float
    zeros: float
    seconds: float


def specs(arch: str, epochs: int | None, seed: int) -> tuple[RunSpec, RunSpec]:
    """The run without a regulariser and the one with L1; the warm-up keeps its share of the epochs."""
    sparse = preset(PRESETS[arch])
    whole = sparse.train.epochs
    epochs = epochs or whole
    (l1,) = sparse.regularisers
    l1 = l1.model_copy(update={"warmup_epochs": round(l1.warmup_epochs * epochs / whole)})
    changes = {
        "seed": seed,
        "train": sparse.train.model_copy(update={"epochs": epochs}),
    }
    sparse = sparse.model_copy(update={**changes, "regularisers": (l1,)})
    return completed(sparse.model_copy(update={"regularisers": ()})), completed(sparse)


def trained(spec: RunSpec) -> Outcome:
    """The run as the app runs it."""
    finished = next(event for event in run(spec) if event["event"] == "finished")
    last = finished["last"]
    return Outcome(last["validation_accuracy"], last["sparsity"]["exact"], finished["seconds"])


def pruned(spec: RunSpec, share: float) -> Outcome:
    """The same run with magnitude pruning to ``share`` zeros."""
    rise = round(LAST * spec.train.epochs)
    pruning = RegulariserSpec(kind="pruning", strength=share, schedule="cubic", warmup_epochs=rise)
    return trained(completed(spec.model_copy(update={"regularisers": (pruning,)})))


def shown(way: str, outcomes: list[Outcome]) -> str:
    accuracies = [100 * outcome.accuracy for outcome in outcomes]
    spread = f"± {statistics.stdev(accuracies):.2f}" if len(outcomes) > 1 else ""
    return (
        f"{way:34}{statistics.mean(accuracies):10.2f} {spread:6}"
        f"{100 * statistics.mean(outcome.zeros for outcome in outcomes):9.2f}"
        f"{statistics.median(outcome.seconds for outcome in outcomes):9.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Proximal L1 beside magnitude pruning, as a table.")
    parser.add_argument("--arch", nargs="+", choices=list(PRESETS), default=list(PRESETS))
    parser.add_argument("--epochs", type=int, help="instead of the preset's")
    parser.add_argument("--seeds", type=int, default=1, help="runs of each way")
    chosen = parser.parse_args()
    prepare_torch()
    for arch in chosen.arch:
        ways: dict[str, list[Outcome]] = {}
        for seed in range(chosen.seeds):
            print(f"{arch}, seed {seed} …", file=sys.stderr, flush=True)
            plain, sparse = specs(arch, chosen.epochs, seed)
            by_l1 = trained(sparse)
            ways.setdefault("no regulariser", []).append(trained(plain))
            ways.setdefault(f"proximal L1, λ = {sparse.regularisers[0].strength:g}", []).append(by_l1)
            (l1,) = sparse.regularisers
            at_once = sparse.model_copy(
                update={"regularisers": (l1.model_copy(update={"warmup_epochs": 0}),)}
            )
            ways.setdefault("  the same from the first step", []).append(trained(at_once))
            ways.setdefault("magnitude pruning, as many zeros", []).append(pruned(plain, by_l1.zeros))
        heading = f"{arch}, {plain.data.name}, {plain.train.epochs} epochs, seeds: {chosen.seeds}"
        print(f"{heading:34}{'accuracy %':>10}{'':7}{'zeros %':>9}{'seconds':>9}")
        print("\n".join(shown(way, outcomes) for way, outcomes in ways.items()), "\n", flush=True)


if __name__ == "__main__":
    main()
