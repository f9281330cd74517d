"""Ways to zeros, at equal zeros and budget: the table in the README, of the default CNN on `mnist5k`.

    PYTHONPATH=. python -m tests.benchmarks.equal_zeros --seeds 5

All networks of a seed begin alike, see the same images in the same order, and are judged by the same ones.
How many zeros magnitude must reach is what L1 that is released came to with that seed; L1 and group lasso
have strengths that come near it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from scipy import stats

from core.catalogues import completed
from core.making import make
from core.run.commands import Control
from core.run.events import Event
from core.run.spec import parse
from core.runtime import prepare_torch
from core.train.loop import run
from core.transform.plan import Asked
from tests.benchmarks.compressed import trained

EPOCHS, RISES, RELEASED, RATE = 40, 20, 28, 2e-3
RELEASE = {"release_epochs": RELEASED, "release_rate": 10.0}
LET_GO = {"kind": "l1", "strength": 9e-4, "warmup_epochs": RISES, **RELEASE}
AS_SPARSE = {"kind": "l1", "strength": 1.25e-3, "warmup_epochs": RELEASED}
GROUPS = {"kind": "group_lasso", "strength": 4e-3, "warmup_epochs": RELEASED}
FIRST, SECOND = "L1, released", "magnitude, step by step"


def spec_of(seed: int, *regularisers: Mapping[str, Any], epochs: int = EPOCHS) -> Any:
    told = {
        "data": {"name": "mnist5k", "split_seed": 0},
        "seed": seed,
        "regularisers": list(regularisers),
        "optimiser": {"kind": "adam", "lr": RATE, "schedule": "cosine"},
        "train": {"epochs": epochs, "device": "cpu"},
    }
    return completed(parse(told))


def figures(events: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Of the last epoch, in per cent; and how many numbers the network has."""
    told = list(events)
    started = next(each for each in told if each["event"] == "started")
    event = [each for each in told if each["event"] == "epoch"][-1]
    accuracy, zeros = 100 * event["validation_accuracy"], 100 * event["sparsity"]["exact"]
    return {"accuracy": accuracy, "zeros": zeros, "numbers": started["parameters"]}


def one_seed(seed: int, place: Path) -> dict[str, dict[str, float]]:
    found = {FIRST: figures(run(spec_of(seed, LET_GO)))}
    share = round(found[FIRST]["zeros"] / 100, 5)
    step_by_step = {"kind": "pruning", "strength": share, "warmup_epochs": RELEASED, "schedule": "cubic"}
    found[SECOND] = figures(run(spec_of(seed, step_by_step)))
    plain = trained(spec_of(seed, epochs=RELEASED), place / f"plain {seed}")
    further = {"epochs": EPOCHS - RELEASED, "lr": RATE, "schedule": "cosine"}
    found["magnitude at once, then trained on"] = made("prune", plain, {"share": share}, further)
    found["L1"] = figures(run(spec_of(seed, AS_SPARSE)))
    grouped = trained(spec_of(seed, GROUPS), place / f"grouped {seed}")
    found["group lasso"] = figures(json.loads(line) for line in (grouped / "events.jsonl").open())
    found["  the same, shrunk"] = made("shrink", grouped, {}, {})
    return found


def made(how: str, source: Path, params: Mapping[str, Any], train: Mapping[str, Any]) -> dict[str, float]:
    """What a network made of a run came to."""
    told: list[Event] = []
    asked = Asked.model_validate({"from": [str(source)], "params": dict(params), "train": dict(train)})
    with tempfile.TemporaryDirectory() as out:
        make(how, asked, Path(out) / "made", Control(), told.append)
    return figures(told)


def main() -> None:
    parser = argparse.ArgumentParser(description="Ways to zeros, at equal zeros and budget.")
    parser.add_argument("--seeds", type=int, default=5)
    chosen = parser.parse_args()
    prepare_torch()
    table: dict[str, list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as place:
        for seed in range(chosen.seeds):
            print(f"seed {seed} …", file=sys.stderr, flush=True)
            for way, own in one_seed(seed, Path(place)).items():
                table.setdefault(way, []).append(own)
                print(way, own, file=sys.stderr, flush=True)
    print(f"cnn, mnist5k, {EPOCHS} epochs, seeds: {chosen.seeds}\n")
    print("| | accuracy % | zeros % | numbers | against step by step |")
    print("| --- | --- | --- | --- | --- |")
    for way, rows in table.items():
        mean = {name: statistics.fmean(row[name] for row in rows) for name in rows[0]}
        spread = statistics.stdev(row["accuracy"] for row in rows) if len(rows) > 1 else 0.0
        apart = against([row["accuracy"] for row in rows], [row["accuracy"] for row in table[SECOND]])
        told = f"{mean['accuracy']:.1f} ± {spread:.1f} | {mean['zeros']:.1f} | {mean['numbers']:,.0f}"
        print(f"| {way} | {told} | {'' if way == SECOND else apart} |")


def against(ours: list[float], theirs: list[float]) -> str:
    """The mean of paired differences, with a 95 % interval by Student's t."""
    apart = [one - other for one, other in zip(ours, theirs, strict=True)]
    if len(apart) < 2:
        return f"{apart[0]:+.1f}"
    error = statistics.stdev(apart) / len(apart) ** 0.5
    return f"{statistics.fmean(apart):+.1f} ± {stats.t.ppf(0.975, len(apart) - 1) * error:.1f}"


if __name__ == "__main__":
    main()
