"""`Jobs`: what pages ask of the queue.

Jobs wait in the database (`core.jobs.queue`), are computed by whichever server has a free slot
(`core.jobs.runner`), and are shown to any number of pages as `RunView` values (`core.jobs.views`).
"""

from __future__ import annotations

import atexit
import json
import logging
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from core.catalogue import look_up
from core.jobs.executors import Executor
from core.jobs.fork import Fork, drop, fork_of
from core.jobs.keeper import Keeper
from core.jobs.kinds import KINDS
from core.jobs.limits import NONE, Limits
from core.jobs.making import ToMake, give, held_before, to_make
from core.jobs.memory import run_bytes
from core.jobs.needs import check_fits
from core.jobs.queue import MAX_COMMAND_BYTES, Queue
from core.jobs.rights import (
    ITSELF,
    Asker,
    check_control,
    check_teacher,
    key_digest,
    may_control,
    new_key,
    who,
)
from core.jobs.room import Room
from core.jobs.runner import Runner, seconds_trained
from core.jobs.turns import place_of
from core.jobs.views import Archive, RunView
from core.run.commands import read_command
from core.run.digest import canonical, digest
from core.run.errors import SpecError
from core.run.history import History
from core.run.kinds import RUNS, is_run
from core.run.made import is_made
from core.run.spec import RunSpec, is_upload, parse
from core.run.stopping import ALL_THAT_WAITED, By, stopped_early
from core.store.artefacts import Artefact, Artefacts, listed
from core.store.find import Offered, Query
from core.store.folders import shared_folders
from core.store.retention import bytes_of_place
from core.store.store import MAX_INPUTS_BYTES, Store, StoredRun, is_run_id, run_folder
from core.text.paths import without_paths
from core.transform.plan import Asked

log = logging.getLogger(__name__)

MAX_SAME = 100  # equal jobs, or jobs of a group, that are looked at
LOOK_SECONDS = 0.1  # how often a job of another server is looked at by who waits for it
RESUMES = 5  # how often a run may go on by itself: it may be what ends its server
FROZEN = "The teacher has stopped new starts for now. What runs or waits goes on."
_FREEZE = "frozen"  # a setting


