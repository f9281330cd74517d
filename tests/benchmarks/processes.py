"""One process against two, in turns: images a second, bytes exchanged, and how far their losses are apart.

    PYTHONPATH=. python -m tests.benchmarks.processes [--rounds 3]

Each run is a process of its own, as a worker is. What crosses the loopback interface is read beside what is
counted; other programs use it too, so the least of all rounds is told.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from statistics import median
from typing import Any

import psutil

NETWORKS: dict[str, dict[str, Any]] = {
    "default CNN": {"train": {"epochs": 4, "device": "cpu"}},
    "LeNet-300-100": {"model": {"arch": "mlp"}, "train": {"epochs": 12, "device": "cpu"}},
    "CNN with batch norm": {
        "model": {"params": {"batch_norm": True}},
        "train": {"epochs": 3, "device": "cpu"},
    },
}
AUGMENTED = {"ops": [{"op": "RandomAffine"}, {"op": "RandomErasing"}]}
TWO: dict[str, Any] = {"processes": 2}
WAYS: dict[str, tuple[int, dict[str, Any]]] = {  # threads of the machine that are used, and what is set
    "1 process × 1 thread": (1, {}),
    "1 process × 2 threads": (2, {}),
    "2 processes × 1 thread": (2, TWO),
    "2 processes × 1 thread, bfloat16": (2, TWO | {"gradient_precision": "bfloat16"}),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    augmented = NETWORKS["default CNN"] | {"augment": AUGMENTED}
    for network, spec in {**NETWORKS, "default CNN, augmented": augmented}.items():
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in WAYS}
        for _ in range(rounds):
            for name, (threads, change) in WAYS.items():
                found[name].append(measured(spec | {"train": spec["train"] | change}, threads))
        print(f"\n{network}")
        base = found["1 process × 1 thread"][0]
        for name, runs in found.items():
            rates = [rate for run in runs for rate in run["rates"]]
            same = len({str(run["losses"]) for run in runs}) == 1
            print(f"  {name}")
            print(f"    images/s: {median(rates):,.0f}, best epoch {max(rates):,.0f}", end="; ")
            print(f"first point after {median(run['first'] for run in runs):.1f} s")
            print(f"    bytes a step: {runs[0]['exchanged']:,} counted", end=", ")
            print(f"{min(run['loopback'] for run in runs):,.0f} over loopback")
            print(f"    losses off by {apart(runs[0]['losses'], base['losses']):.1e} at most", end="; ")
            print(f"accuracy {runs[0]['accuracy']:.3f}; the same in all rounds: {same}", flush=True)


def measured(spec: dict[str, Any], threads: int) -> dict[str, Any]:
    environment = {**os.environ, "AUGURY_THREADS": str(threads), "PYTHONUNBUFFERED": "1"}
    began, sent = time.perf_counter(), _loopback()
    command = [sys.executable, "-m", "core", "run", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as run:
        assert run.stdin is not None and run.stdout is not None
        run.stdin.write(json.dumps(spec).encode())
        run.stdin.close()
        epochs, first = [], 0.0
        for line in run.stdout:
            event = json.loads(line)
            if event["event"] == "step" and not first:
                first = time.perf_counter() - began
            if event["event"] == "epoch":
                epochs.append(event)
    return {
        "rates": [each["images_per_second"] for each in epochs],
        "losses": [each[name] for each in epochs for name in ("train_loss", "validation_loss")],
        "accuracy": epochs[-1]["validation_accuracy"],
        "exchanged": epochs[-1].get("exchanged_bytes", 0),
        "first": first,
        "loopback": (_loopback() - sent) / epochs[-1]["step"],
    }


def apart(ours: list[float], theirs: list[float]) -> float:
    return max(abs(a - b) / abs(b) for a, b in zip(ours, theirs, strict=True))


def _loopback() -> int:
    return sum(each.bytes_sent for name, each in psutil.net_io_counters(pernic=True).items() if name == "lo")


if __name__ == "__main__":
    main()
