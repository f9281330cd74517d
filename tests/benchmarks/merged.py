"""What merging and distilling gain, and what they don't: tables of `mnist5k`, paired over seeds.

    PYTHONPATH=. python -m tests.benchmarks.merged --arch mlp --seeds 3
    PYTHONPATH=. python -m tests.benchmarks.merged --students --seeds 3

All are judged on the same 1,000 validation images (``split_seed`` 0). The best of three, and the greedy soup,
were chosen on those images, so both are a little too good; the others were not.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.making import make
from core.measure.calibration import calibration_error
from core.run.checkpoints import LAST
from core.run.commands import Control
from core.run.spec import parse
from core.runtime import prepare_torch
from core.train.evaluation import evaluate
from core.train.teachers import open_network
from core.transform.plan import Asked
from tests.benchmarks.compressed import EPOCHS, STUDENT, WARM, spec_of, trained

Figures = dict[str, list[float]]


def merged(place: Path, sources: Sequence[Path], method: str) -> list[Mapping[str, Any]]:
    """The rows of a merge."""
    rows: list[Mapping[str, Any]] = []
    asked = Asked.model_validate({"from": [str(each) for each in sources], "params": {"method": method}})
    out = place / f"{method} of {'+'.join(each.name for each in sources)}"
    make("merge", asked, out, Control(), lambda e: rows.append(e) if e["event"] == "row" else None)
    return rows


def percent(rows: Sequence[Mapping[str, Any]], what: str) -> float:
    return 100 * next(row["accuracy"] for row in rows if row.get("what") == what and "accuracy" in row)


def accuracy_of(run: Path) -> float:
    """In per cent, of a run's folder."""
    events = [json.loads(line) for line in (run / "events.jsonl").open()]
    (ended,) = (event for event in events if event["event"] == "finished")
    return 100 * float(ended["result"]["validation_accuracy"])


def midpoints(place: Path, arch: str, seeds: int) -> Figures:
    """Of each pair of networks that were trained apart."""
    runs = [trained(spec_of(arch, seed), place / f"seed {seed}") for seed in range(seeds)]
    found: Figures = {}
    for pair in itertools.combinations(runs, 2):
        rows = merged(place, pair, "matched")
        middle = {row["way"]: 100 * row["accuracy"] for row in rows if row.get("at") == 0.5}
        alone = [percent(rows, f"network {number}") for number in (1, 2)]
        told = {
            "the better of the two": max(alone),
            "mean, as they are": middle["as they are"],
            "mean, units matched": middle["matched"],
            "ensemble": percent(rows, "ensemble"),
        }
        for what, value in told.items():
            found.setdefault(what, []).append(value)
    if seeds == 3:
        found["mean of all three, units matched"] = [percent(merged(place, runs, "matched"), "mean")]
    return found


def soups(place: Path, arch: str, seeds: int) -> Figures:
    """Of three branches of one run, for each of so many runs."""
    found: Figures = {}
    for seed in range(seeds):
        print(f"soup, seed {seed} …", file=sys.stderr, flush=True)
        train = {"epochs": WARM, "device": "cpu"}
        warm = trained(spec_of(arch, seed, train=train), place / f"warm {seed}")
        branches = [
            trained(spec_of(arch, seed, seeds={"order": 1000 + i}), place / f"branch {seed}-{i}", warm / LAST)
            for i in range(3)
        ]
        averaged = {
            kind: trained(
                spec_of(arch, seed, seeds={"order": 1000}, regularisers=[{"kind": kind}]),
                place / f"{kind} {seed}",
                warm / LAST,
            )
            for kind in ("ema", "swa")
        }
        plain, greedy = (merged(place, branches, each) for each in ("as they are", "greedy"))
        alone = [percent(plain, f"network {number}") for number in (1, 2, 3)]
        told = {
            "best of three": max(alone),
            "mean of the three's accuracies": statistics.fmean(alone),
            "soup of three": percent(plain, "mean"),
            "greedy soup": percent(greedy, "mean"),
            "ensemble of three": percent(plain, "ensemble"),
            "one branch": alone[0],
            "the same branch with EMA": accuracy_of(averaged["ema"]),
            "the same branch with SWA": accuracy_of(averaged["swa"]),
        }
        for what, value in told.items():
            found.setdefault(what, []).append(value)
    return found


