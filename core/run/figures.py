"""The figures of one epoch: what is measured of a network, as events carry it and as it is read back.

A database file can be edited, damaged or written by another version. Pages index into figures without
looking, so figures that lack something never reach them. What is `NotRequired` an older version did not
write, or is not measured every epoch.
"""

from __future__ import annotations

import binascii
import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired

from pydantic import AfterValidator, ConfigDict, Field, with_config
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

Count = Annotated[int, Field(ge=0, le=2**53)]  # what a float holds exactly
Text = Annotated[str, Field(max_length=2000)]
OPEN = ConfigDict(extra="allow", allow_inf_nan=False, strict=True)

MOST_COMPARED = 20_000  # validation images: an epoch says of each of so many whether it is right, a bit each

Share = Annotated[float, Field(ge=0, le=1)]
Edge = Annotated[float, Field(gt=0)]
# By kind of regulariser; None: it wasn't a finite number.
ByKind = Annotated[Mapping[str, float | None], Field(max_length=64)]
ByLayer = Annotated[Mapping[str, Annotated[float, Field(ge=0)] | None], Field(max_length=1000)]


@with_config(OPEN)
class Bytes(TypedDict):
    dense: Count
    sparse: Count
    gzip: NotRequired[Count]


class GroupCount(TypedDict):
    zero: Count
    all: Count


@with_config(OPEN)
class LayerSparsity(TypedDict):
    exact: Share
    near: Share
    weights: Count
    hoyer: NotRequired[Share]
    gini: NotRequired[Share]
    effective_rank: NotRequired[Annotated[float, Field(ge=0)]]
    groups: NotRequired[dict[Literal["filters", "neurons", "heads"], GroupCount]]
    bytes: NotRequired[Bytes]


@with_config(OPEN)
class Sparsity(LayerSparsity):
    layers: dict[str, LayerSparsity]


class Histogram(TypedDict):
    zeros: Count
    edges: Annotated[list[Edge], Field(min_length=2, max_length=64)]
    counts: Annotated[list[Count], Field(max_length=63)]


@with_config(OPEN)
class Prunable(TypedDict):
    share: Share
    low: NotRequired[Share]  # of its 95 % interval; older runs have none, and another bound on what is lost
    high: NotRequired[Share]
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


class BatchLosses(TypedDict):
    """Data losses of single batches after so many steps, of one epoch, lowest and highest of each stretch."""

    steps: Annotated[list[Count], Field(max_length=200)]
    losses: Annotated[list[float], Field(max_length=200)]


def as_many_losses(found: BatchLosses) -> BatchLosses:
    if len(found["steps"]) != len(found["losses"]):
        raise ValueError("there are as many losses as steps")
    return found


class Flow(TypedDict):
    """Of the epoch's last batch, by layer, see `core.measure.flow`; None: not finite."""

    gradient: ByLayer
    update: ByLayer


class Strip(TypedDict):
    """Some validation images, side by side in one PNG in base64, and what they are, as places in the list
    of classes."""

    images: Annotated[str, Field(max_length=250_000)]
    labels: Annotated[list[Count], Field(max_length=24)]


class Answers(TypedDict):
    """What the network names each image of the `Strip`, and the softmax's probability of that."""

    answers: Annotated[list[Count], Field(max_length=24)]
    confidence: Annotated[list[Share], Field(max_length=24)]


Confusion = Annotated[list[Annotated[list[Count], Field(max_length=30)]], Field(max_length=30)]


def _square(found: list[list[int]]) -> list[list[int]]:
    if any(len(row) != len(found) for row in found):
        raise ValueError("a row and a column a class")
    return found


@with_config(OPEN)
class Figures(TypedDict):
    """One epoch's figures."""

    epoch: Count
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    right: NotRequired[Annotated[str, Field(pattern="^([0-9a-f]{2})*$", max_length=MOST_COMPARED // 4)]]
    clean_loss: NotRequired[float]  # of training images as they are, see `core.train.clean`
    clean_accuracy: NotRequired[Share]
    clean_images: NotRequired[Count]
    penalty: float
    penalties: NotRequired[ByKind]
    strengths: NotRequired[ByKind]
    sparsity: Sparsity
    prunable: NotRequired[Prunable | None]
    weights: NotRequired[Annotated[dict[str, Histogram] | None, AfterValidator(_on_same_edges)]]
    filters: NotRequired[Annotated[Filters | None, AfterValidator(_as_many_as_shaped)]]
    flow: NotRequired[Flow]
    acted: NotRequired[
        Annotated[Mapping[str, Share], Field(max_length=64)]
    ]  # by kind of regulariser that counts
    answers: NotRequired[Answers]
    confusion: NotRequired[Annotated[Confusion, AfterValidator(_square)]]  # of the validation images
    calibration_error: NotRequired[Share]  # by them, see `core.measure.calibration`
    stop: NotRequired[Text]  # why the run ends here, early


class Summary(TypedDict):
    """The figures that a list of runs shows."""

    epochs: Count
    result: NotRequired[Figures]  # runs of old have none
    last: Figures
    curve: NotRequired[Annotated[list[Share], Field(max_length=64)]]  # validation accuracy, thinned
    epoch_seconds: NotRequired[float]  # the median's; an older version did not write it
    beside_seconds: NotRequired[float]  # what it took beside its epochs, in its worker; not of a resumed run
    validation_images: NotRequired[Count]  # an older version did not write it; `core.store.images` finds it


def result_of(summary: Mapping[str, Any]) -> Mapping[str, Any]:
    """The figures of the epoch that stands for a run, see `core.run.history.History.result`."""
    found: Mapping[str, Any] = summary.get("result") or summary["last"]
    return found
