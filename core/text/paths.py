"""Sentences that a class may read say nothing of how this machine's folders are called."""

from __future__ import annotations

import re

_PATH = re.compile(r"(?<!\w)(?:file://|[A-Za-z]:|~)?(?:[\\/][\w.@%+~-]+)+[\\/]?")
_QUOTED = re.compile(r"'[^'\n]*[\\/][^'\n]*'|\"[^\"\n]*[\\/][^\"\n]*\"")


def without_paths(text: str) -> str:
    """``text`` with an ellipsis for every path in it; a quoted path may have blanks."""
    return _PATH.sub("…", _QUOTED.sub("'…'", text))
