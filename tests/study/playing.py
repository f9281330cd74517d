"""Studies without training: a table is filled by a function of the cell."""

from __future__ import annotations

from collections.abc import Callable

from core.study.cells import Cell, CellFigures, Told
from core.study.spec import Study, parse_study

TINY = {
    "data": {"name": "digits"},
    "model": {"arch": "mlp", "params": {"hidden": [8], "dropout": 0.2}},
    "regularisers": [{"kind": "l1", "strength": 1e-4}, {"kind": "l2", "strength": 1e-4}],
    "train": {"epochs": 3, "device": "cpu"},
}


def study(question: str, base: dict | None = None, **more) -> Study:
    return parse_study({"version": 1, "question": question, "base": base or TINY, **more})


def figures(accuracy: float, cell: Cell, loss: float = 0.5, **more) -> CellFigures:
    """What a cell came to."""
    told = {"train_accuracy": min(1.0, accuracy + 0.01), "train_loss": 0.4, "zeros": 0.0, "images": 1000}
    return CellFigures(accuracy=accuracy, loss=loss, **(told | {"epochs": cell.epochs} | more))


def played(asked: Study, judge: Callable[[Cell], CellFigures | None]) -> dict[str, Told]:
    """The whole table: each cell is judged as soon as it is wanted; None: it failed."""
    table: dict[str, Told] = {}
    while new := [cell for cell in asked.cells(table) if cell.key not in table]:
        for cell in new:
            if cell.made is not None and any(table[key].state != "done" for key in cell.made.of):
                table[cell.key] = Told("failed", f"{len(table):032x}", None, "What it is made of failed.")
                continue
            if cell.follows:
                assert table[cell.follows].state == "done"
            found = judge(cell)
            run = table[cell.follows].run_id if cell.follows else f"{len(table):032x}"
            table[cell.key] = Told("done" if found else "failed", run, found, "" if found else "It diverged.")
    return table
