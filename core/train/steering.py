"""What a person asks of a run, made to happen before the next batch, or between two pieces of a judgement."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from core.catalogues import completed
from core.run.clock import Clock, check_steps
from core.run.commands import Command, Control
from core.run.edits import MAX_EDITS, Edit, apply, values_at
from core.run.errors import SpecError
from core.run.events import CheckpointEvent, EditEvent, Event, RefusedEvent, state
from core.run.spec import RunSpec
from core.train.keeping import Checkpoints
from core.train.position import Position
from core.train.session import Session

WAITS_FOR_A_BATCH = ("resume", "step", "epoch", "edit", "checkpoint")
FULL_DISK = "The disk is full. The run goes on by itself when there is room for its checkpoint."
ROOM_SECONDS = 1.0  # between two tries
PAUSE_SECONDS = 3600.0  # how long one wait for a command takes; then the next begins


TOO_LATE = "The run had trained its last step; branch from it instead."


class Steering:
    """Obeys a run's commands and makes its edits. Each command is answered by an event.

    Args:
        checkpoints: None: the run keeps no files.

    Attributes:
        step: how many steps are done.
        waited: seconds that the run was paused.
        single: whether the step that comes is the last before a pause; then it is told.
    """

    def __init__(
        self, session: Session, control: Control, position: Position, checkpoints: Checkpoints | None
    ) -> None:
        self._session, self._control = session, control
        self._position, self._checkpoints = position, checkpoints
        self._pause_at: int | None = None  # pause when so many steps are done
        self._heard: list[Command] = []  # while the network was judged, for the next batch
        self.step, self.waited = 0, 0.0

    @property
    def single(self) -> bool:
        return self._pause_at == self.step + 1

    @property
    def _paused(self) -> bool:
        return self._pause_at is not None and self.step >= self._pause_at

    def before_step(self, step: int) -> Iterator[Event]:
        """Take what was asked, ``step`` steps being done, and wait while the run is paused.

        Raises:
            StoppedError: the run was asked to stop.
        """
        self.step = step
        self._control.check()
        if self._checkpoints is not None:
            self._checkpoints.before_step()
            if self._checkpoints.full:
                yield from self._wait_for_room(self._checkpoints)
        while self._position.to_come and self._position.to_come[0]["step"] <= step:
            yield self._edit(self._position.to_come.pop(0)["set"])
        heard, self._heard = self._heard, []
        yield from self._obey(heard + self._control.drain())
        if self._paused:
            yield from self._pause()

    def too_late(self) -> Iterator[Event]:
        """Refuse what was asked while the last epoch was judged: a run has no step for it any more."""
        heard, self._heard = self._heard, []
        for command in heard + self._control.drain():
            if command["command"] in ("edit", "checkpoint"):
                yield _refused(command["command"], TOO_LATE)

    def listen(self) -> None:
        """Between two pieces of a judgement: wait from a ``pause`` to what ends it, if that can be told. All
        that was asked is obeyed before the next batch, in its order.

        Raises:
            StoppedError: the run was asked to stop.
        """
        self._control.check()
        tell = self._control.tell
        if tell is None or not self._hear(self._control.drain(), paused=False):
            return
        tell(state("paused"))
        began = time.perf_counter()
        try:
            while self._hear(self._control.wait(PAUSE_SECONDS), paused=True):
                self._control.check()
        finally:
            self.waited += time.perf_counter() - began
        self._control.check()
        tell(state("running"))

    def _hear(self, commands: Sequence[Command], paused: bool) -> bool:
        """Keep commands for the next batch; whether the run is paused after them. What is to be done before
        the next batch does not wait: the judgement goes on to its end, and there the run pauses."""
        self._heard += commands
        for command in commands:
            paused = command["command"] == "pause" or (paused and command["command"] not in WAITS_FOR_A_BATCH)
        return paused

    def _wait_for_room(self, checkpoints: Checkpoints) -> Iterator[Event]:
        """Until a checkpoint can be written again: what is trained meanwhile could be lost."""
        yield state("paused", FULL_DISK)
        began = time.perf_counter()
        try:
            while not checkpoints.try_again():
                yield from self._obey(self._control.wait(ROOM_SECONDS))
                self._control.check()
        finally:
            self.waited += time.perf_counter() - began
        if not self._paused:
            yield state("running")

    def _pause(self) -> Iterator[Event]:
        yield state("paused")
        began = time.perf_counter()
        try:
            while self._paused:
                yield from self._obey(self._control.wait(PAUSE_SECONDS))
                self._control.check()
        finally:
            self.waited += time.perf_counter() - began
        yield state("running")

    def _obey(self, commands: Sequence[Command]) -> Iterator[Event]:
        edited = False
        for command in commands:
            match command["command"]:
                case "pause":
                    if self._paused:
                        yield state("paused")
                    self._pause_at = self.step
                case "resume":
                    if not self._paused:
                        yield state("running")
                    self._pause_at = None
                case "step":
                    self._pause_at = self.step + 1
                case "epoch":
                    clock = self._session.clock
                    self._pause_at = clock.steps_by(clock.whole_epochs(self.step) + 1)
                case "edit":
                    try:
                        self._check_released(command["set"])
                        event = self._edit(command["set"])
                    except SpecError as error:
                        yield _refused("edit", str(error))
                        continue
                    edited = True
                    if self._checkpoints is not None:
                        self._checkpoints.edited([*self._position.edits, *self._position.to_come])
                    yield event
                case "checkpoint":
                    yield self._checkpoint(command.get("name", ""))
        if edited and self._checkpoints is not None:
            self._checkpoints.last()  # a run that is killed now still knows of the edit

    def _check_released(self, change: dict[str, object]) -> None:
        """Refuse a new strength for a penalty that has been released: it would do nothing."""
        epoch = self._session.clock.epochs_done(self.step)
        for i, each in enumerate(self._session.spec.regularisers):
            path = f"regularisers.{i}.strength"
            if path in change and 0 < each.release_epochs <= epoch:
                what = f"it was released after {each.release_epochs} epochs, and is 0 to the end of the run"
                raise SpecError(path, f"{what}; branch from an earlier checkpoint to change it.")

    def _edit(self, change: dict[str, object]) -> EditEvent:
        session = self._session
        if len(self._position.edits) >= MAX_EDITS:
            raise SpecError("", f"A run takes at most {MAX_EDITS:,} edits.")
        other = edited(session.spec, {"step": self.step, "set": change})  # refuses what isn't there
        session.clock.check_epochs(other.train.epochs, self.step)
        was = values_at(session.spec, change)
        session.change(other)
        edit: Edit = {"step": self.step, "set": change}
        self._position.edits.append(edit)
        return {"event": "edit", **edit, "was": was, "epoch": session.clock.epochs_done(self.step)}

    def _checkpoint(self, name: str) -> CheckpointEvent | RefusedEvent:
        if self._checkpoints is None:
            return _refused("checkpoint", "This run keeps no files, so it has no checkpoint.")
        if not self._checkpoints.has_room():
            return _refused("checkpoint", "This run keeps as many as it may; branch from one of those.")
        self._checkpoints.named(name, self.step)
        try:
            self._checkpoints.flush()
        except OSError as error:
            return _refused("checkpoint", f"It could not be written: {error.strerror}.")
        epoch = self._session.clock.epochs_done(self.step)
        event: CheckpointEvent = {"event": "checkpoint", "step": self.step, "epoch": epoch}
        return {**event, "name": name} if name else event


def edited(spec: RunSpec, edit: Edit) -> RunSpec:
    """``spec``, completed, after ``edit``, completed.

    Raises:
        SpecError: the edit is refused.
    """
    return completed(apply(spec, edit))


def checked_edits(spec: RunSpec, edits: Sequence[Edit], clock: Clock, begins_at: int = 0) -> list[Edit]:
    """``edits``, in the order of their steps, if a run of ``spec`` that begins with ``clock`` can make all.

    Args:
        begins_at: how many steps were done before the run begins.

    Raises:
        SpecError: one is refused, comes before the first step, or after the last.
    """
    ordered = sorted(edits, key=lambda edit: edit["step"])
    if ordered and ordered[0]["step"] < begins_at:
        raise SpecError("edits[0].step", f"the run begins after step {begins_at}; choose that or more.")
    for i, edit in enumerate(ordered):
        try:
            spec = edited(spec, edit)
        except SpecError as error:
            raise SpecError(f"edits[{i}].{error.where}", error.what, error.code, error.values) from None
    check_steps(clock, ordered)
    return ordered


def _refused(command: str, reason: str) -> RefusedEvent:
    return {"event": "refused", "command": command, "reason": reason}
