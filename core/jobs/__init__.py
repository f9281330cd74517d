"""Who computes a run, and where: the queue, its background threads and their worker processes.

A worker imports `core.jobs.worker` and nothing else of this package, so that it listens before it has
loaded torch: the names below are looked up when they are first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.jobs.history import History, Progress
    from core.jobs.lines import Line
    from core.jobs.manager import Jobs, make_jobs
    from core.jobs.views import RunView

__all__ = ["History", "Jobs", "Line", "Progress", "RunView", "make_jobs"]

_HOMES = {
    "History": "history",
    "Jobs": "manager",
    "Line": "lines",
    "Progress": "history",
    "RunView": "views",
    "make_jobs": "manager",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
