"""Files that survive a crash: written beside, on the disk, and only then in their place."""

from __future__ import annotations

import os
from pathlib import Path


def beside(path: Path) -> Path:
    """Where what is to become ``path`` is written first: of each process another file, so that of two which
    write the same neither moves the other's half into place."""
    return path.with_name(f"{path.stem}.{os.getpid()}.part")


def write_text(path: Path, text: str) -> None:
    """Write a text file whole, or leave the old one.

    Raises:
        OSError: it can't be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = beside(path)
    try:
        part.write_text(text, encoding="utf-8")
    except OSError:
        part.unlink(missing_ok=True)
        raise
    put_in_place(part, path)


def put_in_place(part: Path, path: Path) -> None:
    """Move a file that is written to where it belongs: after a crash or a power cut there is the old file or
    the new one, whole.

    Raises:
        OSError: it can't be; what was written is gone.
    """
    try:
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
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


def remove_parts(folder: Path) -> None:
    """Remove what a process that was killed had begun to write here."""
    for part in folder.rglob("*.part"):
        part.unlink(missing_ok=True)
