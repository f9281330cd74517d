"""A page to hand in: what was asked, what was trained, what came out, and how to repeat it."""

from __future__ import annotations

from pathlib import Path

from core.export.report.page import page
from core.export.source import Asked


def write(asked: Asked, folder: Path) -> None:
    """``report.html``: it holds all that it shows, fetches nothing and runs nothing."""
    (folder / "report.html").write_text(page(asked), encoding="utf-8")
