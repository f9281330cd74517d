"""What checkpoints cost: ``python -m tests.benchmarks.checkpoints``.

Whole runs with and without a folder for their files, in turn, in one process: the seconds of processor and of
the clock between the first and the last ``epoch`` event, as a ratio, the median of the pairs with its
quartiles. Beside it, of the processor's seconds of a run with checkpoints, the share in which they are taken
and written, which other programs disturb less. At the default interval it may be 2 % at most.
"""

from __future__ import annotations

from core.runtime import prepare_torch  # first: `core` prepares the environment that torch loads in

# isort: split
import argparse
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

from core.run.spec import parse
from core.train import keeping
from core.train.keeping import Checkpoints
from core.train.loop import run

TINY = {
    "data": {"name": "digits"},
    "model": {"params": {"channels": [8, 16], "hidden": 16}},
    "train": {"epochs": 150, "device": "cpu"},
}
RUNS: dict[str, dict[str, Any]] = {
    "default network": {"data": {"train_images": 1600}, "train": {"epochs": 12, "device": "cpu"}},
    "MLP": {"model": {"arch": "mlp"}, "train": {"epochs": 40, "device": "cpu"}},
    "tiny CNN on digits": TINY,
}


def timed(owner: Any, name: str, patch: ExitStack) -> list[float]:
    """The processor's seconds that each call of ``owner``'s function will take in its thread."""
    spent: list[float] = []
    original = getattr(owner, name)

    def call(*args: Any, **options: Any) -> Any:
        began = time.thread_time()
        result = original(*args, **options)
        spent.append(time.thread_time() - began)
        return result

    patch.enter_context(mock.patch.object(owner, name, call))
    return spent


def share(spec: dict[str, Any]) -> tuple[float, int]:
    """Of the processor's seconds of a run, that goes into its checkpoints; and how many files they are."""
    with ExitStack() as patch, tempfile.TemporaryDirectory() as folder:
        taken, written = timed(Checkpoints, "_put", patch), timed(keeping, "write_checkpoint", patch)
        _, processor = seconds(spec, Path(folder))
    return (sum(taken) + sum(written)) / processor, len(written)


def seconds(spec: dict[str, Any], out: Path | None) -> tuple[float, float]:
    """Of the clock and of the processor, from the first epoch's end to the last's."""
    began = (0.0, 0.0)
    for event in run(parse(spec), out=out):
        if event["event"] == "epoch":
            now = (time.perf_counter(), time.process_time())
            began = began if any(began) else now
    return now[0] - began[0], now[1] - began[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", nargs="*", choices=[*RUNS], default=[*RUNS])
    options = parser.parse_args()
    prepare_torch()
    print(f"With checkpoints to without, {options.rounds} pairs: median (quartiles)\n")
    print(f"{'':20}{'seconds':>9}{'by the clock':>26}{'by the processor':>26}{'share':>8}{'files':>7}")
    for name in options.only:
        clocks, processors, lasted = [], [], []
        for number in range(options.rounds):
            with tempfile.TemporaryDirectory() as folder:
                pair = {}
                for kept in (True, False) if number % 2 else (False, True):
                    pair[kept] = seconds(RUNS[name], Path(folder) if kept else None)
            clocks.append(pair[True][0] / pair[False][0])
            processors.append(pair[True][1] / pair[False][1])
            lasted.append(pair[False][0])
        row = f"{name:20}{statistics.median(lasted):9.1f}"
        for ratios in (clocks, processors):
            low, middle, high = statistics.quantiles(ratios, n=4)
            row += f"{f'{middle:.3f} ({low:.3f} to {high:.3f})':>26}"
        of, files = share(RUNS[name])
        print(f"{row}{of:8.2%}{files:7}", flush=True)


if __name__ == "__main__":
    main()
