"""The training loop: a spec in, a stream of events out.

The data lies on the device as one uint8 tensor; a batch is selected by index, augmented and
normalised there. There is no `DataLoader`: for small images its workers cost more than the step.
All randomness is derived from the seed and a counter (`core.randomness`), so the same spec and edits give
the same numbers in a page's thread, a worker process or on the command line, however the run was paused or
resumed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from core.catalogues import completed
from core.models.fit import shapes_of
from core.run.checkpoints import LAST
from core.run.commands import Control, StoppedError
from core.run.edits import Edit
from core.run.errors import SpecError
from core.run.events import Event, StateEvent, state
from core.run.spec import RunSpec
from core.train.alone import ProcessLostError
from core.train.branch import begin_at
from core.train.checkpoint import (
    Checkpoint,
    begin_anew,
    checkpoint_of,
    load_checkpoint,
    save,
    save_failed,
    saved_edits,
    shapes_to_go_on,
)
from core.train.divergence import DivergedError
from core.train.epoch import Telling, at_once, train_epoch
from core.train.evaluation import evaluation_weights
from core.train.keeping import FULL, Checkpoints
from core.train.pace import Pace
from core.train.position import Kept, Position, Sums
from core.train.reports import finished, resumed, started
from core.train.session import Session, no_check, open_session
from core.train.steering import FULL_DISK, ROOM_SECONDS, Steering, checked_edits
from core.train.teachers import seat_teachers

if TYPE_CHECKING:
    from core.train.distributed.leader import Leader

STEP_SECONDS = 0.1  # at most ten `step` events a second: a chart shows no more
STEP_SHARE = 0.005  # of the time they may take: orthogonality takes 5 ms to tell, for the default CNN
WAITS = "It waits after epoch {} of {}: its study lets the best go on."
BATCH_SECONDS = 1.0  # how often a watched run shows the images it is training on


def run(
    spec: RunSpec,
    control: Control | None = None,
    *,
    out: Path | None = None,
    resume: bool = False,
    watch: bool = False,
    retell: bool = False,
    edits: Sequence[Edit] = (),
    start: Path | None = None,
    until: int | None = None,
    network: Mapping[str, Tensor] | None = None,
    trains: bool = True,
) -> Iterator[Event]:
    """Train what ``spec`` describes, yielding events as they happen.

    Args:
        control: its commands are taken before each batch; a stop also while data load, and while the
            network is evaluated or measured.
        out: a folder for ``spec.json``, ``weights.safetensors`` (of a run that failed, those of the last
            epoch that ended), ``edits.json`` and, every few seconds, a checkpoint.
        resume: go on from the checkpoint in ``out``; of a run that had ended there is one event, a ``state``
            that says so, and nothing is written.
        watch: also yield ``batch`` events, the very images of a step.
        retell: of a run that is resumed, also yield ``resumed`` and its epochs so far, and if it had ended,
            its end: whoever listens may have missed some.
        edits: changes to make at their steps; a resumed run knows those it was given before.
        start: a checkpoint of another run, to go on from; see `core.train.branch`.
        until: stop when so many epochs are done, if there are more; what is resumed later is the same run.
        network: the weights to begin with, of the spec's network or a smaller one. How good it is at once is
            told as epoch 0.
        trains: whether it goes on from there.

    Raises:
        SpecError: before the first event, if the spec or an edit can't be run. What goes wrong later (a loss
            that is no number, no memory left) ends the stream with the state ``failed`` and its reason.
    """
    control, spec = control or Control(), completed(spec)
    asked = time.perf_counter()
    with _processes(spec, out, resume, start) as leader:
        try:
            told: dict[str, Any] = {"out": out, "resume": resume, "edits": edits, "start": start}
            session, position = begun(spec, control.check, **told, network=network, keep=True)
            ended = position.ended(session.spec.train.epochs)
            if leader is not None and not ended:
                leader.join(session, control.check)
        except StoppedError:
            yield state("stopped", "It was stopped before training began.")
            return
        except ProcessLostError as error:
            yield state("failed", str(error), "process_lost")
            return
        if ended and not retell:
            yield state("finished", _had_ended(position, session.spec.train.epochs))
            return
        if out is not None and not resume:
            begin_anew(out, position.to_come)
        yield state("running")
        yield started(session, position.notes, position.begins_at)
        if resume and retell:
            yield resumed(session, position)
            yield from (event for event in position.epochs if event["step"] > position.begins_at)
        ready = time.perf_counter() - asked
        if network is not None and not resume:
            try:
                session.check = control.check
                first = at_once(session, last=not trains)
            except StoppedError:
                yield state("stopped", "It was stopped before training began.")
                return
            except DivergedError as error:
                yield state("failed", str(error), "diverged", error.values)
                return
            session.check = no_check
            yield first
            if not trains:
                yield from _kept_as_it_is(session, position, first, out, ready)
                return
        yield from _Run(session, control, position, out, watch, leader, until, ready).events()


def _kept_as_it_is(
    session: Session, position: Position, event: Event, out: Path | None, ready: float
) -> Iterator[Event]:
    """The end of a run that trains nothing."""
    position.kept = None
    if out is not None:
        save(out, session, position)
    yield finished(session, [event], event["seconds"], ready)
    yield state("finished")


@contextmanager
def _processes(spec: RunSpec, out: Path | None, resume: bool, start: Path | None) -> Iterator[Leader | None]:
    """The processes beside this one that train the run, which end with it; None: it is trained by one."""
    if spec.train.processes == 1:
        yield None
        return
    from core.train.distributed.leader import Leader  # takes a second, which no other run needs

    where = {"out": _resolved(out), "start": _resolved(start)}
    with closing(Leader(spec, {**where, "resume": resume})) as leader:
        yield leader


def _resolved(path: Path | None) -> str | None:
    return None if path is None else str(path.resolve())


def begun(
    spec: RunSpec,
    check: Callable[[], None] = no_check,
    *,
    out: Path | None = None,
    resume: bool = False,
    edits: Sequence[Edit] = (),
    start: Path | None = None,
    network: Mapping[str, Tensor] | None = None,
    keep: bool = False,
) -> tuple[Session, Position]:
    """A session, and where in its run it is; nothing is written. Its network is as small as the weights are
    that it goes on from.

    Args:
        spec: completed.
        check: raises `StoppedError` if the run was asked to stop meanwhile.
        keep: also a copy of the network, for a run that fails later.

    Raises:
        SpecError: the spec or an edit can't be run, or there is nothing to go on from.
    """
    begins = network if not resume else None
    shapes = shapes_to_go_on(out if resume else None, start) if begins is None else shapes_of(begins)
    session = open_session(spec, check, shapes)
    if begins is not None:
        session.model.load_state_dict(dict(begins))
    seat_teachers(session, out)
    if resume:
        position = _resumed(session, out, checked_edits(spec, edits, session.clock))
    else:
        position = begin_at(start, session) if start is not None else Position(spec, Sums.none(session))
        clock = session.clock  # a branch may have another batch size, from its first epoch on
        if not position.sums.batches:
            clock = clock.at_epoch(len(position.epochs), spec.train.batch_size)
        position.to_come = checked_edits(spec, edits, clock, position.begins_at)
    if keep and out is not None and position.kept is None and not position.ended(session.spec.train.epochs):
        position.kept = _kept(session, position)
    return session, position


@dataclass(slots=True)
class _Run:
    """A run that is ready to train."""

    session: Session
    control: Control
    position: Position
    out: Path | None
    watch: bool
    leader: Leader | None
    until: int | None = None
    load_seconds: float = 0.0

    def events(self) -> Iterator[Event]:
        """From the first event of training to the last state."""
        checkpoints = None if self.out is None else Checkpoints(self.out, self._checkpoint)
        try:
            yield from self._events(checkpoints)
        finally:
            if checkpoints is not None:
                checkpoints.close()

    def _events(self, checkpoints: Checkpoints | None) -> Iterator[Event]:
        began = time.perf_counter()
        steering = Steering(self.session, self.control, self.position, checkpoints)
        self.session.check = steering.listen
        ended = state("finished")
        try:
            yield from self._epochs(steering, checkpoints)
            done = len(self.position.epochs)
            if self.position.ended(self.session.spec.train.epochs):
                ended = state("finished", self.position.epochs[-1].get("stop", ""))
            else:
                ended = state("stopped", WAITS.format(done, self.session.spec.train.epochs))
        except StoppedError:
            ended = state("stopped")
        except DivergedError as error:
            ended = state("failed", str(error), "diverged", error.values)
        except torch.OutOfMemoryError:
            size = self.session.clock.batch_size
            reason = (
                f"The device ran out of memory; try a batch size under {size}, "
                "smaller images or a narrower network."
            )
            ended = state("failed", reason, "out_of_memory", {"batch_size": size})
        except (
            RuntimeError,
            ProcessLostError,
        ) as error:  # torch says of an exchange that failed RuntimeError
            if isinstance(error, ProcessLostError):
                lost = str(error)
            else:
                lost = self.leader.why_lost(error) if self.leader else ""
            if not lost:
                raise
            ended = state("failed", lost, "process_lost")
        self.session.check = no_check  # what is saved now is saved whole
        if ended["state"] != "failed" and self.position.epochs:
            seconds = time.perf_counter() - began - steering.waited
            yield finished(self.session, self.position.epochs, seconds, self.load_seconds)
        if checkpoints is not None:
            said = yield from self._save_when_there_is_room(checkpoints, ended)
            ended["reason"] = f"{ended['reason']} {said}".strip()
        yield ended

    def _epochs(self, steering: Steering, checkpoints: Checkpoints | None) -> Iterator[Event]:
        """Train on to the last epoch, with a checkpoint now and then."""
        position = self.position
        telling = Telling(Pace(STEP_SECONDS, STEP_SHARE), Pace(BATCH_SECONDS) if self.watch else None)
        while not position.ended(self.session.spec.train.epochs) and not self._waits:
            for event in train_epoch(self.session, position, steering, telling):
                if event["event"] == "epoch" and checkpoints is not None:
                    epochs, accuracy = self.session.spec.train.epochs, event["validation_accuracy"]
                    ended = position.ended(epochs)
                    checkpoints.epoch_ended(event["epoch"], epochs, event["step"], accuracy, ended)
                yield event
        yield from steering.too_late()

    @property
    def _waits(self) -> bool:
        return self.until is not None and len(self.position.epochs) >= self.until

    def _checkpoint(self, name: str = "") -> Checkpoint:
        return checkpoint_of(self.session, self.position, name).copied()

    def _save_when_there_is_room(
        self, checkpoints: Checkpoints, ended: StateEvent
    ) -> Generator[Event, None, str]:
        """`_save`; while the disk is full a run that has come to its end waits, or until it is stopped."""
        assert self.out is not None
        # Taken before, for `save` may put another network in the place of the last.
        last, waits = self._last(ended), False
        while True:
            try:
                return self._save(self.out, checkpoints, ended, last)
            except OSError as error:
                if error.errno not in FULL:
                    raise
            if ended["state"] != "finished" or self.control.stopping:
                return "Its weights could not be saved: the disk is full."
            if not waits:
                yield state("paused", FULL_DISK)
            waits = True
            self.control.wait(ROOM_SECONDS)
            checkpoints.try_again()

    def _last(self, ended: StateEvent) -> Checkpoint | None:
        """The run's last checkpoint. There is none of a run that was stopped while it was judged: some of
        what comes at an epoch's end is done then, and would be done again."""
        judged = self.position.sums.batches == self.session.clock.steps_per_epoch
        return None if judged or ended["state"] == "failed" else self._checkpoint()

    def _save(self, out: Path, checkpoints: Checkpoints, ended: StateEvent, last: Checkpoint | None) -> str:
        """Write what the run leaves; returns what there is to say of its weights."""
        session, position = self.session, self.position
        if ended["state"] == "failed":
            return save_failed(out, position)
        save(out, session, position)
        if last is not None:  # once the weights are there: a run that is killed in between is resumed
            checkpoints.write(LAST, last)
        checkpoints.flush()
        chosen, done = session.regularisation.chosen_epoch(), len(position.epochs)
        if chosen not in (None, done):
            return f"The weights saved are those of epoch {chosen}, the best."
        if done and position.sums.batches:
            return f"The weights saved are those of epoch {done}, the last that ended."
        return ""


