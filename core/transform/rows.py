"""The rows of a made run as pages read them: those that are damaged, or made by hand, are left out."""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.run.figures import Count, Share
from core.run.history import History

Text = Annotated[str, Field(max_length=500)]
Figure = Annotated[float, Field(ge=0, le=1e300)]
Size = Annotated[int, Field(ge=0, le=10**15)]


class Row(BaseModel):
    """A row of the table ``table``; other fields are for programs."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class Judged(Row):
    """A network, by ``images`` validation images."""

    accuracy: Share
    loss: Figure
    images: Annotated[int, Field(ge=1, le=10**9)]
    calibration_error: Share | None = None


class Costs(Judged):
    """What a network costs; ``place``: of which of those that it was made of; None: its own."""

    place: Annotated[int, Field(ge=0, le=7)] | None
    parameters: Size
    zeros: Size
    bytes: Size
    packed_bytes: Size | None = None  # the first release of this did not say
    multiply_adds: Size
    microseconds: Figure
    times: Figure | None = None  # its own time over that of the first; the first release did not say
    times_low: Figure | None = None
    times_high: Figure | None = None

    @property
    def is_smaller_packed(self) -> bool:
        return self.packed_bytes is not None and self.packed_bytes < self.bytes

    @property
    def smallest_file(self) -> int:
        return self.bytes if self.packed_bytes is None else min(self.bytes, self.packed_bytes)


class Layer(Row):
    layer: Text
    what: Text
    kept: Count
    of: Count


class Alone(Judged):
    layer: Text


class Compared(Judged):
    what: Text
    place: Annotated[int, Field(ge=0, le=7)] | None = None  # of which of those that it was made of


class PathPoint(Judged):
    way: Text
    at: Share
    norms_renewed: bool = False


class SoftLabel(Row):
    """What teachers answer to a validation image: the share of each of ``classes``, ``soft`` at the
    temperature."""

    place: Count
    image: Annotated[str, Field(pattern="^[A-Za-z0-9+/]+={0,2}$", max_length=200_000)] | None = None  # PNG
    label: Text
    classes: Annotated[list[Text], Field(max_length=30)]
    hard: Annotated[list[Share], Field(max_length=30)]
    soft: Annotated[list[Share], Field(max_length=30)]


class Why(Row):
    says: Text


R = TypeVar("R", bound=Row)


def rows_of(history: History, table: str, kind: type[R]) -> list[R]:
    """The rows of a table, in their order."""
    found = []
    for row in history.rows:
        if row.get("table") == table:
            try:
                found.append(kind.model_validate(row))
            except ValidationError:
                continue
    return found
