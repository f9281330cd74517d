"""The stream of events that a run gives: dictionaries that are JSON as they stand.

In order: ``state`` running, ``started``, of a run that goes on ``resumed``, then ``step``, ``batch`` and
``epoch`` as they happen, ``finished``, and a last ``state`` that says how it ended. An ``epoch`` that ends
the run early says why, in ``stop``. Each command is answered by an event: ``state``, ``edit``,
``checkpoint`` or ``refused``. Jobs of any kind may tell ``progress``, ``row`` and ``artefact``.

Each event has one definition here. What makes an event is typed to return it; `read_event` checks a stored
one against it. `NotRequired` fields are those that an older version did not write or that are not always
there; other fields that this version does not know are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, with_config
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from core.run.figures import OPEN, BatchLosses, ByKind, Count, Figures, Strip, Text, as_many_losses

Event = Mapping[str, Any]  # any of the events below: who reads one looks at ``event["event"]`` first
State = Literal["queued", "running", "paused", "stopped", "failed", "finished", "interrupted"]
TERMINAL: frozenset[State] = frozenset({"stopped", "failed", "finished", "interrupted"})

# All that may differ between two runs of one spec.
MEASURED_TIMES = ("seconds", "images_per_second", "load_seconds")
MAX_EVENT_BYTES = 256 * 1024  # an `epoch` of twelve attention blocks is about 50 kB

Values = Annotated[dict[Annotated[str, Field(max_length=200)], Any], Field(max_length=64)]


class Surroundings(TypedDict):
    """What the last bits of a run depend on beside its spec."""

    device: Text
    threads: Count  # of each process
    processes: NotRequired[Count]  # that train together; not there: one
    versions: NotRequired[Annotated[dict[str, Text], Field(max_length=20)]]


class Penalties(TypedDict):
    """The penalties' sum, each of them, and every strength."""

    penalty: float
    penalties: ByKind
    strengths: ByKind


@with_config(OPEN)
class StateEvent(TypedDict):
    """A change of state; ``reason`` is a sentence, or empty. Of a known kind of failure there are also a
    ``code``, such as ``diverged``, and the ``values`` in the sentence."""

    event: Literal["state"]
    state: State
    reason: NotRequired[Text]
    code: NotRequired[Annotated[str, Field(max_length=64)]]
    values: NotRequired[Values]


@with_config(OPEN)
class StartedEvent(Surroundings):
    """How the run is set up."""

    event: Literal["started"]
    device_name: Text
    parameters: Count
    train_images: Count
    validation_images: Count
    classes: list[str]
    epochs: Annotated[int, Field(ge=1)]
    steps_per_epoch: Count
    notes: NotRequired[Annotated[list[Text], Field(max_length=20)]]
    thorough_every: NotRequired[Count]
    strip: NotRequired[Strip]
    begins_at: NotRequired[Count]  # steps that were done before it, by the run that it branches from …
    begins_epoch: NotRequired[float]  # … and epochs


@with_config(OPEN)
class ResumedEvent(TypedDict):
    """The run goes on from its checkpoint: what it had told after that is told again, and counts no more.
    ``step`` steps and ``edits`` edits were made; ``epoch`` is the number of epochs done."""

    event: Literal["resumed"]
    step: Count
    epoch: Annotated[float, Field(ge=0)]
    edits: Count


@with_config(OPEN)
class StepEvent(TypedDict):
    """One step of training; ``step`` counts from 1, ``epoch`` is the number of epochs done."""

    event: Literal["step"]
    step: Count
    epoch: float
    loss: float | None  # None: it wasn't a finite number
    penalty: float | None
    learning_rate: float | None
    penalties: NotRequired[ByKind]
    strengths: NotRequired[ByKind]


@with_config(OPEN)
class BatchEvent(TypedDict):
    """The first images of a step's batch, side by side in one PNG, in base64. It is shown and not stored."""

    event: Literal["batch"]
    step: Count
    images: str
    count: Count
    labels: list[str]


