"""The one `Studies` of this process, beside its one `Jobs`."""

from __future__ import annotations

import threading

from core.jobs.manager import Jobs
from core.jobs.shared import chosen_slots, shared_jobs
from core.study.studies import Studies

_shared: tuple[Jobs, Studies] | None = None
_lock = threading.Lock()


def shared_studies() -> Studies:
    """The studies of this server, made when they are first asked for; they go on where they were."""
    global _shared
    with _lock:
        jobs = shared_jobs()
        if _shared is None or _shared[0] is not jobs:
            if _shared is not None:
                _shared[1].close()
            _shared = jobs, Studies(jobs, jobs.store, chosen_slots())
        return _shared[1]
