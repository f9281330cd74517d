"""Epochs as comma-separated values, one line an epoch; of several runs below each other."""

from __future__ import annotations

from pathlib import Path

from core.export.source import Asked
from core.figures.epochs_csv import epochs_csv


def write(asked: Asked, folder: Path) -> None:
    """``epochs.csv``; every line says of which run it is."""
    runs = [(each.history, each.id, each.spec) for each in asked.runs]
    (folder / "epochs.csv").write_text(epochs_csv(*runs), encoding="utf-8")
