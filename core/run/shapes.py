"""What a stored event and a run's summary must look like to be believed when they are read back.

A database file can be edited, damaged or written by another version. Pages index into events without
looking, so an event that lacks a figure never reaches them. What is `NotRequired` an older version did not
write, or is not measured every epoch.
"""

from __future__ import annotations

import binascii
import math
from typing import Annotated, Any, Literal, NotRequired

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from core.run.events import Event, State

MAX_EVENT_BYTES = 256 * 1024  # an `epoch` of twelve attention blocks is about 50 kB

Count = Annotated[int, Field(ge=0)]
Text = Annotated[str, Field(max_length=2000)]
_OPEN = ConfigDict(extra="allow", allow_inf_nan=False)


Share = Annotated[float, Field(ge=0, le=1)]
Edge = Annotated[float, Field(gt=0)]
ByKind = Annotated[dict[str, float | None], Field(max_length=64)]  # None: it wasn't a finite number


class Bytes(TypedDict):
    __pydantic_config__ = _OPEN  # type: ignore[misc]
    dense: Count
    sparse: Count
    gzip: NotRequired[Count]


class GroupCount(TypedDict):
    zero: Count
    all: Count


class LayerSparsity(TypedDict):
    __pydantic_config__ = _OPEN  # type: ignore[misc]
    exact: Share
    near: Share
    weights: Count
    hoyer: NotRequired[Share]
    gini: NotRequired[Share]
    effective_rank: NotRequired[Annotated[float, Field(ge=0)]]
    groups: NotRequired[dict[Literal["filters", "neurons", "heads"], GroupCount]]
    bytes: NotRequired[Bytes]


class Sparsity(LayerSparsity):
    layers: dict[str, LayerSparsity]


class Histogram(TypedDict):
    zeros: Count
    edges: Annotated[list[Edge], Field(min_length=2, max_length=64)]
    counts: Annotated[list[Count], Field(max_length=63)]


class Prunable(TypedDict):
    __pydantic_config__ = _OPEN  # type: ignore[misc]
    share: Share
    accuracy: Share
    layers: NotRequired[dict[str, Share]]


class Filters(TypedDict):
    layer: Text
    of: Count
    shape: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=4, max_length=4)]
    values: str


def _on_same_edges(weights: dict[str, Histogram] | None) -> dict[str, Histogram] | None:
    """Layers are added up, and epochs stand above each other: their bins must be the same."""
    histograms = list((weights or {}).values())
    for each in histograms:
        edges = each["edges"]
        if edges != histograms[0]["edges"] or edges != sorted(set(edges)):
            raise ValueError("edges rise and are the same for all layers")
        if len(edges) != len(each["counts"]) + 1 or not each["zeros"] + sum(each["counts"]):
            raise ValueError("there is a count between every two edges, and some weight is counted")
    return weights


def _as_many_as_shaped(filters: Filters | None) -> Filters | None:
    if filters and len(binascii.a2b_base64(filters["values"], strict_mode=True)) != math.prod(
        filters["shape"]
    ):
        raise ValueError("there are as many values as the shape says")
    return filters


class Figures(TypedDict):
    """One epoch's figures."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    epoch: Count
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    penalty: float
    penalties: NotRequired[ByKind]
    strengths: NotRequired[ByKind]
    sparsity: Sparsity
    prunable: NotRequired[Prunable | None]
    weights: NotRequired[Annotated[dict[str, Histogram] | None, AfterValidator(_on_same_edges)]]
    filters: NotRequired[Annotated[Filters | None, AfterValidator(_as_many_as_shaped)]]
    stop: NotRequired[Text]  # why the run ends here, early


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
    notes: NotRequired[Annotated[list[Text], Field(max_length=20)]]
    thorough_every: NotRequired[Count]
    versions: NotRequired[Annotated[dict[str, Text], Field(max_length=20)]]


class StepEvent(TypedDict):
    __pydantic_config__ = _OPEN  # type: ignore[misc]
    event: Literal["step"]
    step: Count
    epoch: float
    loss: float | None  # None: it wasn't a finite number
    penalty: float | None
    learning_rate: float | None
    penalties: NotRequired[ByKind]
    strengths: NotRequired[ByKind]


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
    warnings: NotRequired[Annotated[list[Text], Field(max_length=20)]]


class EditEvent(TypedDict):
    __pydantic_config__ = _OPEN  # type: ignore[misc]
    event: Literal["edit"]
    step: Count
    set: Annotated[dict[str, Any], Field(max_length=64)]


class CheckpointEvent(TypedDict):
    __pydantic_config__ = _OPEN  # type: ignore[misc]
    event: Literal["checkpoint"]
    step: Count


class ProgressEvent(TypedDict):
    __pydantic_config__ = _OPEN  # type: ignore[misc]
    event: Literal["progress"]
    done: Annotated[float, Field(ge=0)]
    of: Annotated[float, Field(gt=0)]
    seconds_left: NotRequired[Annotated[float, Field(ge=0)] | None]
    what: NotRequired[Text]


class RowEvent(TypedDict):
    """A row of a job's table: any fields."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    event: Literal["row"]


class ArtefactEvent(TypedDict):
    __pydantic_config__ = _OPEN  # type: ignore[misc]
    event: Literal["artefact"]
    name: Annotated[str, Field(max_length=128)]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    media_type: Annotated[str, Field(max_length=128)]
    bytes: Count


class Summary(TypedDict):
    """The figures that a list of runs shows."""

    epochs: Count
    best: Figures
    last: Figures


_EVENT: TypeAdapter[Any] = TypeAdapter(
    Annotated[
        StateEvent
        | StartedEvent
        | StepEvent
        | EpochEvent
        | FinishedEvent
        | EditEvent
        | CheckpointEvent
        | ProgressEvent
        | RowEvent
        | ArtefactEvent,
        Field(discriminator="event"),
    ]
)


def read_event(text: str) -> Event:
    """An event from its JSON.

    Raises:
        pydantic.ValidationError: it is not one.
    """
    event: Event = _EVENT.validate_json(text)
    return event
