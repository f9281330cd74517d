"""A cell of a study: one run, what it varies, and what came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from core.run.spec import ModelSpec, Part, RunSpec
from core.transform.plan import Further

Value = bool | int | float | str | None
CellState = Literal["waits", "runs", "paused", "done", "failed"]
Share = Annotated[float, Field(ge=0, le=1)]
Figure = Literal["accuracy", "loss"]  # by which a study judges


class CellFigures(Part):
    """What a run came to, judged by ``images`` images. ``epochs`` were trained, and took ``seconds``; the
    figures are those after ``epoch`` of them (None: all), fewer where early stopping chose. ``zeros`` is the
    share of the weights that are exactly 0. ``train_accuracy`` and ``train_loss`` are of training images as
    they are, by the same network, see `core.train.clean`. Of a network that was made of others ``bytes`` are
    those of its smallest file, ``times`` says how long an image takes it against the first of those, measured
    in turns, and what ends in ``_before`` is of that one."""

    accuracy: Share
    loss: float
    train_accuracy: Share
    train_loss: float
    zeros: Share
    epochs: Annotated[int, Field(ge=0)]
    epoch: Annotated[int, Field(ge=0)] | None = None
    images: Annotated[int, Field(ge=0)] | None = None
    seconds: Annotated[float, Field(ge=0)] = 0.0
    calibration_error: Share | None = None
    parameters: Annotated[int, Field(ge=0)] | None = None
    bytes: Annotated[int, Field(ge=0)] | None = None
    bytes_before: Annotated[int, Field(ge=0)] | None = None
    multiply_adds: Annotated[int, Field(ge=0)] | None = None
    multiply_adds_before: Annotated[int, Field(ge=0)] | None = None
    times: Annotated[float, Field(ge=0)] | None = None

    def error(self, figure: Figure) -> float:
        """Less is better: the share that is answered wrong, or the loss."""
        return self.loss if figure == "loss" else 1 - self.accuracy


class Making(NamedTuple):
    """How a cell's network is made of others', see `core.transform.plan.Asked`.

    Args:
        of: the keys of the cells whose runs they are.
    """

    how: str
    of: tuple[str, ...]
    params: Mapping[str, Any]
    train: Further
    model: ModelSpec | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """A run that a study asks for.

    Args:
        key: names it within the study, always alike; at most 80 characters.
        spec: completed.
        settings: what the study varies, by column of its table.
        until: after how many epochs it is judged, and waits; None: at its end.
        follows: the key of a cell whose run goes on here.
        made: of which cells' networks its own is made, and how; ``spec`` is what that comes to.
        fold: which is judged; None: what is kept for validation.
        role: a ``test`` is the answer's own figure, by images that nothing chose by.
        row, column: where it stands in a table that is looked at.
    """

    key: str
    spec: RunSpec
    settings: Mapping[str, Value] = field(default_factory=dict)
    until: int | None = None
    follows: str | None = None
    made: Making | None = None
    fold: int | None = None
    role: Literal["cell", "test"] = "cell"
    row: str = ""
    column: str = ""

    @property
    def epochs(self) -> int:
        """After so many it is judged."""
        if self.made is not None:
            return self.made.train.epochs
        return self.spec.train.epochs if self.until is None else self.until


class Told(NamedTuple):
    """What is known of a cell: ``figures`` once it is done, a ``reason`` where it failed."""

    state: CellState
    run_id: str
    figures: CellFigures | None = None
    reason: str = ""
    reused: bool = False


Table = Mapping[str, Told]  # by key
