"""Runs and their exported scripts, held against each other: what the tests and `make nightly` share."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from core.__main__ import main
from core.optimise.catalogue import OPTIMISERS as CATALOGUE
from core.regularise.catalogue import REGULARISERS as KINDS

FIGURES = ("epoch", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
TINY = {"name": "digits", "train_images": 200}

NETWORKS: dict[str, dict[str, Any]] = {
    "cnn": {"arch": "cnn", "params": {"channels": [8, 16], "hidden": 32}},
    "cnn norm": {
        "arch": "cnn",
        "params": {"channels": [8], "hidden": 16, "batch_norm": True, "channel_dropout": 0.2},
    },
    "mlp": {"arch": "mlp", "params": {"hidden": [32, 16]}},
    "lstm": {"arch": "rnn", "params": {"cell": "lstm", "hidden": 16, "layers": 2}},
    "gru": {"arch": "rnn", "params": {"cell": "gru", "hidden": 16, "bidirectional": True}},
    "rnn": {"arch": "rnn", "params": {"cell": "rnn", "hidden": 16}},
    "attention": {
        "arch": "attention",
        "params": {"patch": 4, "width": 16, "heads": 2, "depth": 2, "drop_path": 0.1},
    },
}
REGULARISERS: dict[str, list[dict[str, Any]]] = {
    "none": [],
    "l1 proximal": [{"kind": "l1", "strength": 1e-3, "warmup_epochs": 1}],
    "l1 penalty": [{"kind": "l1", "strength": 1e-3, "solver": "penalty"}],
    "l2": [{"kind": "l2", "strength": 1e-3}],
    "elastic and group": [
        {"kind": "group_lasso", "strength": 1e-3},
        {"kind": "elastic_net", "strength": 1e-3, "schedule": "step", "warmup_epochs": 1},
    ],
    "decay and max norm": [{"kind": "max_norm"}, {"kind": "weight_decay", "strength": 0.1}],
    "orthogonality": [{"kind": "orthogonality", "strength": 1e-3}],
    "l0": [{"kind": "l0", "strength": 0.1}],
    "sam": [
        {"kind": "sam", "warmup_epochs": 1, "schedule": "step"},
        {"kind": "l2", "strength": 1e-3},
    ],
    "clipped and l1": [{"kind": "clipping", "params": {"norm": 0.3}}, {"kind": "l1", "strength": 1e-3}],
    "pruned": [
        {"kind": "pruning", "strength": 0.8, "schedule": "cubic", "warmup_epochs": 1},
        {"kind": "ema", "params": {"decay": 0.9}},
    ],
    "held and coarse": [{"kind": "hold_zeros"}, {"kind": "quantisation", "params": {"bits": 3}}],
    "smoothing": [{"kind": "label_smoothing", "strength": 0.1}],
    "ema": [{"kind": "ema", "params": {"decay": 0.9}}],
    "swa": [{"kind": "swa", "params": {"start": 0.0}}],
    "released": [
        {"kind": "l1", "strength": 3e-3, "release_epochs": 1, "release_rate": 2.0},
        {"kind": "ema", "params": {"decay": 0.9}},
    ],
    "stopping": [{"kind": "early_stopping", "params": {"patience": 1, "monitor": "loss", "min_delta": 4.0}}],
}
AUGMENTS: dict[str, dict[str, Any]] = {
    "none": {},
    "one": {"ops": [{"op": "RandomAffine", "p": 0.7, "params": {"degrees": [-15, 15]}}]},
    "warp": {
        "ops": [
            {"op": "RandomAffine", "p": 1.0, "params": {"degrees": [-15, 15]}},
            {"op": "RandomPerspective", "p": 0.5},
            {"op": "RandomGaussianNoise", "p": 0.5},
            {"op": "RandomErasing", "p": 0.5},
        ],
        "strength": 0.8,
    },
    "choose and mix": {
        "ops": [{"op": "RandomRotation"}, {"op": "RandomHorizontalFlip"}, {"op": "RandomGaussianBlur"}],
        "choose": 2,
        "mix": {"op": "RandomMixUpV2"},
    },
    "cutmix": {"mix": {"op": "RandomCutMixV2", "p": 0.8}},
}
OPTIMISERS: dict[str, dict[str, Any]] = {
    "adam": {"kind": "adam"},
    "sgd": {"kind": "sgd", "schedule": "cosine"},
    "adamw": {"kind": "adamw", "schedule": "one-cycle"},
    "rmsprop": {"kind": "rmsprop"},
    "nesterov": {"kind": "sgd", "params": {"nesterov": True}},
    "lion": {"kind": "lion", "schedule": "warm-restarts", "schedule_params": {"growth": 1.5}},
    "muon": {"kind": "muon"},
}
CHOICES: tuple[Mapping[str, Any], ...] = (NETWORKS, REGULARISERS, AUGMENTS, OPTIMISERS)


def all_combinations() -> Iterator[tuple[str, ...]]:
    return product(*CHOICES)


def pairwise_combinations() -> list[tuple[str, ...]]:
    """A few combinations in which every two choices of different kinds meet at least once."""
    places = range(len(CHOICES))
    left = {(i, a, j, b) for i in places for j in places if i < j for a in CHOICES[i] for b in CHOICES[j]}
    found = []
    for combination in sorted(all_combinations(), key=str):
        new = _pairs(combination) & left
        if len(new) >= 4:
            found.append(combination)
            left -= new
    while left:
        best = max(all_combinations(), key=lambda each: len(_pairs(each) & left))
        found.append(best)
        left -= _pairs(best)
    return found


def _pairs(combination: Sequence[str]) -> set[tuple[int, str, int, str]]:
    places = range(len(combination))
    return {(i, combination[i], j, combination[j]) for i in places for j in places if i < j}


def spec_of(combination: Sequence[str], epochs: int = 2) -> dict[str, Any]:
    """No proximal step goes with some optimisers; there it is the penalty's gradient that is followed."""
    network, regularisers, augment, optimiser = combination
    chosen = REGULARISERS[regularisers]
    if not CATALOGUE[OPTIMISERS[optimiser]["kind"]].proximal:
        chosen = [
            {name: value for name, value in each.items() if not name.startswith("release_")}
            | ({"solver": "penalty"} if "proximal" in KINDS[each["kind"]].solvers else {})
            for each in chosen
        ]
    return {
        "data": TINY,
        "seed": 3,
        "model": NETWORKS[network],
        "regularisers": chosen,
        "augment": AUGMENTS[augment],
        "optimiser": OPTIMISERS[optimiser],
        "train": {"epochs": epochs, "batch_size": 32},
    }


