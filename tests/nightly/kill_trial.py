"""What `kills.py` does to two servers on one home, and what must be right again soon after."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from core.jobs.queue import GONE
from core.run.events import TERMINAL
from tests.nightly.kill_ledger import Ledger, WorkerKill
from tests.nightly.kill_processes import (
    ANSWER_SECONDS,
    CLOSE_SECONDS,
    SLOTS,
    GoneError,
    RefusedError,
    Server,
    ours,
)
from tests.nightly.kill_proof import differing, stop_while_it_writes, torn, wait_until, writes_store

KINDS = ("server", "worker", "interactive")
WRITING = ("during a checkpoint", "during a store write")  # of a worker, and of a server
RIGHT_SECONDS = 15.0  # until all is right again after a kill
DRAIN_SECONDS = 120.0
RACE_SECONDS = 2.0  # a run may be taken, or end, so long about the moment of a kill
POLL = 0.1
HIT_SECONDS = 5.0  # until something is written


class Trial:
    """Two servers on one home; `kill` kills something and waits until all is right again.

    Args:
        lengths: how many seconds the runs last, about.
        waiting: how many runs there are when something is killed.
        pause: at most so many seconds pass before the next kill.
        patience: all must be right again after so many seconds.
    """

    def __init__(
        self,
        home: Path,
        rng: random.Random,
        *,
        fake: bool,
        lengths: tuple[int, ...],
        waiting: int = 5,
        pause: float = 1.5,
        patience: float = RIGHT_SECONDS,
    ) -> None:
        self.home, self.rng, self._fake, self._lengths = home, rng, fake, lengths
        self.ledger = Ledger()
        self.servers = [Server(home, fake), Server(home, fake)]
        for server in self.servers:
            server.wait_ready()
        self.others: list[int] = []  # process ids of further servers
        self._seed, self._waiting, self._pause, self._patience = 0, waiting, pause, patience

    def spec(self) -> dict[str, Any]:
        self._seed += 1
        seconds = self.rng.choice(self._lengths)
        return {
            "name": f"lasts {seconds} s",
            "seed": self._seed,
            "data": {"name": "digits"},
            "model": {"arch": "cnn", "params": {"channels": [8, 16], "hidden": 16}},
            "train": {"epochs": 6 * seconds, "device": "cpu"},
        }

    def top_up(self) -> None:
        while len(self.servers[0].ask("unfinished")) < self._waiting:
            self.ledger.runs.append(self.rng.choice(self.servers).ask("submit", spec=self.spec()))

    def kill(self, kind: str, *, busy: bool) -> None:
        """Kill a server, a training worker or an interactive worker.

        Args:
            busy: a server or a training worker that computes a run.
        """
        self.top_up()
        time.sleep(self.rng.uniform(0.0, self._pause))
        at = self.rng.randrange(2)
        if busy and kind in ("server", "during a store write"):
            at = (self._wait_for(self._that_compute, "a server that computes") or [at])[0]
        began = time.time()
        if not self._fake:
            self._edit()
        if kind == "during a store write":
            self.ledger.hits[kind] += wait_until(writes_store(self.home), HIT_SECONDS)
        if kind in ("server", "during a store write"):
            self._kill_server(at)
        elif kind in ("worker", "during a checkpoint"):
            began = self._kill_worker(busy, writing=kind != "worker")
        else:
            began = self._kill_interactive(self.servers[at])
        self.wait_until_right(kind, began)

    def _edit(self) -> None:
        """Ask one of the runs that are computed for an edit, and don't wait for it."""
        server = self.rng.choice(self.servers)
        changes = ({"optimiser.lr": 0.0005}, {"train.batch_size": 48}, {"optimiser.lr": 0.002})
        change = self.rng.choice(changes)
        for run_id in list(server.ask("busy").values())[:1]:
            server.start("command", run_id=run_id, command={"command": "edit", "set": change})

    def _kill_server(self, at: int) -> None:
        server = self.servers[at]
        asked = [server.start("submit", spec=self.spec()) for _ in range(self.rng.randrange(2))]
        self.ledger.dead.add(server.owner)
        server.kill()
        for answer in asked:  # a run that was promised is a run
            with suppress(GoneError):
                self.ledger.runs.append(answer.result(ANSWER_SECONDS))
        time.sleep(self.rng.uniform(0.0, 1.0))
        self.servers[at] = Server(self.home, self._fake)
        self.servers[at].wait_ready()

    def _that_compute(self) -> list[int]:
        return [at for at, server in enumerate(self.servers) if server.ask("busy")]

    def _kill_worker(self, busy: bool, writing: bool = False) -> float:
        workers: dict[int, Server] = {}

        def all_workers() -> list[int]:  # one of the servers may compute all that runs
            for each in self.servers:
                pids = map(int, each.ask("busy")) if busy else each.children("worker")
                workers.update((pid, each) for pid in pids)
            return list(workers)

        if not (found := self._wait_for(all_workers, "a training worker")):
            return time.time()
        pid = self.rng.choice(found)
        server = workers[pid]
        run_id = server.ask("busy").get(str(pid))
        folder = self.home / "runs" / str(run_id)
        if writing:
            with suppress(ProcessLookupError):
                self.ledger.hits["during a checkpoint"] += stop_while_it_writes(pid, folder, HIT_SECONDS)
        began = time.time()
        self.ledger.worker_kills.append(WorkerKill(server.owner, began, run_id))
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return began

    def _kill_interactive(self, server: Server) -> float:
        found = self._wait_for(lambda: server.children("interactive"), "an interactive worker")
        if not found:
            return time.time()
        pid = found[0]
        self._seed += 1
        asked = [server.start("preview", seed=self._seed) for _ in range(self.rng.randrange(2))]
        time.sleep(self.rng.uniform(0.0, 0.1))
        began = time.time()
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        new = self._wait_for(lambda: [p for p in server.children("interactive") if p != pid], "a new worker")
        if len(new) != 1:
            self.ledger.violation(f"a server has {len(new)} interactive workers")
        self.ledger.took("interactive worker replaced", time.time() - began)
        for answer in asked:  # it is answered, or refused with a sentence
            with suppress(RefusedError):
                answer.result(ANSWER_SECONDS)
        self._seed += 1
        try:
            server.ask("preview", seed=self._seed)
        except RefusedError as error:
            self.ledger.violation(f"the preview after a killed interactive worker was refused: {error}")
        self.ledger.took("preview answered", time.time() - began)
        return began

    def _wait_for(self, look: Callable[[], list[int]], what: str) -> list[int]:
        """What is found within 15 s, or nothing and a violation."""
        end = time.monotonic() + self._patience
        while not (found := look()):
            if time.monotonic() > end:
                self.ledger.violation(f"there was not {what} within {self._patience:g} s")
                break
            time.sleep(POLL / 5)
        return found

    # What is right

    def wait_until_right(self, kind: str, began: float) -> None:
        while wrong := self.wrong():
            if time.time() - began > self._patience:
                self.ledger.violation(f"{self._patience:g} s after a kill of a {kind}: {wrong}")
                break
            time.sleep(POLL)
        self.ledger.took(kind, time.time() - began)

    def wrong(self) -> str:
        """What isn't right, or not yet; what can't become right any more is a violation as well."""
        rows = self.rows()
        told = [server.ask("states", ids=self.ledger.open()) for server in self.servers]
        for run_id in self.ledger.open():
            here, there = (each[run_id] for each in told)
            if here is None or there is None or run_id not in rows:
                self.ledger.violation(f"run {run_id} is lost")
            elif here == there and here[0] in TERMINAL:
                if unfair := self._unfair(run_id, *here, self.rows()[run_id]):
                    self.ledger.violation(f"run {run_id}: {unfair}")
                if here[0] == "interrupted" and not self._fake:
                    self.rng.choice(self.servers).ask("resume", run_id=run_id)
                    self.ledger.resumed[run_id] += 1
                    return f"run {run_id} is about to go on"
                self.ledger.settled[run_id] = here[0]
        if told[0] != told[1]:
            differing = {run_id: (told[0][run_id], told[1][run_id]) for run_id in told[0]}
            return f"the servers differ: {[each for each in differing.values() if each[0] != each[1]]}"
        for run_id, row in rows.items():
            if row["owner"] in self.ledger.dead and row["state"] not in TERMINAL:
                return f"run {run_id} of a dead server is {row['state']}"
        for each in self.ledger.worker_kills:
            row = rows.get(str(each.run))
            if row and row["state"] == "running" and row["started_at"] < each.at:  # not since it went on
                return f"run {each.run}, whose worker was killed, has not ended"
        if orphans := self.orphans():
            return f"processes without a server: {orphans}"
        return ""

    def _unfair(self, run_id: str, state: str, reason: str, row: dict[str, Any]) -> str:
        """What is wrong with how a run has ended."""
        if state == "finished":
            return ""
        if state == "interrupted" and row["owner"] in self.ledger.dead and "killed" not in reason:
            return "" if reason == GONE else f"it was interrupted, and says {reason!r}"
        if state == "interrupted" and "killed by signal 9" in reason:
            for each in self.ledger.worker_kills:
                near = row["started_at"] - RACE_SECONDS < each.at < row["finished_at"]
                if each.owner == row["owner"] and near and not each.used:
                    each.used = True
                    return ""
        return f"nothing was done to it, and it is {state}: {reason!r}"

    def rows(self) -> dict[str, dict[str, Any]]:
        connection = sqlite3.connect(f"file:{self.home / 'augury.db'}?mode=ro", uri=True, timeout=10)
        connection.row_factory = sqlite3.Row
        wanted = "SELECT id, state, owner, started_at, finished_at FROM runs"
        try:
            return {row["id"]: dict(row) for row in connection.execute(wanted)}
        finally:
            connection.close()

    def orphans(self) -> list[str]:
        """Processes of our home that are neither a server nor below one."""
        servers = {server.pid for server in self.servers} | set(self.others)
        found = []
        for process in ours(self.home):
            with suppress(psutil.Error):
                family = {process.pid, *(parent.pid for parent in process.parents())}
                if not family & servers:
                    found.append(" ".join(process.cmdline()[-3:]))
        return found

    # The end

    def drain(self) -> None:
        """Let all runs end, close both servers, and see that nothing is left."""
        end = time.monotonic() + DRAIN_SECONDS
        while self.ledger.open() and time.monotonic() < end:
            self.wrong()
            time.sleep(POLL)
        if self.ledger.open():
            self.ledger.violation(f"{len(self.ledger.open())} runs never ended")
        told = [server.ask("states", ids=self.ledger.runs) for server in self.servers]
        if told[0] != told[1]:
            self.ledger.violation("at the end the servers tell different states")
        changed = {
            run_id for run_id, state in self.ledger.settled.items() if (told[0][run_id] or [""])[0] != state
        }
        if changed:
            self.ledger.violation(f"{len(changed)} runs had ended and ended otherwise later")
        waiting = [run_id for run_id, row in self.rows().items() if row["state"] not in TERMINAL]
        if waiting:
            self.ledger.violation(f"{len(waiting)} runs are left in the store")
        for server in self.servers:
            if (slots := server.ask("slots")) != SLOTS + 1:  # and one for quick looks
                self.ledger.violation(f"a server has only {slots} of its {SLOTS + 1} slots left")
            if not server.close():
                self.ledger.violation("a server did not close well")
        gone = time.monotonic() + CLOSE_SECONDS
        while (left := ours(self.home)) and time.monotonic() < gone:
            time.sleep(POLL)
        if left:
            self.ledger.violation(f"{len(left)} processes are left at the end")

    def prove(self, count: int) -> None:
        """See that every file is whole, and that ``count`` of the runs that were cut came to the bits of
        those that were not."""
        for what in torn(self.home):
            self.ledger.violation(what)
        finished = [run_id for run_id in self.ledger.resumed if self.ledger.settled.get(run_id) == "finished"]
        for run_id in finished[:count]:
            if what := differing(self.home, run_id):
                self.ledger.violation(f"run {run_id}, which went on: {what}")
            self.ledger.proved += 1

    def end(self) -> None:
        """Leave no process behind, whatever happened."""
        for process in ours(self.home):
            with suppress(psutil.Error):
                process.kill()


@contextmanager
def trial(home: Path, seed: int, **how: Any) -> Iterator[Trial]:
    each = Trial(home, random.Random(seed), **how)
    try:
        yield each
    finally:
        each.end()


def random_kills(rng: random.Random, count: int, all_kinds: Sequence[str]) -> list[str]:
    """Each kind as often, in random order."""
    kinds = [all_kinds[number % len(all_kinds)] for number in range(count)]
    rng.shuffle(kinds)
    return kinds
