"""The training loop: a spec in, a stream of events out.

The data lies on the device as one uint8 tensor; a batch is selected by index, augmented and
normalised there. There is no `DataLoader`: for small images its workers cost more than the step.
All randomness is derived from the seed and a counter (`core.randomness`), so the same spec and edits give
the same numbers in a page's thread, a worker process or on the command line, however the run was paused or
resumed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from core.catalogues import completed
from core.run.commands import Control, StoppedError
from core.run.edits import Edit
from core.run.errors import SpecError
from core.run.events import Event, StateEvent, state
from core.run.spec import RunSpec
from core.train.checkpoint import (
    CHECKPOINT_SECONDS,
    checkpoint_of,
    load_checkpoint,
    save,
    save_checkpoint,
    save_failed,
)
from core.train.divergence import DivergedError
from core.train.epoch import Telling, train_epoch
from core.train.evaluation import evaluation_weights
from core.train.pace import Pace
from core.train.position import Kept, Position, Sums
from core.train.reports import finished, started
from core.train.session import Session, no_check, open_session
from core.train.steering import Steering, checked_edits

STEP_SECONDS = 0.1  # at most ten `step` events a second: a chart shows no more
STEP_SHARE = 0.005  # of the time they may take: orthogonality takes 5 ms to tell, for the default CNN
BATCH_SECONDS = 1.0  # how often a watched run shows the images it is training on


def run(
    spec: RunSpec,
    control: Control | None = None,
    *,
    out: Path | None = None,
    resume: bool = False,
    watch: bool = False,
    edits: Sequence[Edit] = (),
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
        edits: changes to make at their steps; a resumed run knows those it was given before.

    Raises:
        SpecError: before the first event, if the spec or an edit can't be run. What goes wrong later (a loss
            that is no number, no memory left) ends the stream with the state ``failed`` and its reason.
    """
    control = control or Control()
    try:
        session, position = _prepared(completed(spec), control, out, resume, edits)
    except StoppedError:
        yield state("stopped", "It was stopped before training began.")
        return
    if position.ended:
        yield state("finished", _had_ended(position))
        return
    yield state("running")
    yield started(session, position.notes)
    yield from _Run(session, control, position, out, watch).events()


def _prepared(
    spec: RunSpec, control: Control, out: Path | None, resume: bool, edits: Sequence[Edit]
) -> tuple[Session, Position]:
    """A session, and where in its run it is.

    Raises:
        StoppedError: the run was asked to stop meanwhile.
    """
    session = open_session(spec, control.check)
    edits = checked_edits(spec, edits, session.num_steps)
    position = Position(spec, Sums.none(session), to_come=list(edits))
    if resume:
        position = _resumed(session, out, edits)
    if out is not None and position.kept is None and not position.ended:
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

    def events(self) -> Iterator[Event]:
        """From the first event of training to the last state."""
        began, steering = time.perf_counter(), self._steering()
        self.session.check = steering.listen
        ended = state("finished")
        try:
            yield from self._epochs(steering)
            ended = state("finished", self.position.epochs[-1].get("stop", ""))
        except StoppedError:
            ended = state("stopped")
        except DivergedError as error:
            ended = state("failed", str(error), "diverged", error.values)
        except torch.OutOfMemoryError:
            size = self.session.spec.train.batch_size
            reason = (
                f"The device ran out of memory; try a batch size under {size}, "
                "smaller images or a narrower network."
            )
            ended = state("failed", reason, "out_of_memory", {"batch_size": size})
        self.session.check = no_check  # what is saved now is saved whole
        if ended["state"] != "failed" and self.position.epochs:
            yield finished(self.session, self.position.epochs, time.perf_counter() - began - steering.waited)
        if self.out is not None:
            ended["reason"] = f"{ended['reason']} {self._save(self.out, ended)}".strip()
        yield ended

    def _steering(self) -> Steering:
        out = self.out
        save = (
            None if out is None else lambda: save_checkpoint(out, checkpoint_of(self.session, self.position))
        )
        return Steering(self.session, self.control, self.position, save)

    def _epochs(self, steering: Steering) -> Iterator[Event]:
        """Train on to the last epoch, with a checkpoint now and then."""
        telling = Telling(Pace(STEP_SECONDS, STEP_SHARE), Pace(BATCH_SECONDS) if self.watch else None)
        checkpoints = Pace(CHECKPOINT_SECONDS)
        while not self.position.ended:
            for event in train_epoch(self.session, self.position, steering, telling):
                wanted = event["event"] == "epoch" and self.out is not None and not self.position.ended
                if wanted and checkpoints.due():
                    self._save_checkpoint()
                yield event

    def _save_checkpoint(self) -> None:
        assert self.out is not None
        save_checkpoint(self.out, checkpoint_of(self.session, self.position))

    def _save(self, out: Path, ended: StateEvent) -> str:
        """Write what the run leaves; returns what there is to say of its weights."""
        session, position = self.session, self.position
        if ended["state"] == "failed":
            return save_failed(out, position)
        # Written when the weights are, so that a run which is killed in between is resumed; taken before, for
        # `save` may put another network in the place of the last.
        last = checkpoint_of(session, position).copied() if ended["state"] == "finished" else None
        save(out, session, position)
        if last is not None:
            save_checkpoint(out, last)
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
    if edits:
        done = len(position.edits)
        if list(edits[:done]) != position.edits:
            raise SpecError("--edits", f"the run in {out} has made other edits; leave them out to go on.")
        position.to_come = list(edits[done:])
    return position


def _kept(session: Session, position: Position) -> Kept:
    kept = Kept()
    if position.epochs:
        with evaluation_weights(session, len(position.epochs)):
            kept.take(session.model, len(position.epochs))
    return kept


def _had_ended(position: Position) -> str:
    """Why there is nothing to resume."""
    last, epochs = position.epochs[-1], position.spec.train.epochs
    if "stop" in last:
        return f"The run had stopped early, after epoch {last['epoch']} of {epochs}; nothing was trained now."
    return f"The run was finished, after epoch {last['epoch']}; nothing was trained now."
