"""Epochs as Parquet: the columns and numbers of the CSV, with their types."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from core.export.source import Asked
from core.figures.epochs_csv import epoch_rows


def write(asked: Asked, folder: Path) -> None:
    """``epochs.parquet``: a row an epoch, of several runs below each other; a figure that an epoch lacks is
    null. Numbers are 64 bits wide, and equal the run's to the last."""
    rows = [row for each in asked.runs for row in epoch_rows(each.history, each.id, each.spec)]
    names = dict.fromkeys(name for row in rows for name in row)
    pq.write_table(
        pa.table({name: [row.get(name) for row in rows] for name in names}), folder / "epochs.parquet"
    )