def compared(
    spec: Mapping[str, Any],
    folder: Path,
    edits: Sequence[Mapping[str, Any]] = (),
    processes: Processes | None = None,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The figures of each epoch: the run's, and those that its script prints in a process of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "spec.json").write_text(json.dumps(spec))
    (folder / "edits.json").write_text(json.dumps(list(edits)))
    run, out = folder / "run", folder / "out"
    told = ["run", str(folder / "spec.json"), "--out", str(run)]
    assert main([*told, "--edits", str(folder / "edits.json")] if edits else told) == 0
    assert main(["export", str(run), "--as", "script", "--out", str(out)]) == 0
    lines = (run / "events.jsonl").read_text().splitlines()
    events = [event for event in map(json.loads, lines) if event["event"] == "epoch"]
    return [{name: event[name] for name in FIGURES} for event in events], printed(out / "train.py", processes)


def printed(script: Path, processes: Processes | None = None) -> list[dict[str, Any]]:
    """What a script prints in a process of its own where nothing of Augury can be imported.

    Args:
        processes: makes that process in no time; None: Python begins anew.
    """
    if processes is not None:
        return [json.loads(line) for line in processes.output(script).splitlines()]
    told = subprocess.run(
        [sys.executable, "-I", str(script)], cwd=script.parent, env=AWAY, capture_output=True, text=True
    )
    assert told.returncode == 0, told.stderr[-3000:]
    return [json.loads(line) for line in told.stdout.splitlines()]


AWAY = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "AUGURY"))}

# Libraries are imported once, and nothing of Augury: each script then runs in a copy of this process.
_SERVER = """
import importlib.util, os, runpy, sys, traceback
import kornia.augmentation, numpy, torch
assert importlib.util.find_spec("core") is None
print("ready", flush=True)
for line in sys.stdin:
    path = line.strip()
    child = os.fork()
    if not child:
        out = os.open(path + ".out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        status = 0
        try:
            runpy.run_path(path, run_name="__main__")
        except BaseException:
            traceback.print_exc()
            status = 1
        sys.stdout.flush()
        os._exit(status)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Processes:
    """Processes with torch and Kornia, one a script."""

    def __init__(self) -> None:
        command = [sys.executable, "-I", "-c", _SERVER]
        self._server = subprocess.Popen(
            command, env=AWAY, cwd="/", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._server.stdout is not None and self._server.stdout.readline() == "ready\n"

    def output(self, script: Path) -> str:
        assert self._server.stdin is not None and self._server.stdout is not None
        print(script, file=self._server.stdin, flush=True)
        status = self._server.stdout.readline().strip()
        told = Path(f"{script}.out").read_text(encoding="utf-8")
        assert status == "0", told[-3000:]
        return told

    def close(self) -> None:
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait(10)
