"""Where a run is computed: by worker processes, in the thread that asks, or by a Ray cluster.

All have one interface, `Executor`. `execute` blocks until the run has ended and passes its events on;
whatever goes wrong with a run or a worker ends the run as ``failed`` or ``interrupted``, with the reason.
"""

from core.jobs.executors.base import Executor, Job, OnEvent
from core.jobs.executors.catalogue import EXECUTORS, chosen_executor, make_executor
from core.jobs.executors.process import WorkerExecutor
from core.jobs.executors.thread import ThreadExecutor

__all__ = [
    "EXECUTORS",
    "Executor",
    "Job",
    "OnEvent",
    "ThreadExecutor",
    "WorkerExecutor",
    "chosen_executor",
    "make_executor",
]
