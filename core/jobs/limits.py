"""What one visitor of a shared server may take: all limits in one place, none unless somebody sets it.

``AUGURY_LIMITS`` names a JSON file, such as ``{"epochs": 50, "minutes": 10, "parameters": 2000000,
"waiting": 3, "disk_mb": 500}``. No limit holds for a teacher, at the server's own machine, or for the command
line.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.catalogue import completed_params, look_up
from core.data.shape import image_shape
from core.jobs.rights import Asker
from core.models.catalogue import ARCHITECTURES
from core.run.edits import apply
from core.run.errors import SpecError
from core.run.spec import RunSpec

MB = 10**6
MAX_FILE_BYTES = 10_000

Count = Annotated[int, Field(ge=1)]


class Limits(BaseModel):
    """Of one visitor; None: there is no such limit.

    Args:
        epochs: of a run, edits and all.
        minutes: that a run may hold its place; then it is stopped, and its weights are kept.
        parameters: of a network.
        waiting: runs of a visit that wait at a time.
        disk_mb: megabytes that the runs of one address may have left on disk when another starts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    epochs: Count | None = None
    minutes: Annotated[float, Field(gt=0)] | None = None
    parameters: Count | None = None
    waiting: Count | None = None
    disk_mb: Count | None = None

    def of(self, visitor: str) -> Limits:
        """Those that hold for a visitor; ``""`` is Augury itself."""
        return NONE if not visitor or Asker(visitor).is_teacher else self

    def check_spec(self, spec: RunSpec, trains: bool = True) -> None:
        """Whether a job of ``spec`` is within them.

        Args:
            trains: for all the epochs of the spec.

        Raises:
            SpecError: it has more epochs or parameters.
        """
        if trains and self.epochs is not None and spec.train.epochs > self.epochs:
            raise SpecError("train.epochs", f"at most {self.epochs:,} are allowed on this server.")
        if self.parameters is not None and (count := num_parameters(spec)) > self.parameters:
            raise SpecError(
                "model.params",
                f"this network would have {count:,} parameters; at most {self.parameters:,} are allowed on "
                "this server: make it narrower or less deep.",
            )

    def check_edit(self, spec: RunSpec, change: dict[str, object]) -> None:
        """Whether a run of ``spec`` may be changed so; what is no edit at all is refused elsewhere.

        Raises:
            SpecError: it would have more epochs.
        """
        if self.epochs is None or "train.epochs" not in change:
            return
        try:  # as the run would read it: a hand-made request may have the number in quotes
            other = apply(spec, {"step": 0, "set": {"train.epochs": change["train.epochs"]}})
        except SpecError:
            return
        self.check_spec(other)

    def check_disk(self, held_bytes: int) -> None:
        """Whether who has left so much on disk may start another run.

        Raises:
            SpecError: it is too much.
        """
        if self.disk_mb is not None and held_bytes >= self.disk_mb * MB:
            raise SpecError(
                "",
                f"Your runs hold {held_bytes / MB:,.0f} MB on this server's disk; {self.disk_mb:,} MB are "
                "allowed. Delete some of them, then start again.",
            )

    @property
    def time_over(self) -> str:
        """What is said of a run that has had its minutes."""
        return f"A run may take {_minutes(self.minutes)} on this server; this one has had them."

    def in_words(self) -> str:
        """One sentence for a form; empty if there are no limits."""
        run = [
            *([f"{self.epochs:,} epochs"] if self.epochs else []),
            *([_minutes(self.minutes)] if self.minutes else []),
            *([f"{self.parameters:,} parameters"] if self.parameters else []),
        ]
        visitor = [
            *([f"{self.waiting:,} waiting runs"] if self.waiting else []),
            *([f"{self.disk_mb:,} MB of disk"] if self.disk_mb else []),
        ]
        said = [
            *([f"{', '.join(run)} a run"] if run else []),
            *([f"{', '.join(visitor)} a visitor"] if visitor else []),
        ]
        return f"At most {'; '.join(said)}." if said else ""


NONE = Limits()


def num_parameters(spec: RunSpec) -> int:
    """How many a spec's network has; of a person's own images, not yet read, with two classes.

    Raises:
        SpecError: there is no such network or set of images.
    """
    entry = look_up(ARCHITECTURES, spec.model.arch, "model.arch", "architecture")
    params = completed_params(entry, spec.model.params, "model.params")
    return entry.count_parameters(params, *image_shape(spec.data))


def read_limits() -> Limits:
    """Those of the file that ``AUGURY_LIMITS`` names; none if it names none.

    Raises:
        SpecError: it can't be read.
    """
    path = os.environ.get("AUGURY_LIMITS")
    if not path:
        return NONE
    try:
        with Path(path).open("rb") as file:
            return Limits.model_validate_json(file.read(MAX_FILE_BYTES))
    except OSError as error:
        raise SpecError("AUGURY_LIMITS", f"the file can't be read: {error.strerror}.") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        said = f"{where}: {first['msg']}" if where else first["msg"]
        raise SpecError(
            "AUGURY_LIMITS", f"{said}. The limits are {', '.join(Limits.model_fields)}."
        ) from None


def _minutes(minutes: float | None) -> str:
    return f"{minutes:g} {'minute' if minutes == 1 else 'minutes'}"