@with_config(OPEN)
class EpochEvent(Figures):
    """The end of an epoch, from 1."""

    event: Literal["epoch"]
    step: Count
    seconds: float
    images_per_second: float
    exchanged_bytes: NotRequired[Count]  # a step, that each of several processes handed to the others
    batch_losses: NotRequired[Annotated[BatchLosses, AfterValidator(as_many_losses)]]


@with_config(OPEN)
class FinishedEvent(TypedDict):
    """The run came to its end, or was stopped after an epoch."""

    event: Literal["finished"]
    epochs: Count
    seconds: float
    load_seconds: NotRequired[float]  # before training: images read, the network built; runs of old don't say
    result: NotRequired[Figures]  # of the epoch whose weights are saved; runs of old don't say
    last: Figures
    warnings: NotRequired[Annotated[list[Text], Field(max_length=20)]]


@with_config(OPEN)
class EditEvent(TypedDict):
    """A change that took effect after ``step`` steps: values by path, and what they were before."""

    event: Literal["edit"]
    step: Count
    epoch: NotRequired[float]  # the number of epochs done
    set: Values
    was: Values


@with_config(OPEN)
class CheckpointEvent(TypedDict):
    """A checkpoint that was asked for is written: ``step`` steps are done."""

    event: Literal["checkpoint"]
    step: Count
    epoch: NotRequired[float]
    name: NotRequired[Annotated[str, Field(max_length=80)]]


@with_config(OPEN)
class RefusedEvent(TypedDict):
    """A command that can't be obeyed, and why."""

    event: Literal["refused"]
    command: Annotated[str, Field(max_length=64)]
    reason: Text


@with_config(OPEN)
class ProgressEvent(TypedDict):
    """How far a job of any kind is: ``done`` of ``of``, in whatever it counts."""

    event: Literal["progress"]
    done: Annotated[float, Field(ge=0)]
    of: Annotated[float, Field(gt=0)]
    seconds_left: NotRequired[Annotated[float, Field(ge=0)] | None]
    what: NotRequired[Text]


@with_config(OPEN)
class RowEvent(TypedDict):
    """A row of a job's table: any other fields."""

    event: Literal["row"]


@with_config(OPEN)
class ArtefactEvent(TypedDict):
    """A file that a job has made; ``digest`` is its SHA-256."""

    event: Literal["artefact"]
    name: Annotated[str, Field(max_length=128)]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    media_type: Annotated[str, Field(max_length=128)]
    bytes: Count


AnyEvent = (
    StateEvent
    | StartedEvent
    | ResumedEvent
    | StepEvent
    | BatchEvent
    | EpochEvent
    | FinishedEvent
    | EditEvent
    | CheckpointEvent
    | RefusedEvent
    | ProgressEvent
    | RowEvent
    | ArtefactEvent
)
# Built when it is first read with: that takes as long as a fifth of a page's start.
_EVENT: TypeAdapter[Any] = TypeAdapter(
    Annotated[AnyEvent, Field(discriminator="event")], config=ConfigDict(defer_build=True)
)


def state(
    name: State, reason: str = "", code: str = "", values: Mapping[str, Any] | None = None
) -> StateEvent:
    """A change of state; ``reason`` is one sentence, or empty."""
    event: StateEvent = {"event": "state", "state": name, "reason": reason}
    if code:
        event["code"], event["values"] = code, dict(values or {})
    return event


def from_the_start(started: Event) -> Event:
    """That a job which was begun before tells all of it again, for it has no checkpoint.

    Args:
        started: as it told that before; empty: it had not.
    """
    begins = {"step": started.get("begins_at", 0), "epoch": started.get("begins_epoch", 0.0)}
    return {"event": "resumed", **begins, "edits": 0}


def read_event(text: str) -> Event:
    """An event from its JSON.

    Raises:
        pydantic.ValidationError: it is not one.
    """
    event: Event = _EVENT.validate_json(text)
    return event


def lean(event: Event) -> dict[str, Any]:
    """The event without its pictures in numbers: what is kept of an epoch that has gone by."""
    return {key: value for key, value in event.items() if key not in _PICTURES}


_PICTURES = ("weights", "filters", "batch_losses", "right", "confusion")
