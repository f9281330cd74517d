"""What a stored event and a run's summary must look like to be believed when they are read back.

A database file can be edited, damaged or written by another version. Pages index into events without
looking, so an event that lacks a figure never reaches them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field, TypeAdapter
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from core.engine.events import Event, State

MAX_EVENT_BYTES = 256 * 1024  # an `epoch` of a deep network with its layers is about 10 kB

Count = Annotated[int, Field(ge=0)]
Text = Annotated[str, Field(max_length=2000)]
_OPEN = ConfigDict(extra="allow", allow_inf_nan=False)


class LayerSparsity(TypedDict):
    exact: float
    near: float
    weights: Count


class Sparsity(LayerSparsity):
    layers: dict[str, LayerSparsity]


class Figures(TypedDict):
    """One epoch's figures."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    epoch: Count
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    penalty: float
    sparsity: Sparsity


class StateEvent(TypedDict):
    __pydantic_config__ = _OPEN  # type: ignore[misc]
    event: Literal["state"]
    state: State
    reason: NotRequired[Text]


class StartedEvent(TypedDict):
    __pydantic_config__ = _OPEN  # type: ignore[misc]
    event: Literal["started"]
    device: Text
    device_name: Text
    threads: Count
    parameters: Count
    train_images: Count
    validation_images: Count
    classes: list[str]
    epochs: Annotated[int, Field(ge=1)]
    steps_per_epoch: Count


class StepEvent(TypedDict):
    __pydantic_config__ = _OPEN  # type: ignore[misc]
    event: Literal["step"]
    step: Count
    epoch: float
    loss: float | None  # None: it wasn't a finite number
    penalty: float | None
    learning_rate: float | None


class EpochEvent(Figures):
    event: Literal["epoch"]
    step: Count
    seconds: float
    images_per_second: float


class FinishedEvent(TypedDict):
    __pydantic_config__ = _OPEN  # type: ignore[misc]
    event: Literal["finished"]
    epochs: Count
    seconds: float
    best: Figures
    last: Figures


class Summary(TypedDict):
    """The figures that a list of runs shows."""

    epochs: Count
    best: Figures
    last: Figures


_EVENT: TypeAdapter[Any] = TypeAdapter(
    Annotated[
        StateEvent | StartedEvent | StepEvent | EpochEvent | FinishedEvent, Field(discriminator="event")
    ]
)


def read_event(text: str) -> Event:
    """An event from its JSON.

    Raises:
        pydantic.ValidationError: it is not one.
    """
    event: Event = _EVENT.validate_json(text)
    return event
