"""Every chart as a picture of lines and letters that can be made as large as one likes."""

from __future__ import annotations

from pathlib import Path

from core.export.charts import charts
from core.export.source import Asked


def write(asked: Asked, folder: Path) -> None:
    """``accuracy.svg``, ``loss.svg`` and so on: title, axes with units, legend, and a caption with n."""
    for chart in charts(asked.runs):
        (folder / f"{chart.name}.svg").write_text(chart.svg(), encoding="utf-8")