class Jobs:
    """Jobs wait their turn, are computed one a slot, and can be seen and steered by everyone.

    Several servers share one queue. What a server computes is interrupted when it ends; what waits goes on
    waiting for the next server. Any thread may call any method.

    Args:
        slots: how many jobs are computed at a time on this machine. On a CPU more than one gains nothing,
            for each uses all cores. One quick job at a time is computed beside them.
        limits: of what a visitor may take.
        room: looks at this machine's memory before a run starts.
    """

    def __init__(
        self,
        store: Store,
        executor: Executor,
        slots: int = 1,
        limits: Limits = NONE,
        room: Room | None = None,
    ) -> None:
        self._store = store
        self._executor = executor
        self._limits = limits
        self._folders = shared_folders()
        self._artefacts = Artefacts()
        self._queue = Queue(store, slots, room)
        self._archive = Archive(store, self._queue)
        self._closing = threading.Event()
        self._lock = threading.Lock()  # for closing once
        self._keeper = Keeper(store, self._artefacts, self._queue, self._archive)
        self._runner = Runner(store, self._queue, self._archive, executor, limits)
        self._keeper.start(self._runner)
        atexit.register(self.close)

    @property
    def store(self) -> Store:
        return self._store

    @property
    def artefacts(self) -> Artefacts:
        return self._artefacts

    def artefacts_of(self, run_id: str) -> list[Artefact]:
        """What a job has left and what is still kept, in the order of names; read it from `artefacts`."""
        return listed(self._store.engine, run_id)

    @property
    def closed(self) -> bool:
        return self._closing.is_set()

    def submit(
        self,
        spec: RunSpec,
        kind: str = "train",
        inputs: Mapping[str, Any] | None = None,
        visitor: str = "",
        group: str | None = None,
        parents: Sequence[str] = (),
        run_id: str | None = None,
        key: str = "",
        until: int | None = None,
        resumes: int = 0,
    ) -> str:
        """Put a job in the queue; its id.

        Args:
            spec: completed, so that equal jobs have equal digests.
            inputs: what the kind asks for: JSON values.
            visitor: whose it is, as `core.jobs.turns` has it, at most 64 characters; ``""`` is nobody's.
            group: the study it is part of; at most 64 characters.
            parents: digests of the jobs it starts from.
            run_id: that it is to have; None: any that no job has.
            key: of its control link, see `core.jobs.rights`; ``""``: it has none yet.
            until: after how many epochs it waits for its study; None: it goes to its end.
            resumes: how often it may go on by itself once it is interrupted.

        Raises:
            SpecError: there is no such kind, an input is no JSON or too long, too many are waiting, the
                teacher has stopped new starts, a limit of this server is passed, it would never fit into its
                memory, the store can't be written to, or Augury is closing.
        """
        look_up(KINDS, kind, "kind", "kind of job")
        if self.closed:
            raise SpecError("", "Augury is closing; start it again to train.")
        if len(canonical(inputs or {})) > MAX_INPUTS_BYTES:
            raise SpecError("inputs", f"they are too long; at most {MAX_INPUTS_BYTES:,} bytes are kept.")
        run_id = run_id or uuid.uuid4().hex
        made = digest(kind, spec, inputs, parents=parents)
        described: dict[str, Any] = {"kind": kind, "inputs": inputs, "parents": parents, "digest": made}
        described["control"] = key_digest(key) if key else None
        described |= {"until": until, "resumes": resumes}
        try:
            spec = parse(spec.to_json())  # what a caller has put together may be beyond its bounds
            if visitor:
                self._check_start(Asker(visitor))
            self._check_room(spec, kind, visitor, group)
            self._share(run_id, spec)
            self._store.create(run_id, spec, time.time(), **described, group=group, visitor=visitor)
        except SQLAlchemyError as error:
            cause = getattr(error, "orig", error)
            raise SpecError(
                "", f"The run could not be stored: {without_paths(str(cause))}; is the disk full?"
            ) from error
        except OSError as error:
            raise SpecError(
                "", f"The run could not be shared with other machines: {error.strerror}."
            ) from error
        self._archive.changed()
        self._runner.wake()
        return run_id

    def _share(self, run_id: str, spec: RunSpec) -> None:
        """Put what a run starts from where whichever machine computes it finds it.

        Raises:
            OSError: it can't be written.
        """
        if self._folders is None:
            return
        if run_folder(run_id).is_dir():  # of a branch
            self._folders.keep(run_id, run_folder(run_id))
        if spec.data.path is not None and is_upload(spec.data.path):
            self._folders.keep_upload(spec.data.path)

    def _check_room(self, spec: RunSpec, kind: str, visitor: str, group: str | None) -> None:
        """Whether one more job of this visitor may wait, and has what it needs.

        Raises:
            SpecError: it may not, or has not.
        """
        limits = self._limits.of(visitor)
        limits.check_spec(spec, trains=kind == "train")
        if kind == "train" and visitor and not Asker(visitor).is_teacher:
            check_fits(spec, run_bytes())
        self._queue.check_room(visitor, group, limits.waiting)
        if limits.disk_mb is not None:
            limits.check_disk(bytes_of_place(self._store, place_of(visitor)))

    def fork(self, run_id: str, step: int) -> Fork:
        """Where one can branch from a run, after ``step`` steps; see `core.jobs.fork`.

        Raises:
            SpecError: there is no such run or checkpoint.
        """
        view = self.view(run_id)
        if view is None:
            raise SpecError("", "The run to branch from is not there any more.")
        return fork_of(view, step)

    def branch(self, fork: Fork, spec: RunSpec, visitor: str = "", key: str = "") -> str:
        """Put a run into the queue that goes on from a checkpoint of another one; its id. The other goes on
        as it was, so anybody may.

        Args:
            spec: completed.
            visitor, key: as `submit` has them.

        Raises:
            SpecError: it can't go on from there, or as `submit`.
        """
        fork.check(spec)
        run_id = uuid.uuid4().hex
        try:
            fork.give(run_id)
            told: dict[str, Any] = {"inputs": fork.inputs, "parents": fork.parents, "visitor": visitor}
            return self.submit(spec, **told, run_id=run_id, key=key)
        except (SpecError, OSError) as error:
            drop(run_id)
            if isinstance(error, SpecError):
                raise
            raise SpecError("", f"The branch could not be stored: {error.strerror}.") from error

    def make(
        self,
        how: str,
        asked: Asked,
        visitor: str = "",
        key: str = "",
        group: str | None = None,
        run_id: str | None = None,
        resumes: int = 0,
    ) -> str:
        """Put a run into the queue whose network is made of those of others; its id. They stay as they are,
        so anybody may.

        Args:
            asked: its sources are ids of runs.
            visitor, key, group, run_id, resumes: as `submit` has them.

        Raises:
            SpecError: it can't be made of these, or as `submit`.
        """
        job = self._to_make(how, asked)
        if visitor and not Asker(visitor).is_teacher:
            check_fits(job.spec, run_bytes(), [spec for spec, _ in job.sources])
        run_id = run_id or uuid.uuid4().hex
        try:
            give(run_folder(run_id), job.sources)
            return self.submit(
                job.spec, job.kind, job.inputs, visitor, group, job.parents, run_id, key, resumes=resumes
            )
        except (SpecError, OSError) as error:
            drop(run_id)
            if isinstance(error, SpecError):
                raise
            raise SpecError("", f"The networks could not be copied: {error.strerror}.") from error

    def already_made(self, how: str, asked: Asked) -> StoredRun | None:
        """The newest finished run that was made so, see `already`.

        Raises:
            SpecError: it can't be made of these.
        """
        job = self._to_make(how, asked)
        return self.already(job.spec, job.kind, job.inputs, job.parents)

    def _to_make(self, how: str, asked: Asked) -> ToMake:
        views = [self.view(run_id) for run_id in asked.sources]
        known = [view for view in views if view is not None and is_run(view.kind)]
        if len(known) < len(views):
            raise SpecError("from", "a run that it is to be made of is not there any more.")
        if any(not view.ended for view in known):
            raise SpecError("from", "a run that it is to be made of has not ended yet; wait for it.")
        stored = [self._store.run(view.id) for view in known]
        digests = [
            run.digest_with(view.history.edits) for run, view in zip(stored, known, strict=True) if run
        ]
        alone = [not (view.history.edits or view.history.branches or is_made(view.inputs)) for view in known]
        held = held_before(known[0], self.view) if known else []
        return to_make(how, asked, [(view.id, view.spec_now) for view in known], digests, alone, held)

    def children(self, run_id: str) -> list[StoredRun]:
        """The runs that branch from this one, and those whose networks were made of its, the newest first."""
        return self._store.runs(MAX_SAME, parent=run_id)

    def check_control(self, run_id: str, asker: Asker) -> None:
        """Whether ``asker`` may steer this run; one that is not there may be steered by all.

        Raises:
            SpecError: it is somebody else's.
        """
        if asker != ITSELF and (run := self._store.run(run_id)) is not None:
            check_control(run, asker)

    def _who(self, run_id: str, asker: Asker) -> By:
        run = self._store.run(run_id)
        return who(run.visitor if run else "", asker)

    def new_control_key(self, run_id: str, asker: Asker = ITSELF) -> str:
        """Give a run a control link; the key of it. The link before opens nothing any more.

        Raises:
            SpecError: see `check_control`.
        """
        self.check_control(run_id, asker)
        key = new_key()
        self._store.set_control(run_id, key_digest(key))
        self._noticed(run_id)
        return key

    def resume(self, run_id: str, asker: Asker = ITSELF) -> None:
        """Have a run that was stopped, failed or interrupted go on from its newest checkpoint, or from its
        start if none is left.

        Raises:
            SpecError: it is none of these, the teacher has stopped new starts, it has had the minutes that a
                run may take here, there is no room for it as in `submit`, or see `check_control`.
        """
        self.check_control(run_id, asker)
        self._check_start(asker)
        self._check_minutes(run_id, asker)
        if (run := self._store.run(run_id)) is not None and not asker.is_teacher:
            self._check_room(run.spec, run.kind, run.visitor, run.group)
        if not self._queue.put_back(run_id):
            if run is not None and run.imported_at is not None:
                raise SpecError("", "This run was imported, without checkpoints: train it again instead.")
            raise SpecError("", "This run can't go on: it has finished, or somebody has it go on already.")
        self._archive.changed(run_id)
        self._runner.wake()

    def go_on(self, run_id: str, until: int | None) -> bool:
        """Have a run of a study go on, as far as ``until`` says; False: it can't, or does already."""
        if not self._queue.put_back(run_id, until=until):
            return False
        self._archive.changed(run_id)
        self._runner.wake()
        return True

    def resume_by_itself(self, run_id: str, wanted: bool, asker: Asker = ITSELF) -> None:
        """Whether a run goes on by itself if its server or its worker was killed; a few times at most.

        Raises:
            SpecError: see `check_control`.
        """
        self.check_control(run_id, asker)
        self._store.set_resumes(run_id, RESUMES if wanted else 0)
        self._noticed(run_id)

    def check_import(self, visitor: str) -> None:
        """Whether a visitor has room for runs out of an archive.

        Raises:
            SpecError: what he has left on disk is too much already.
        """
        limits = self._limits.of(visitor)
        if limits.disk_mb is not None:
            limits.check_disk(bytes_of_place(self._store, place_of(visitor)))

    def imported(self, run_ids: Sequence[str]) -> None:
        """Another process has put these runs into the store."""
        for run_id in run_ids:
            self._archive.changed(run_id)

    def already(
        self,
        spec: RunSpec,
        kind: str = "train",
        inputs: Mapping[str, Any] | None = None,
        parents: Sequence[str] = (),
    ) -> StoredRun | None:
        """The newest finished job that was the same, so that it need not be computed again.

        A folder of this machine may hold other images by now: a job that reads one is never the same.
        """
        if spec.data.path is not None and not is_upload(spec.data.path):
            return None
        return self._store.find_finished(digest(kind, spec, inputs, parents=parents))

    def stop(self, run_id: str, asker: Asker = ITSELF) -> None:
        """End a job: one that waits never starts, one that runs, here or elsewhere, stops within a batch.
        One that has ended is left alone.

        Raises:
            SpecError: see `check_control`.
        """
        self.check_control(run_id, asker)
        by = self._who(run_id, asker)
        if (run := self._runner.get(run_id)) is not None:
            run.control.end(by)
        elif self._queue.end_waiting(run_id, stopped_early(by)):
            self._archive.changed(run_id)
        else:
            self.command(run_id, {"command": "stop", "by": by})

    def stop_waiting(self, asker: Asker = ITSELF) -> int:
        """End all jobs that wait, whosever they are; how many they were. What runs goes on.

        Raises:
            SpecError: only a teacher may.
        """
        check_teacher(asker)
        count = self._queue.end_all_waiting(stopped_early(who("", asker), ALL_THAT_WAITED))
        self._archive.changed()
        return count

    def move(self, run_id: str, to: int, asker: Asker = ITSELF) -> None:
        """Put a job that waits at another place of the queue, 0 the first; one that doesn't wait is left
        alone. What stands before it stays there, whoever else comes.

        Raises:
            SpecError: only a teacher may.
        """
        check_teacher(asker)
        if self._queue.move(run_id, to):
            self._archive.changed()

    def frozen(self) -> bool:
        """Whether only a teacher can start anything, on all servers of this queue."""
        return self._store.setting(_FREEZE) is not None

    def freeze(self, frozen: bool, asker: Asker = ITSELF) -> None:
        """Let nobody but a teacher start anything; or everybody again.

        Raises:
            SpecError: only a teacher may.
        """
        check_teacher(asker)
        self._store.set_setting(_FREEZE, "1" if frozen else None)

    def _check_start(self, asker: Asker) -> None:
        if not asker.is_teacher and self.frozen():
            raise SpecError("", FROZEN)

    def limits_of(self, visitor: str) -> Limits:
        """What a visitor may take."""
        return self._limits.of(visitor)

    def _check_edit(self, run_id: str, command: Mapping[str, Any], asker: Asker) -> None:
        limits = self._limits.of(asker.visitor or "/")
        if command["command"] == "edit" and limits != NONE and (stored := self._store.run(run_id)):
            limits.check_edit(stored.spec, command["set"])

    def _check_minutes(self, run_id: str, asker: Asker) -> None:
        if (view := self.view(run_id)) is not None and not asker.is_teacher:
            limits = self._limits.of(view.visitor)
            if limits.minutes is not None and seconds_trained(view.history) >= 60 * limits.minutes:
                raise SpecError("", limits.time_over)

    def command(self, run_id: str, command: Mapping[str, Any], asker: Asker = ITSELF) -> None:
        """Ask something of a job that runs, here or elsewhere: ``{"command": "pause"}`` and so on. A job that
        has ended, or is not there, is left alone.

        Raises:
            SpecError: it is no command, no JSON, or too long; an edit passes a limit of this server; or see
                `check_control`.
        """
        self.check_control(run_id, asker)
        plain = json.loads(canonical(dict(read_command(command))))
        if len(canonical(plain)) > MAX_COMMAND_BYTES:
            raise SpecError("", "This command is too long.")
        self._check_edit(run_id, plain, asker)
        if (run := self._runner.get(run_id)) is not None:
            run.control.post(plain)
            return
        stored = self._store.run(run_id)
        if stored is not None and not stored.ended:
            self._queue.send(run_id, plain)

    def view(self, run_id: str) -> RunView | None:
        """A job as it is now, wherever it is or was computed; None if there is no such job. While nothing
        changes it is the same object, and equal ``(id, version)`` draw equal charts."""
        return self._runner.view(run_id) or self._archive.view(run_id)

    def resident_bytes(self, run_id: str) -> int:
        """The memory that computing a job takes now; 0: not known, as of one that another server computes."""
        return self._executor.resident_bytes(run_id)

    def live(self, kinds: tuple[str, ...] | None = RUNS) -> list[RunView]:
        """The jobs of all servers that have not ended: those that run first, then those that wait, in their
        order.

        Args:
            kinds: only those of these kinds; None: all.
        """
        views = [self._runner.view(view.id) or view for view in self._archive.unfinished()]
        return [view for view in views if not view.ended and (kinds is None or view.kind in kinds)]

    def recent(
        self, limit: int = 50, kinds: tuple[str, ...] | None = RUNS, cells: bool = True
    ) -> list[StoredRun]:
        """The newest jobs in the store, without their histories, the newest first.

        Args:
            kinds: only those of these kinds; None: all.
            cells: those that studies began, too.
        """
        return self._archive.recent(limit, kinds, cells)

    def find(self, query: Query, limit: int, offset: int = 0) -> tuple[list[StoredRun], int]:
        """A page of the jobs that a query is about, and how many there are; see `Store.find`."""
        return self._store.find(query, limit, offset)

    def offered(self) -> Offered:
        """What runs can be filtered by."""
        return self._archive.offered()

    def before(self, runs: Sequence[StoredRun]) -> dict[str, StoredRun]:
        """See `Store.before`."""
        return self._store.before(runs)

    def same(
        self, spec: RunSpec, kind: str, inputs: Mapping[str, Any], parents: Sequence[str] = ()
    ) -> RunView | None:
        """The job that was asked for in the very same words: one that is live, or else the newest that is
        finished, or else the newest that was stopped or failed."""
        made = digest(kind, spec, inputs, parents=parents)
        return next(iter(self._telling(self._store.runs(MAX_SAME, digest=made))), None)

    def group(self, group: str) -> list[RunView]:
        """The jobs of a group; of those that are the same, the one that `same` gives."""
        return self._telling(self._store.runs(MAX_SAME, group=group))

    def _telling(self, stored: Sequence[StoredRun]) -> list[RunView]:
        """Of jobs with one digest that which says most. ``stored`` has the newest first."""
        best: dict[str | None, RunView] = {}
        for run in stored:
            view = self.view(run.id)
            if view is not None and (run.digest not in best or _says(view) > _says(best[run.digest])):
                best[run.digest] = view
        return list(best.values())

    def wait(self, run_id: str, timeout: float | None = None) -> RunView | None:
        """Wait until a job has ended and is stored; its view then."""
        deadline = time.monotonic() + (float("inf") if timeout is None else timeout)
        while True:
            run = self._runner.get(run_id)
            view = self.view(run_id)
            left = deadline - time.monotonic()
            if left <= 0 or view is None or (run is None and view.ended) or (run is None and self.closed):
                return view
            if run is None:
                time.sleep(min(LOOK_SECONDS, left))
            else:
                run.done.wait(min(1.0, left))

    def wait_for_step(self, run_id: str, timeout: float | None = None) -> None:
        """Wait until a job has made its first step, or has ended without one."""
        deadline = time.monotonic() + (float("inf") if timeout is None else timeout)
        while (left := deadline - time.monotonic()) > 0 and not self.closed:
            if (run := self._runner.get(run_id)) is not None:
                run.moved.wait(min(1.0, left))
                if run.moved.is_set():
                    return
                continue
            view = self.view(run_id)
            if view is None or view.ended or _has_moved(view.history):
                return
            time.sleep(min(LOOK_SECONDS / 5, left))

    # What a person does with a run that is there. Each raises `SpecError` as `check_control` does.

    def rename(self, run_id: str, name: str, asker: Asker = ITSELF) -> None:
        """Give a job another name; see `Store.rename`."""
        self.check_control(run_id, asker)
        self._store.rename(run_id, name)
        self._noticed(run_id)

    def annotate(
        self,
        run_id: str,
        note: str | None = None,
        tags: Sequence[str] | None = None,
        asker: Asker = ITSELF,
    ) -> None:
        """Set a job's note or tags; see `Store.annotate`."""
        self.check_control(run_id, asker)
        self._store.annotate(run_id, note, tags)
        self._noticed(run_id)

    def star(self, run_id: str, starred: bool = True, asker: Asker = ITSELF) -> None:
        """Keep a job's files, whatever the quota says; or no longer."""
        self.check_control(run_id, asker)
        self._store.star(run_id, starred)
        self._noticed(run_id)

    def delete(self, run_id: str, asker: Asker = ITSELF) -> None:
        """Delete an ended job; see `Store.delete`."""
        self.check_control(run_id, asker)
        self._store.delete(run_id)
        self._noticed(run_id)

    def restore(self, run_id: str, asker: Asker = ITSELF) -> bool:
        """Bring a deleted job back; False: it is gone."""
        self.check_control(run_id, asker)
        restored = self._store.restore(run_id)
        self._noticed(run_id)
        return restored

    def deleted(self, run_id: str, asker: Asker = ITSELF) -> StoredRun | None:
        """A job that was deleted and that ``asker`` may `restore`; None if there is none."""
        run = self._store.run(run_id) if is_run_id(run_id) else None
        if run is None or run.deleted_at is None or not may_control(run, asker):
            return None
        return run

    def uploads_in_use(self) -> frozenset[str]:
        """The uploads that jobs of any server still need."""
        return self._store.uploads_in_use()

    def warm(self) -> None:
        """Prepare for the next run, so that it starts at once."""
        self._executor.warm()

    def close(self) -> None:
        """Interrupt what is computed here, and close the executor; what waits stays in the queue, and the
        store stays open."""
        with self._lock:
            if self.closed:
                return
            self._closing.set()
        self._keeper.ask_to_end()
        self._runner.close()
        self._keeper.join()
        atexit.unregister(self.close)

    def _noticed(self, run_id: str) -> None:
        self._runner.read_again(run_id)
        self._archive.changed(run_id)


def _says(view: RunView) -> int:
    """How much a job tells of what it computes: a live one will tell most."""
    return 2 if not view.ended else int(view.state == "finished")


def _has_moved(history: History) -> bool:
    return bool(history.step or history.epochs or history.rows or history.progress_event)
