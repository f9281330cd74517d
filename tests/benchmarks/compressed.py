"""What makes a network cheaper, and what it loses: the table in the README, of `mnist5k`.

    PYTHONPATH=. python -m tests.benchmarks.compressed --arch mlp --seeds 3

Every row is one way, its figures are means over the seeds; all of a seed begin with the same trained network.
A student and the networks that are trained from scratch see the same images; who keeps which images for
validation is alike for all.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.catalogues import completed
from core.jobs.event_file import EventFile
from core.making import make
from core.run.checkpoints import LAST
from core.run.commands import Control
from core.run.spec import RunSpec, parse
from core.runtime import prepare_torch
from core.train.loop import run
from core.transform.plan import Asked

EPOCHS = {"mlp": 20, "cnn": 10}
STUDENT = {"arch": "mlp", "params": {"hidden": [16, 10]}}
WARM = 3  # epochs that branches share


def spec_of(arch: str, seed: int, **changes: Any) -> RunSpec:
    told = {
        "data": {"name": "mnist5k", "split_seed": 0},
        "model": {"arch": arch},
        "seed": seed,
        "train": {"epochs": EPOCHS[arch], "device": "cpu"},
    }
    return completed(parse(told | changes))


def trained(spec: RunSpec, out: Path, start: Path | None = None) -> Path:
    """The folder of a run."""
    if not (out / "weights.safetensors").is_file():
        out.mkdir(parents=True)
        kept = EventFile(out)
        for event in run(spec, out=out, start=start):
            kept.add(event, resumed=False)
    return out


class Table:
    """Results by way; those of the seeds after one another."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Mapping[str, Any]]] = {}

    def add(self, way: str, result: Mapping[str, Any]) -> None:
        self.rows.setdefault(way, []).append(result)

    def show(self) -> None:
        print(f"| {'':46} | accuracy % | parameters | not 0 | kB | time |")
        print("| --- | --- | --- | --- | --- | --- |")
        for way, results in self.rows.items():
            accuracy = [100 * each["accuracy"] for each in results]
            spread = f" ± {statistics.stdev(accuracy):.1f}" if len(accuracy) > 1 else ""

            def mean(name: str, results: list[Mapping[str, Any]] = results) -> float:
                return statistics.fmean(each[name] for each in results)

            print(
                f"| {way:46} | {statistics.fmean(accuracy):.1f}{spread} | {mean('parameters'):,.0f} | "
                f"{mean('parameters') - mean('zeros'):,.0f} | {mean('kb'):,.0f} | {mean('time'):.2f} |"
            )


def one_seed(table: Table, arch: str, seed: int, place: Path) -> None:
    base = trained(spec_of(arch, seed), place / f"base {seed}")
    other = trained(spec_of(arch, seed + 100), place / f"base {seed + 100}")

    def made(
        way: str, how: str, sources: list[Path], params: Any = None, epochs: int = 0, **more: Any
    ) -> Path:
        out = place / f"{seed} {way}".replace("/", "-")
        told = {"from": [str(each) for each in sources], "params": params or {}, "train": {"epochs": epochs}}
        rows: list[Mapping[str, Any]] = []

        def tell(event: Mapping[str, Any]) -> None:
            if event["event"] == "row":
                rows.append(event)

        make(how, Asked.model_validate(told | more), out, Control(), tell)
        costs = {row["place"]: row for row in rows if row["table"] == "costs"}
        own, first = costs[None], costs[0]
        kb = min(own["bytes"], own["packed_bytes"]) / 1000
        table.add(way, {**own, "kb": kb, "time": own["microseconds"] / first["microseconds"]})
        if not table.rows.get("as it was trained") or len(table.rows["as it was trained"]) <= seed:
            table.add("as it was trained", {**first, "kb": first["bytes"] / 1000, "time": 1.0})
        if how == "merge" and len(sources) == 2:
            between = {(r["way"], r["at"]): r for r in rows if r["table"] == "path"}
            naive = between["as they are", 0.5]
            table.add(
                "mean of two, as they are", {**own, "kb": kb, "time": 1.0, "accuracy": naive["accuracy"]}
            )
            ensemble = next(r for r in rows if r.get("what") == "ensemble")
            table.add(
                "  ensemble of the two", {**own, "kb": 2 * kb, "time": 2.0, "accuracy": ensemble["accuracy"]}
            )
        if how == "merge" and len(sources) == 3:
            best = max(
                r["accuracy"] for r in rows if str(r.get("what")).startswith("network") and "accuracy" in r
            )
            table.add("  best of the three", {**own, "kb": kb, "time": 1.0, "accuracy": best})
        return out

    for share in (0.9, 0.95):
        made(f"{share:.0%} of the weights pruned, at once", "prune", [base], {"share": share})
        made(f"{share:.0%} pruned, and 3 epochs", "prune", [base], {"share": share}, 3)
    made("90% pruned by chance, and 3 epochs", "prune", [base], {"share": 0.9, "by": "random"}, 3)
    made("95% pruned step by step in 10 epochs", "prune", [base], {"share": 0.95, "when": "step by step"}, 10)
    for share in (0.75, 0.9):
        units = {"what": "units", "share": share, "threshold": "layer"}
        made(f"{share:.0%} of the units out, and 3 epochs", "prune", [base], units, 3)
        whole = EPOCHS[arch] + 3
        way = f"  as small from the start, {share:.0%} less, {whole} epochs"
        made(way, "prune", [base], {**units, "start": "drawn anew"}, whole)
    for bits in (8, 4, 3, 2):
        made(f"{bits} bits after training", "quantise", [base], {"bits": bits})
    for bits in (3, 2):
        made(f"{bits} bits, trained on for 2 epochs", "quantise", [base], {"bits": bits}, 2)
    made("mean of two, units matched", "merge", [base, other])
    warm = trained(spec_of(arch, seed, train={"epochs": WARM, "device": "cpu"}), place / f"warm {seed}")
    branches = [
        trained(spec_of(arch, seed, seeds={"order": 1000 + i}), place / f"branch {seed} {i}", warm / LAST)
        for i in range(3)
    ]
    made("soup of three branches", "merge", branches, {"method": "as they are"})
    epochs = EPOCHS[arch]
    for way, params in (("student 16-10, taught", {}), ("  the same student alone", {"alpha": 0.0})):
        made(way, "distil", [base], params, epochs, model=STUDENT)


def main() -> None:
    parser = argparse.ArgumentParser(description="What makes a network cheaper, as a table.")
    parser.add_argument("--arch", choices=list(EPOCHS), default="mlp")
    parser.add_argument("--seeds", type=int, default=3)
    chosen = parser.parse_args()
    prepare_torch()
    table = Table()
    with tempfile.TemporaryDirectory() as place:
        for seed in range(chosen.seeds):
            print(f"seed {seed} …", file=sys.stderr, flush=True)
            one_seed(table, chosen.arch, seed, Path(place))
    print(f"{chosen.arch}, mnist5k, {EPOCHS[chosen.arch]} epochs, seeds: {chosen.seeds}\n")
    table.show()


if __name__ == "__main__":
    main()
