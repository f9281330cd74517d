"""The versions that decide a pipeline's numbers, for every file that is taken home."""

from __future__ import annotations

from importlib.metadata import version

import core


def versions() -> dict[str, str]:
    """Augury's own, torch's and Kornia's; without what a build adds, such as ``+cpu``."""
    libraries = {name: version(name).partition("+")[0] for name in ("torch", "kornia")}
    return {"augury": core.__version__, **libraries}
