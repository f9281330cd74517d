"""Studies of labels that mean nothing: in at least 95 of 100 no effect is told, by real runs.

    python -m tests.nightly.noise_studies --studies 100

Each study asks whether augmentation, L1 and dropout help, alone and together, over five seeds: 40 runs on
digits whose labels were shuffled, anew for every study.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from typing import Any

import numpy as np

from core.catalogues import completed
from core.run.events import Event
from core.run.spec import parse
from core.runtime import prepare_torch
from core.study.cells import Cell, CellFigures, Told
from core.study.driver import figures_at
from core.study.questions.ablation import AblationStudy
from core.study.questions.switches import switches_of
from core.study.spec import parse_study
from core.train import session as sessions
from core.train.loop import run

BASE = {
    "data": {"name": "digits", "train_images": 100},
    "augment": {"ops": [{"op": "RandomAffine", "p": 1.0, "params": {"degrees": [-12, 12]}}]},
    "model": {"arch": "mlp", "params": {"hidden": [16], "dropout": 0.3}},
    "regularisers": [{"kind": "l1", "strength": 1e-3}],
    "train": {"epochs": 2, "batch_size": 50, "device": "cpu"},
}
SURE = 95  # of 100


def shuffled(dataset: Any, number: int) -> Any:
    """The same images, with labels drawn among them."""
    order = np.random.default_rng(number).permutation(len(dataset.labels))
    return dataclasses.replace(dataset, labels=dataset.labels[order])


def figures(cell: Cell) -> CellFigures:
    events: list[Event] = list(run(cell.spec))
    found = figures_at(list(enumerate(events, 1)), cell)
    assert found is not None
    return found


def tells(number: int) -> list[str]:
    """The effects that a study claims to see."""
    load = sessions.load_dataset
    sessions.load_dataset = lambda spec: shuffled(load(spec), number)
    try:
        base = completed(parse(BASE | {"seed": 1000 * number}))
        switches = [each.model_dump(mode="json") for each in switches_of(base)]
        told = {"base": base.model_dump(mode="json"), "switches": switches, "seeds": 5}
        asked = parse_study({"question": "ablation", **told})
        assert isinstance(asked, AblationStudy)
        table = {cell.key: Told("done", "", figures(cell)) for cell in asked.cells({})}
    finally:
        sessions.load_dataset = load
    result = asked.result(table)
    return [each["name"] for each in [*result["effects"], *result["interactions"]] if each["is_told"]]


def main() -> int:
    parser = argparse.ArgumentParser(description="Studies of labels that mean nothing.")
    parser.add_argument("--studies", type=int, default=100)
    options = parser.parse_args()
    prepare_torch()
    quiet = 0
    for number in range(1, options.studies + 1):
        found = tells(number)
        quiet += not found
        print(f"{number}: {', '.join(found) or 'no effect'}", flush=True)
    print(f"{quiet} of {options.studies} studies told no effect")
    return 0 if quiet >= SURE * options.studies // 100 else 1


if __name__ == "__main__":
    sys.exit(main())
