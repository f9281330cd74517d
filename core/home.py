"""Where Augury keeps what must outlive it: runs, weights and uploads."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def home() -> Path:
    """``AUGURY_HOME``, or the platform's folder for a user's data; made if it is not there."""
    chosen = os.environ.get("AUGURY_HOME")
    folder = Path(chosen).expanduser() if chosen else platformdirs.user_data_path("augury", appauthor=False)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
