"""Computing here what another machine may have begun, or may have to finish."""

from __future__ import annotations

import logging

from core.jobs.executors.base import Executor, Job, OnEvent
from core.run.commands import Control
from core.run.errors import SpecError
from core.run.events import TERMINAL, Event
from core.run.spec import RunSpec, is_upload
from core.store.folders import Keeping, SharedFolders

log = logging.getLogger(__name__)


class SharedExecutor:
    """Computes with another executor of this machine, and keeps what runs leave in the store that all share.

    Args:
        executor: computes.
        folders: the store.
    """

    def __init__(self, executor: Executor, folders: SharedFolders) -> None:
        self._executor, self._folders = executor, folders

    def execute(self, job: Job, control: Control, on_event: OnEvent) -> None:
        if job.out is None:
            self._executor.execute(job, control, on_event)
            return
        bring_upload(self._folders, job.spec)
        keeping = Keeping(self._folders, job.id, job.out)

        def take(event: Event) -> None:
            if event["event"] == "state" and event["state"] in TERMINAL:
                try:
                    keeping.finish()  # whoever hears of the end finds what it left
                except (OSError, SpecError) as error:  # it is here all the same
                    log.warning("What run %s has left could not be shared: %s", job.id, error)
            on_event(event)

        try:
            self._executor.execute(job, control, take)
        finally:
            keeping.end()

    def resident_bytes(self, job_id: str) -> int:
        return self._executor.resident_bytes(job_id)

    def warm(self) -> None:
        self._executor.warm()

    def close(self) -> None:
        self._executor.close()


def bring_upload(folders: SharedFolders, spec: RunSpec) -> None:
    """See to it that a run's upload is here, if it is anywhere.

    Raises:
        OSError: it can't be read or written.
    """
    if spec.data.path is not None and is_upload(spec.data.path):
        folders.fetch_upload(spec.data.path)