def students(place: Path, seeds: int) -> dict[str, Figures]:
    """A small network, alone and taught, with the same seeds: accuracy, calibration error and loss."""
    found: dict[str, Figures] = {name: {} for name in ("accuracy", "calibration error × 100", "loss")}

    def judge(way: str, folder: Path) -> None:
        session = open_network(
            parse((folder / "spec.json").read_bytes()), folder / "weights.safetensors", "cpu"
        )
        judged = evaluate(session, session.validation)
        error = calibration_error(judged.confidence, judged.correct)
        for name, value in zip(found, (100 * judged.accuracy, 100 * error, judged.loss), strict=True):
            found[name].setdefault(way, []).append(value)

    teachers = [trained(spec_of("mlp", seed), place / f"teacher {seed}") for seed in range(max(3, seeds))]
    smooth = [{"kind": "label_smoothing", "strength": 0.1}]
    for seed in range(seeds):
        print(f"student, seed {seed} …", file=sys.stderr, flush=True)
        judge("the teacher, LeNet-300-100", teachers[seed])
        alone = spec_of("mlp", seed, model=STUDENT)
        judge("alone", trained(alone, place / f"alone {seed}"))
        smoothed = spec_of("mlp", seed, model=STUDENT, regularisers=smooth)
        judge("label smoothing 0.1", trained(smoothed, place / f"smooth {seed}"))
        three = [teachers[(seed + i) % len(teachers)] for i in range(3)]
        for way, sources, params in (
            ("taught, T 4, α 0.9", [teachers[seed]], {}),
            ("taught, T 2, α 0.5", [teachers[seed]], {"temperature": 2.0, "alpha": 0.5}),
            ("taught by three, T 4, α 0.9", three, {}),
        ):
            told = {
                "from": [str(each) for each in sources],
                "params": params,
                "train": {"epochs": EPOCHS["mlp"]},
                "model": STUDENT,
                "seed": seed,
            }
            out = place / f"{way} {seed}"
            make("distil", Asked.model_validate(told), out, Control(), lambda _: None)
            judge(way, out)
    return found


def show(title: str, found: Figures, beside: str, digits: int = 1) -> None:
    """Each way, and how far it is from ``beside``: the mean of the paired differences and their spread."""
    print(f"\n{title}\n\n| | each | mean | against “{beside}” |\n| --- | --- | --- | --- |")
    for way, values in found.items():
        each = ", ".join(f"{value:.{digits}f}" for value in values)
        apart = [a - b for a, b in zip(values, found[beside], strict=len(values) > 1)]
        spread = f" ± {statistics.stdev(apart):.{digits}f}" if len(apart) > 1 else ""
        gap = "" if way == beside or len(values) == 1 else f"{statistics.fmean(apart):+.{digits}f}{spread}"
        print(f"| {way} | {each} | {statistics.fmean(values):.{digits}f} | {gap} |")


def main() -> None:
    parser = argparse.ArgumentParser(description="What merging and distilling gain, as tables.")
    parser.add_argument("--arch", choices=list(EPOCHS), default="mlp")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--students", action="store_true", help="distilling, and not merging")
    chosen = parser.parse_args()
    prepare_torch()
    with tempfile.TemporaryDirectory() as place:
        if chosen.students:
            for name, found in students(Path(place), chosen.seeds).items():
                title = f"Student 16-10, {name}, {chosen.seeds} seeds (± deviation of the differences)"
                show(title, found, "alone", 3 if name == "loss" else 1)
            return
        what = f"{chosen.arch}, {EPOCHS[chosen.arch]} epochs, accuracy in %"
        found = midpoints(Path(place), chosen.arch, chosen.seeds)
        show(f"Pairs trained apart, {what}", found, "the better of the two")
        found = soups(Path(place), chosen.arch, chosen.seeds)
        show(f"Three branches after {WARM} epochs, {what}", found, "best of three")


if __name__ == "__main__":
    main()
