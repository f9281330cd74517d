"""A cell of a study: one run, what it varies, and what came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from core.run.spec import Part, RunSpec

Value = bool | int | float | str | None
CellState = Literal["waits", "runs", "paused", "done", "failed"]
Share = Annotated[float, Field(ge=0, le=1)]
Figure = Literal["accuracy", "loss"]  # by which a study judges


class CellFigures(Part):
    """What a run came to, judged by ``images`` images. ``epochs`` were trained, and took ``seconds``; the
    figures are those after ``epoch`` of them (None: all), fewer where early stopping chose. ``zeros`` is the
    share of the weights that are exactly 0. ``train_accuracy`` and ``train_loss`` are of training images as
    they are, by the same network, see `core.train.clean`."""

    accuracy: Share
    loss: float
    train_accuracy: Share
    train_loss: float
    zeros: Share
    epochs: Annotated[int, Field(ge=0)]
    epoch: Annotated[int, Field(ge=0)] | None = None
    images: Annotated[int, Field(ge=0)] | None = None
    seconds: Annotated[float, Field(ge=0)] = 0.0

    def error(self, figure: Figure) -> float:
        """Less is better: the share that is answered wrong, or the loss."""
        return self.loss if figure == "loss" else 1 - self.accuracy


@dataclass(frozen=True, slots=True)
class Cell:
    """A run that a study asks for.

    Args:
        key: names it within the study, always alike; at most 80 characters.
        spec: completed.
        settings: what the study varies, by column of its table.
        until: after how many epochs it is judged, and waits; None: at its end.
        follows: the key of a cell whose run goes on here.
        fold: which is judged; None: what is kept for validation.
        role: a ``test`` is the answer's own figure, by images that nothing chose by.
        row, column: where it stands in a table that is looked at.
    """

    key: str
    spec: RunSpec
    settings: Mapping[str, Value] = field(default_factory=dict)
    until: int | None = None
    follows: str | None = None
    fold: int | None = None
    role: Literal["cell", "test"] = "cell"
    row: str = ""
    column: str = ""

    @property
    def epochs(self) -> int:
        """After so many it is judged."""
        return self.spec.train.epochs if self.until is None else self.until


class Told(NamedTuple):
    """What is known of a cell: ``figures`` once it is done, a ``reason`` where it failed."""

    state: CellState
    run_id: str
    figures: CellFigures | None = None
    reason: str = ""
    reused: bool = False


Table = Mapping[str, Told]  # by key
