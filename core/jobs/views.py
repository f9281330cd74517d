"""What pages see of a run, and the runs that are no longer, or never were, in this process's hands."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from core.run.events import State, state
from core.run.history import History, Progress, build_history
from core.run.spec import RunSpec
from core.store.store import Store, StoredRun, is_run_id

MAX_REMEMBERED = 24  # views of ended runs: 2 MB for sixty epochs, 9 MB for a thousand


@dataclass(frozen=True, slots=True, eq=False)
class RunView:
    """A run at one moment. Times are seconds since 1970.

    Args:
        position: how many runs must end before this one starts; 0 for one that starts now, or has started.
    """

    id: str
    spec: RunSpec
    history: History
    position: int
    created_at: float
    started_at: float | None
    finished_at: float | None

    @property
    def state(self) -> State:
        return self.history.state

    @property
    def reason(self) -> str:
        return self.history.reason

    @property
    def version(self) -> int:
        return self.history.version

    @property
    def ended(self) -> bool:
        return self.history.ended

    def progress(self, now: float | None = None) -> Progress:
        """How far it is at ``now``; None: at this moment."""
        return self.history.progress(time.time() if now is None else now)


class Archive:
    """Views of runs that are read back from the store: those that have ended, the latest of which are
    remembered, and those that another process has in hand, which are read again once they changed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._ended: OrderedDict[str, RunView] = OrderedDict()
        self._elsewhere: dict[str, RunView] = {}

    def remember(self, view: RunView) -> None:
        """Keep the view of a run that has ended."""
        with self._lock:
            self._ended[view.id] = view
            if len(self._ended) > MAX_REMEMBERED:
                self._ended.popitem(last=False)

    def view(self, run_id: str) -> RunView | None:
        """A run's view, the same object while nothing changed; None if there is no such run."""
        if not is_run_id(run_id):
            return None
        if view := self._recall(run_id):
            return view
        with self._reading:  # thirty pages that ask for it at once have it read once
            return self._recall(run_id) or self._read(run_id)

    def _recall(self, run_id: str) -> RunView | None:
        with self._lock:
            if run_id in self._ended:
                self._ended.move_to_end(run_id)
            return self._ended.get(run_id)

    def _read(self, run_id: str) -> RunView | None:
        run = self._store.run(run_id)
        last = self._elsewhere.pop(run_id, None)
        if run is None:
            return None
        if last is None or run.ended or last.version != self._store.last_number(run_id):
            last = self._build(run)
        if run.ended:
            self.remember(last)
        else:
            self._elsewhere[run_id] = last
        return last

    def _build(self, run: StoredRun) -> RunView:
        folded = build_history(self._store.events(run.id))
        if run.ended and not folded.history().ended:  # its process could not say so itself
            folded.add(state(run.state, run.reason))
        return RunView(
            id=run.id,
            spec=run.spec,
            history=folded.history(),
            position=0,
            created_at=run.created_at,
            started_at=run.started_at,
            finished_at=run.finished_at,
        )
