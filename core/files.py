"""Files that survive a crash: written beside, on the disk, and only then in their place."""

from __future__ import annotations

import os
from pathlib import Path


def put_in_place(beside: Path, path: Path) -> None:
    """Move a file that is written to where it belongs: after a crash or a power cut there is the old file or
    the new one, whole.

    Raises:
        OSError: it can't be; what was written is gone.
    """
    try:
        with beside.open("rb+") as file:
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """See to it that a file that was moved here is found after a power cut."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
