"""The thread that looks after a server's jobs: it hears commands, renews leases, and tidies up."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from core.files import remove_parts
from core.jobs.kinds import PASSING
from core.jobs.queue import LEASE_SECONDS, Queue
from core.jobs.runner import Runner
from core.jobs.views import Archive
from core.run.errors import SpecError
from core.store.artefacts import Artefacts
from core.store.retention import sweep
from core.store.store import Store, run_folder

log = logging.getLogger(__name__)

COMMAND_SECONDS = 0.25  # how soon another server's command is heard
HEARTBEAT_SECONDS = 2.0
SWEEP_SECONDS = 60.0


class Keeper:
    """Does its duties, each as often as it must be done, until it is closed.

    What others left behind is found before anything is computed here, so make it before the runner.
    """

    def __init__(self, store: Store, artefacts: Artefacts, queue: Queue, archive: Archive) -> None:
        self._store, self._artefacts, self._queue, self._archive = store, artefacts, queue, archive
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        _duty("find what others left behind", self._find_orphans)
        _duty("have runs go on", self._queue.put_back_by_themselves)

    def start(self, runner: Runner) -> None:
        self._runner = runner
        self._thread = threading.Thread(target=self._look_after, name="jobs-keeper", daemon=True)
        self._thread.start()

    def is_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def ask_to_end(self) -> None:
        self._closing.set()

    def join(self) -> None:
        if self._thread is not None:
            self._thread.join(HEARTBEAT_SECONDS)

    def _look_after(self) -> None:
        beat = swept = time.monotonic()
        while not self._closing.wait(COMMAND_SECONDS):
            now = time.monotonic()
            if now - beat >= HEARTBEAT_SECONDS:
                late, beat = now - beat > LEASE_SECONDS / 2, now
                _duty("renew leases", self._runner.renew)
                # After the machine has slept all leases are old: their owners get time to renew them.
                if not late:
                    _duty("find what others left behind", self._interrupt_orphans)
                    _duty("have runs go on", self._put_back)
            _duty("end what takes too long", self._runner.end_overdue)
            _duty("hear commands", self._runner.take_commands)
            _duty("store events", self._runner.store_gathered)
            _duty("park what is paused", self._runner.park)
            if now - swept >= SWEEP_SECONDS:
                swept = now
                _duty("tidy up", self._sweep)

    def _interrupt_orphans(self) -> None:
        if self._find_orphans():
            self._archive.changed()
            self._runner.wake()

    def _find_orphans(self) -> list[str]:
        """Mark the jobs whose server is gone, and remove what their workers had begun to write."""
        interrupted = self._queue.interrupt_orphans()
        for run_id in interrupted:
            remove_parts(run_folder(run_id))
        return interrupted

    def _put_back(self) -> None:
        for run_id in self._queue.put_back_by_themselves():
            self._archive.changed(run_id)
            self._runner.wake()

    def _sweep(self) -> None:
        sweep(self._store, self._artefacts, passing=PASSING)


def _duty(what: str, do: Callable[[], object]) -> None:
    """Do a duty. Whatever goes wrong with it, a damaged row or a full disk, it is tried again, and the other
    duties go on."""
    try:
        do()
    except (SQLAlchemyError, OSError, SpecError) as error:
        log.warning("The queue could not %s for now: %s", what, error)
    except Exception:
        log.exception("The queue could not %s for now.", what)
