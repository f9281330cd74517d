"""What several questions need to read a table and to say an answer."""

from __future__ import annotations

from typing import Any

from core.measure.counted import wilson
from core.study.cells import CellFigures, Table


def done(table: Table, key: str) -> CellFigures | None:
    """A cell's figures; None: they are not known, or it failed."""
    told = table.get(key)
    return told.figures if told is not None and told.state == "done" else None


def is_over(table: Table, key: str) -> bool:
    """Whether nothing more will be known of a cell."""
    told = table.get(key)
    return told is not None and told.state in ("done", "failed")


def accuracy_interval(figures: CellFigures) -> dict[str, Any]:
    """A run's accuracy with its interval over the images that judged it."""
    found: dict[str, Any] = {"accuracy": figures.accuracy, "images": figures.images}
    if figures.images:
        low, high = wilson(round(figures.accuracy * figures.images), figures.images)
        found |= {"low": low, "high": high}
    return found
