"""How the steps and the epochs of a run go together, also when its batch size or its epochs are edited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.run.edits import Edit
from core.run.errors import SpecError


@dataclass(frozen=True, slots=True)
class Clock:
    """Steps and epochs while one batch size holds. Steps and epochs are whole numbers that are done.

    Args:
        images: that an epoch goes through.
        epochs: of the whole run.
        epoch, step: that were done when this batch size came into force.
    """

    images: int
    batch_size: int
    epochs: int
    epoch: int = 0
    step: int = 0

    @property
    def steps_per_epoch(self) -> int:
        """A last batch of one image is left out: batch normalisation has no variance to take there."""
        full, rest = divmod(self.images, self.batch_size)
        return full + (rest > 1) or 1

    @property
    def num_steps(self) -> int:
        """Of the whole run, if nothing is edited any more."""
        return self.steps_by(self.epochs)

    def steps_by(self, epoch: int) -> int:
        """How many steps are done when ``epoch`` epochs are."""
        return self.step + (epoch - self.epoch) * self.steps_per_epoch

    def whole_epochs(self, step: int) -> int:
        """How many epochs are done, whole, after ``step`` steps."""
        return self.epoch + (step - self.step) // self.steps_per_epoch

    def epochs_done(self, step: int) -> float:
        """How many epochs are done after ``step`` steps, with the part of the one that is trained."""
        return self._as_if(step) / self.steps_per_epoch

    def share(self, step: int) -> float:
        """The share of the run that is done after ``step`` steps, by its epochs: a schedule's phase."""
        return self._as_if(step) / (self.epochs * self.steps_per_epoch)

    def _as_if(self, step: int) -> int:
        """How many steps would be done, had all epochs had this batch size. A whole number, so that a run
        without edits has the very quotients of its steps."""
        return self.epoch * self.steps_per_epoch + step - self.step

    def at_epoch(self, epoch: int, batch_size: int) -> Clock:
        """From the end of epoch ``epoch`` on with another batch size; the same one changes nothing."""
        if batch_size == self.batch_size:
            return self
        return replace(self, batch_size=batch_size, epoch=epoch, step=self.steps_by(epoch))

    def with_epochs(self, epochs: int) -> Clock:
        return replace(self, epochs=epochs)

    def check_epochs(self, epochs: int, step: int) -> None:
        """Whether a run that has done ``step`` steps can still end after ``epochs`` epochs.

        Raises:
            SpecError: it is in a later epoch.
        """
        now = self.whole_epochs(step) + 1
        if epochs < now:
            what = f"epoch {now} is under way already; choose {now} or more."
            raise SpecError("train.epochs", what, "too_small", {"value": epochs, "ge": now})


def check_steps(clock: Clock, edits: Sequence[Edit]) -> None:
    """Whether a run that begins with ``clock`` can make all of these edits, in the order of their steps.

    Raises:
        SpecError: one comes after the run's last step, or asks for fewer epochs than are begun.
    """
    batch_size, asked = clock.batch_size, 0
    for i, edit in enumerate(edits):
        step = edit["step"]
        if batch_size != clock.batch_size:  # asked for by an edit before, in force from the next epoch on
            epoch = clock.whole_epochs(asked - 1) + 1
            if clock.steps_by(epoch) < step:
                clock = clock.at_epoch(epoch, batch_size)
        if step >= clock.num_steps:
            what = f"{step} is not below the run's number of steps, {clock.num_steps}."
            raise SpecError(f"edits[{i}].step", what)
        if "train.epochs" in edit["set"]:
            try:
                clock.check_epochs(edit["set"]["train.epochs"], step)
            except SpecError as error:
                raise SpecError(f"edits[{i}].{error.where}", error.what, error.code, error.values) from None
            clock = clock.with_epochs(edit["set"]["train.epochs"])
        if "train.batch_size" in edit["set"]:
            batch_size, asked = edit["set"]["train.batch_size"], step
