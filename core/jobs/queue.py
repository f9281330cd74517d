"""The queue, as rows of the database: any number of servers put jobs in and take them out.

A server that takes a job holds a *lease* on it, and renews it while it computes. Whoever finds a lease that
has run out, or whose owner's process is gone, marks the job as interrupted. A job that waits belongs to
nobody: it stays in the queue when a server ends, and the next one takes it.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from core.jobs.kinds import KINDS, QUICK_SLOTS, is_quick
from core.jobs.room import Room
from core.jobs.turns import Waiting, check_room, in_turn
from core.run.events import TERMINAL, State, state
from core.run.history import build_history, summary
from core.store import owner
from core.store.find import summary_columns
from core.store.store import MAX_REASON, Store, StoredRun
from core.store.tables import commands, events, runs
from core.store.transaction import writing

log = logging.getLogger(__name__)

LEASE_SECONDS = 10.0
# Of silence beyond its lease: then a server of this machine is given up, though its process lives.
HANGS_SECONDS = 60.0
MAX_COMMAND_BYTES = 64 * 1024
GONE = "The server stopped during this run; it can go on from its last checkpoint."
RESUMABLE = ("interrupted", "stopped", "failed")

MOST_LOOKED_AT = 20  # jobs that wait, for one that fits into the memory
SERVED_SECONDS = 6 * 3600.0  # for so long it is remembered who was served when

_QUEUED = runs.c.state == "queued"
_RUNNING = runs.c.state.not_in(("queued", *TERMINAL))


class Queue:
    """Jobs that wait and jobs that run; may be used from any thread.

    Args:
        slots: how many jobs run at a time on this machine, whichever server runs them, beside the quick ones.
        room: looks at the memory before one starts; the quick ones need little.
    """

    def __init__(self, store: Store, slots: int = 1, room: Room | None = None) -> None:
        self._room = room or Room()
        self._store = store
        self._engine = store.engine
        self._one_machine = store.engine.dialect.name == "sqlite"
        self._owner = owner.this_process()
        self._slots = {False: slots, True: QUICK_SLOTS}

    def slots(self, quick: bool) -> int:
        """How many jobs of this sort run at a time on this machine."""
        return self._slots[quick]

    def check_room(self, visitor: str, group: str | None = None, most: int | None = None) -> None:
        """Whether one more job of a visitor, and of a group, may wait; see `core.jobs.turns`.

        Raises:
            SpecError: too many wait.
        """
        with self._engine.connect() as connection:
            check_room(self._waiting(connection, _QUEUED), visitor, group, most)

    def position(self, run: StoredRun) -> int:
        """How many jobs must end before this one, which waits, starts."""
        quick = is_quick(run.kind)
        with self._engine.connect() as connection:
            order = in_turn(self._waiting(connection, _QUEUED, _sort(quick)), self._served(connection))
        free = max(0, self._slots[quick] - self._count(_RUNNING, _sort(quick)))
        return max(0, order.index(run.id) + 1 - free) if run.id in order else 0

    def positions(self, unfinished: Sequence[StoredRun]) -> dict[str, int]:
        """`position` of all jobs that have not ended."""
        found = {run.id: 0 for run in unfinished}
        if all(run.state != "queued" for run in unfinished):
            return found
        with self._engine.connect() as connection:
            served = self._served(connection)
        for quick in (False, True):
            ours = [run for run in unfinished if is_quick(run.kind) == quick]
            waiting = [_waiting(run) for run in ours if run.state == "queued"]
            free = max(0, self._slots[quick] - (len(ours) - len(waiting)))
            found |= {run_id: max(0, i + 1 - free) for i, run_id in enumerate(in_turn(waiting, served))}
        return found

    def claim(self, quick: bool = False) -> str | None:
        """Take the job of this sort that comes first, if this machine has a free slot for it; its id. Which
        is first says `core.jobs.turns`; of quick jobs, those of a group come after all others. One for which
        there is no memory waits, and its row says why."""
        ours, slots = _sort(quick), self._slots[quick]
        if not self._count(_QUEUED, ours) or self._num_running_here(ours) >= slots:
            return None  # what nearly every look finds, without a lock
        with writing(self._engine) as connection:
            if self._engine.dialect.name == "postgresql":  # one claim at a time on a machine
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(owner.machine_number())))
            running = connection.execute(self._running_here(ours)).scalar_one()
            if running >= slots:
                return None
            order = in_turn(self._waiting(connection, _QUEUED, ours), self._served(connection))
            fitting = order if quick else self._fitting(connection, order, alone=not running)
            run_id = next((each for each in fitting if _lock(connection, each)), None)
            if run_id is None:
                return None
            now = time.time()
            taken = {"state": "running", "owner": self._owner, "started_at": now, "reason": ""}
            connection.execute(
                sa.update(runs).where(runs.c.id == run_id).values(**taken, lease_until=now + LEASE_SECONDS)
            )
        return run_id

    def waits(self, quick: bool = False) -> bool:
        """Whether a job of this sort waits."""
        return bool(self._count(_QUEUED, _sort(quick)))

    def _fitting(self, connection: sa.Connection, order: Sequence[str], alone: bool) -> Iterator[str]:
        """Those that can start now, in their order."""
        for run_id in order[:MOST_LOOKED_AT]:
            wanted = sa.select(runs.c.spec, runs.c.visitor, runs.c.reason).where(runs.c.id == run_id)
            row = connection.execute(wanted).first()
            if row is None:
                continue
            why_not = self._room.why_not(run_id, row.spec, row.visitor, alone)
            if not why_not:
                yield run_id
                continue
            if why_not != row.reason:
                waits = sa.and_(runs.c.id == run_id, _QUEUED)
                connection.execute(sa.update(runs).where(waits).values(reason=why_not))
            if not self._room.may_be_passed(run_id, alone):
                return

    def renew(self, run_ids: Collection[str]) -> set[str]:
        """Say that these jobs are still computed here; those that are no longer ours."""
        if not run_ids:
            return set()
        ours = sa.and_(runs.c.id.in_(run_ids), runs.c.owner == self._owner, _RUNNING)
        with self._engine.begin() as connection:
            until = time.time() + LEASE_SECONDS
            connection.execute(sa.update(runs).where(ours).values(lease_until=until))
            kept = set(connection.execute(sa.select(runs.c.id).where(ours)).scalars())
        return set(run_ids) - kept

    def mark(self, run_id: str, state: State, reason: str, **columns: Any) -> bool:
        """Change the state of a job of ours; False if it is no longer ours, and then nothing changes."""
        if columns.get("summary") is not None:
            columns |= summary_columns(columns["summary"])
            columns["summary"] = json.dumps(columns["summary"], allow_nan=False)
        ours = sa.and_(runs.c.id == run_id, runs.c.owner == self._owner, _RUNNING)
        columns |= {"state": state, "reason": reason[:MAX_REASON]}
        if state in TERMINAL:
            columns["lease_until"] = None
        with self._engine.begin() as connection:
            return bool(connection.execute(sa.update(runs).where(ours).values(**columns)).rowcount)

    def end_waiting(self, run_id: str, reason: str) -> bool:
        """Stop a job that waits; False if it doesn't."""
        waiting = sa.and_(runs.c.id == run_id, runs.c.state == "queued")
        change = sa.update(runs).where(waiting)
        with self._engine.begin() as connection:
            change = change.values(state="stopped", reason=reason, finished_at=time.time())
            return bool(connection.execute(change).rowcount)

    def end_all_waiting(self, reason: str) -> int:
        """Stop all jobs that wait; how many they were."""
        change = (
            sa.update(runs).where(_QUEUED).values(state="stopped", reason=reason, finished_at=time.time())
        )
        with self._engine.begin() as connection:
            return int(connection.execute(change).rowcount)

    def move(self, run_id: str, to: int) -> bool:
        """Put a job that waits at another place of its queue, 0 the first; False if it doesn't wait. What
        stands before it stays there, whoever else comes."""
        with writing(self._engine) as connection:
            kind = connection.execute(sa.select(runs.c.kind).where(runs.c.id == run_id, _QUEUED)).scalar()
            if kind is None:
                return False
            waiting = self._waiting(connection, _QUEUED, _sort(is_quick(kind)))
            order = in_turn(waiting, self._served(connection))
            order.remove(run_id)
            to = min(max(0, to), len(order))
            order.insert(to, run_id)
            ranked = {job.id for job in waiting if job.rank is not None}
            fixed = max([to, *(i for i, each in enumerate(order) if each in ranked)])
            for rank, each in enumerate(order[: fixed + 1]):
                connection.execute(sa.update(runs).where(runs.c.id == each).values(rank=rank))
        return True

    def put_back(self, run_id: str, by_itself: bool = False, until: int | None = None) -> bool:
        """Have a job that was stopped, failed or interrupted go on; False if it can't, or does already. One
        that was imported can't: it has no checkpoint here, and what is computed here is not its own.

        Args:
            by_itself: nobody asks for it now: only if it was to go on so, and not too often. It goes as far
                as it was to go before.
            until: after how many epochs it waits again; None: it goes to its end.
        """
        wanted = sa.and_(runs.c.id == run_id, runs.c.state.in_(RESUMABLE), runs.c.deleted_at.is_(None))
        wanted = sa.and_(wanted, runs.c.imported_at.is_(None))
        if by_itself:
            wanted = sa.and_(wanted, runs.c.state == "interrupted", runs.c.resumes > 0)
        values: dict[str, Any] = {"state": "queued", "reason": "", "owner": "", "finished_at": None}
        values["rank"] = None
        if by_itself:
            values["resumes"] = runs.c.resumes - 1
        else:
            values["until"] = until
        with writing(self._engine) as connection:
            row = connection.execute(sa.select(runs.c.state, runs.c.reason).where(wanted)).first()
            if row is None or not connection.execute(sa.update(runs).where(wanted).values(**values)).rowcount:
                return False
            latest = sa.select(sa.func.max(events.c.seq)).where(events.c.run_id == run_id)
            number = int(connection.execute(latest).scalar() or 0)
            last = sa.select(events.c.event).where(events.c.run_id == run_id, events.c.seq == number)
            told = [state("queued")]
            if not _is_terminal(connection.execute(last).scalar()):  # its server could not say so itself
                told.insert(0, state(row.state, row.reason))
            rows = [
                {"run_id": run_id, "seq": number + i, "event": json.dumps(each)}
                for i, each in enumerate(told, start=1)
            ]
            connection.execute(sa.insert(events), rows)
        return True

    def put_back_by_themselves(self) -> list[str]:
        """`put_back` all that were interrupted and are to go on by themselves; which they were."""
        wanted = sa.select(runs.c.id).where(
            runs.c.state == "interrupted", runs.c.resumes > 0, runs.c.deleted_at.is_(None)
        )
        with self._engine.connect() as connection:
            ids = [str(run_id) for run_id in connection.execute(wanted).scalars()]
        return [run_id for run_id in ids if self.put_back(run_id, by_itself=True)]

    def interrupt_orphans(self) -> list[str]:
        """Mark the jobs whose server is gone, or has not been heard of for too long; which they were. One
        that had ended, as its events say, has ended so."""
        seen = sa.select(runs.c.id, runs.c.owner, runs.c.lease_until).where(_RUNNING)
        with self._engine.connect() as connection:
            rows = connection.execute(seen).all()
        now = time.time()
        interrupted = []
        for run_id, holder, until in rows:
            if not self._is_gone(str(holder), until, now):
                continue
            same = sa.and_(runs.c.id == run_id, runs.c.owner == holder, _RUNNING)
            same = sa.and_(same, runs.c.lease_until.is_not_distinct_from(until))
            history = build_history(self._store.events(str(run_id))).history()
            figures = summary(history)
            change = sa.update(runs).where(same)
            stored = self._store.run(str(run_id))
            if stored is not None and history.edits:  # it is another job than the one that was asked for
                change = change.values(digest=stored.digest_with(history.edits))
            with self._engine.begin() as connection:
                change = change.values(
                    state=history.state if history.ended else "interrupted",
                    reason=history.reason if history.ended else GONE,
                    finished_at=now,
                    lease_until=None,
                    summary=None if figures is None else json.dumps(figures, allow_nan=False),
                    words=None,  # what it is found by is filled in again
                )
                if connection.execute(change).rowcount:
                    interrupted.append(str(run_id))
        return interrupted

    def _is_gone(self, holder: str, until: Any, now: float) -> bool:
        """Whether a job's server is gone. One of this machine that lives may have let its lease run out, for
        the database was locked; only if it is silent for very long, it hangs."""
        if not owner.is_alive(holder, one_machine=self._one_machine):
            return True
        if until is None:  # an older release kept no lease
            return False
        grace = HANGS_SECONDS if owner.is_here(holder) else 0.0
        return not isinstance(until, int | float) or until + grace < now

    def send(self, run_id: str, command: dict[str, Any]) -> None:
        """Leave a command for whoever runs this job."""
        text = json.dumps(command, allow_nan=False)
        assert len(text) <= MAX_COMMAND_BYTES
        row = {"run_id": run_id, "command": text, "created_at": time.time()}
        with self._engine.begin() as connection:
            connection.execute(sa.insert(commands), row)

    def take_commands(self, run_ids: Collection[str]) -> list[tuple[str, dict[str, Any]]]:
        """The commands that were left for these jobs, each given once, in their order."""
        if not run_ids:
            return []
        left = (
            sa.select(commands.c.id, commands.c.run_id, commands.c.command)
            .where(commands.c.run_id.in_(run_ids), commands.c.taken_at.is_(None))
            .order_by(commands.c.id)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(left).all()
        if not rows:
            return []
        taken = sa.update(commands).where(commands.c.id.in_([row.id for row in rows]))
        with self._engine.begin() as connection:
            connection.execute(taken.values(taken_at=time.time()))
        found = []
        for row in rows:
            try:
                command = json.loads(row.command[: MAX_COMMAND_BYTES + 1])
            except (ValueError, TypeError, RecursionError):
                command = None
            if isinstance(command, dict):
                found.append((str(row.run_id), command))
            else:
                log.warning("A command for run %s can't be read and is left out.", row.run_id)
        return found

    def _waiting(self, connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[Waiting]:
        columns = (
            runs.c.id,
            runs.c.created_at,
            runs.c.visitor,
            runs.c.group_id,
            runs.c.kind,
            runs.c.rank,
        )
        found = connection.execute(sa.select(*columns).where(*conditions)).all()
        return [
            Waiting(
                str(row.id),
                _number(row.created_at),
                str(row.visitor),
                row.group_id,
                _is_last(row.kind, row.group_id),
                row.rank if isinstance(row.rank, int) else None,
            )
            for row in found
        ]

    def _served(self, connection: sa.Connection) -> dict[str, float]:
        """When each visitor was served last, in the last hours."""
        recent = runs.c.started_at > time.time() - SERVED_SECONDS
        wanted = sa.select(runs.c.visitor, sa.func.max(runs.c.started_at)).where(recent, runs.c.visitor != "")
        return {
            str(visitor): _number(at) for visitor, at in connection.execute(wanted.group_by(runs.c.visitor))
        }

    def _running_here(self, ours: sa.ColumnElement[bool]) -> sa.Select[Any]:
        wanted = sa.select(sa.func.count()).select_from(runs).where(_RUNNING, ours)
        if not self._one_machine:
            wanted = wanted.where(runs.c.owner.endswith("/" + owner.machine(), autoescape=True))
        return wanted

    def _num_running_here(self, ours: sa.ColumnElement[bool]) -> int:
        with self._engine.connect() as connection:
            return int(connection.execute(self._running_here(ours)).scalar_one())

    def _count(self, *conditions: sa.ColumnElement[bool]) -> int:
        wanted: sa.Select[Any] = sa.select(sa.func.count()).select_from(runs).where(*conditions)
        with self._engine.connect() as connection:
            return int(connection.execute(wanted).scalar_one())


def _number(value: object) -> float:
    """A time as it is stored; 0 if somebody has put something else there, as SQLite lets him."""
    return float(value) if isinstance(value, int | float) else 0.0


def _is_terminal(text: str | None) -> bool:
    try:
        return text is not None and json.loads(text).get("state") in TERMINAL
    except (ValueError, AttributeError):
        return False


def _waiting(run: StoredRun) -> Waiting:
    last = _is_last(run.kind, run.group)
    return Waiting(run.id, run.created_at, run.visitor, run.group, last, run.rank)


def _is_last(kind: str, group: str | None) -> bool:
    return is_quick(kind) and group is not None


def _lock(connection: sa.Connection, run_id: str) -> bool:
    """Whether this job still waits and nobody else takes it at this moment."""
    wanted = sa.select(runs.c.id).where(runs.c.id == run_id, _QUEUED)
    return connection.execute(wanted.with_for_update(skip_locked=True)).first() is not None


def _sort(quick: bool) -> sa.ColumnElement[bool]:
    names = [kind.name for kind in KINDS.values() if kind.quick]
    return runs.c.kind.in_(names) if quick else runs.c.kind.not_in(names)
