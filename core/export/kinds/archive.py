"""A run, or several, as one file that ``python -m core import`` and the Runs page read back."""

from __future__ import annotations

from pathlib import Path

from core.export.archive.write import write_archive
from core.export.source import Asked

FILE = "run.augury.zip"


def write(asked: Asked, folder: Path) -> None:
    """``run.augury.zip``.

    Raises:
        SpecError: a run has not ended, or can't be archived.
    """
    write_archive(asked.runs, folder / FILE)
