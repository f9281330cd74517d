"""What systems leave among a person's files: it is no image and no class, whatever its case or encoding."""

from __future__ import annotations

import unicodedata

# macOS, Windows, and the network drives of Synology and QNAP; what begins with a dot is hidden anyway.
_NAMES = {
    "__macosx",
    "icon\r",
    "thumbs.db",
    "ehthumbs.db",
    "ehthumbs_vista.db",
    "desktop.ini",
    "system volume information",
    "$recycle.bin",
    "recycler",
    "found.000",
    "lost+found",
    "@eadir",
    "#recycle",
    "#snapshot",
    "@recycle",
    "@recently-snapshot",
}


def is_litter(name: str) -> bool:
    """Whether a file's name, with ``/`` between folders, is hidden or in a folder of a system."""
    return any(
        part.startswith(".") or unicodedata.normalize("NFKC", part).casefold() in _NAMES
        for part in name.split("/")
    )
