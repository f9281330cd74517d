"""A study as files in a folder: what was asked, its cells, and the answer."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.files import write_text
from core.run.errors import SpecError
from core.study.cells import Cell, CellFigures, Table, Told
from core.study.spec import Study, parse_study
from core.text.escape import cell as cell_text

STUDY, CELLS, RESULT, PLACE = "study.json", "cells.csv", "result.json", "place.json"
FIGURES = tuple(CellFigures.model_fields)
OPTIONAL = FIGURES[FIGURES.index("seconds") + 1 :]  # a column only where some cell has one
HEADS = {"images": "validation_images"}  # what is varied may be called ``images``, too


def cells_csv(cells: Sequence[Cell], table: Table) -> str:
    """A row a cell: what was set, the fold and seed, what came out, and the run's id. Cells that have not
    begun are there, too, without figures."""
    found = [told.figures.model_dump() for told in table.values() if told.figures]
    known = [each for each in FIGURES if each not in OPTIONAL or any(row[each] is not None for row in found)]
    settings = list(dict.fromkeys(name for cell in cells for name in cell.settings if name != "seed"))
    columns = [
        "cell",
        "role",
        *settings,
        "fold",
        "seed",
        *(HEADS.get(each, each) for each in known),
        "state",
        "reason",
        "run",
    ]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([cell_text(name) for name in columns])
    for cell in cells:
        told = table.get(cell.key, Told("waits", ""))
        figures = told.figures.model_dump() if told.figures else {"epochs": ""}
        row: list[Any] = [cell.key, cell.role]
        row += [cell.settings.get(name, "") for name in settings]
        row += ["" if cell.fold is None else cell.fold, cell.spec.seed]
        row += [_plain(figures.get(name)) for name in known]
        writer.writerow(
            [
                cell_text(each) if isinstance(each, str) else each
                for each in [*row, told.state, told.reason, told.run_id]
            ]
        )
    return text.getvalue()


def _plain(value: object) -> object:
    return "" if value is None else value


def write_study(out: Path, study: Study, cells: Sequence[Cell], table: Table, result: Any) -> None:
    """Write the three files, each whole or not at all.

    Raises:
        SpecError: the folder can't be written to.
    """
    try:
        write_text(out / STUDY, study.model_dump_json(indent=2) + "\n")
        write_text(out / CELLS, cells_csv(cells, table))
        write_text(out / RESULT, json.dumps(result, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    except OSError as error:
        raise SpecError("--out", f"{out} can't be written to: {error.strerror}.") from None


def place_of(out: Path, study: Study) -> str:
    """The id of the study that was begun in this folder before; empty: none was.

    Raises:
        SpecError: another one was.
    """
    try:
        place = json.loads((out / PLACE).read_text("utf-8"))
        before = parse_study((out / STUDY).read_bytes())
    except (OSError, ValueError):
        return ""
    if before != study:
        raise SpecError("--out", f"{out} holds another study; choose an empty folder.")
    return str(place.get("study", "")) if isinstance(place, dict) else ""


def write_place(out: Path, study_id: str) -> None:
    """Note in which study of the store this folder's cells are."""
    write_text(out / PLACE, json.dumps({"study": study_id}) + "\n")