def _resumed(session: Session, out: Path | None, edits: Sequence[Edit]) -> Position:
    """Where the checkpoint in ``out`` is, once it is loaded.

    Args:
        edits: all of the run, those that the checkpoint has made first; none: those it knows.
    """
    if out is None:
        raise SpecError("--resume", "it needs --out, the folder with the checkpoint.")
    position = load_checkpoint(out, session)
    done, saved = len(position.edits), saved_edits(out)
    if edits:
        if list(edits[:done]) != position.edits:
            raise SpecError("--edits", f"the run in {out} has made other edits; leave them out to go on.")
        position.to_come = list(edits[done:])
    elif saved[:done] == position.edits:  # and some more, after the checkpoint
        position.to_come = saved[done:]
    return position


def _kept(session: Session, position: Position) -> Kept:
    kept = Kept()
    if position.epochs:
        with evaluation_weights(session, len(position.epochs)):
            kept.take(session.model, len(position.epochs))
    return kept


def _had_ended(position: Position, epochs: int) -> str:
    """Why there is nothing to resume."""
    last = position.epochs[-1]
    if "stop" in last:
        return f"The run had stopped early, after epoch {last['epoch']} of {epochs}; nothing was trained now."
    return f"The run was finished, after epoch {last['epoch']}; nothing was trained now."
