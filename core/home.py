"""Where Augury keeps what must outlive it: runs, weights, uploads and the cache."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import platformdirs

PRIVATE_UMASK = 0o077
PRIVATE = 0o700  # runs and uploads are for those who open Augury, not for whoever has an account here


def home() -> Path:
    """``AUGURY_HOME``, or the platform's folder for a user's data; made if it is not there, for this user
    alone. The platform's is closed to others if an earlier release left it open; a folder that a person
    chose and made stays as it is."""
    chosen = os.environ.get("AUGURY_HOME")
    folder = Path(chosen).expanduser() if chosen else platformdirs.user_data_path("augury", appauthor=False)
    folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    if not chosen and folder.stat().st_mode & 0o077:
        with contextlib.suppress(OSError):  # not ours
            folder.chmod(PRIVATE)
    return folder
