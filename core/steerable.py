"""What of a run can be changed while it trains: each field with its bounds, from the catalogues."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core.augment.catalogue import OPERATIONS
from core.augment.ops.mixes import MIXES
from core.catalogue import Flag, Number, Parameter
from core.models.catalogue import ARCHITECTURES
from core.optimise.catalogue import OPTIMISERS
from core.regularise.catalogue import REGULARISERS
from core.run.edits import When, when
from core.run.spec import MixSpec, OpSpec, RunSpec

MOST_EPOCHS, MOST_IMAGES = 1000, 4096  # as `core.run.spec.TrainSpec` has them


@dataclass(frozen=True, slots=True)
class Dial:
    """One field that an edit may change.

    Args:
        path: in the spec, as an edit has it.
        part: whose it is, e.g. ``Optimiser`` or an operation's title.
        label: what a person calls it.
        parameter: its bounds.
        value: what it is now.
    """

    path: str
    part: str
    label: str
    parameter: Parameter
    value: Any

    @property
    def when(self) -> When:
        return when(self.path)


def dials(spec: RunSpec, least_epochs: int = 1) -> list[Dial]:
    """What can be changed of a run of ``spec``, completed, in the order of the form.

    Args:
        least_epochs: the epoch that is under way.
    """
    found = (
        *_augment(spec),
        *_model(spec),
        *_regularisers(spec, least_epochs),
        *_optimiser(spec),
        *_budget(spec, least_epochs),
    )
    return [dial for dial in found if dial.when != "needs a new run"]


def dial_at(spec: RunSpec, path: str) -> Dial | None:
    """The dial of a path, if there is one."""
    return next((dial for dial in dials(spec) if dial.path == path), None)


def _optimiser(spec: RunSpec) -> Iterator[Dial]:
    entry = OPTIMISERS[spec.optimiser.kind]
    rate = Number(
        "lr",
        entry.lr_default,
        entry.lr_low,
        entry.lr_high,
        "How far the weights move at each step. The schedule keeps its phase.",
        scale="log",
    )
    yield Dial("optimiser.lr", "Optimiser", "Learning rate", rate, spec.optimiser.lr or entry.lr_default)


def _regularisers(spec: RunSpec, epoch: int) -> Iterator[Dial]:
    for i, each in enumerate(spec.regularisers):
        entry, place = REGULARISERS[each.kind], f"regularisers.{i}"
        if entry.default_strength is not None and not 0 < each.release_epochs < epoch:
            low, high, help = entry.strength_low, entry.strength_high, entry.strength_help
            strength = Number("strength", entry.default_strength, low, high, help, scale="log")
            label = f"{entry.symbol} of {entry.short}"
            now = entry.default_strength if each.strength is None else each.strength
            yield Dial(f"{place}.strength", entry.title, label, strength, now)
        for parameter in entry.parameters:
            value = each.params.get(parameter.name, parameter.default)
            yield Dial(f"{place}.params.{parameter.name}", entry.title, _label(parameter), parameter, value)


def _model(spec: RunSpec) -> Iterator[Dial]:
    for parameter in ARCHITECTURES[spec.model.arch].parameters:
        value = spec.model.params.get(parameter.name, parameter.default)
        yield Dial(f"model.params.{parameter.name}", "Architecture", _label(parameter), parameter, value)


def _augment(spec: RunSpec) -> Iterator[Dial]:
    augment = spec.augment
    if not augment.ops and augment.mix is None:
        return
    strength = Number("strength", 1.0, 0.0, 2.0, "Scales every range around what changes nothing.", step=0.05)
    yield Dial("augment.strength", "Augmentation", "Strength of all", strength, augment.strength)
    for i, op in enumerate(augment.ops):
        title, place = OPERATIONS[op.op].title, f"augment.ops.{i}"
        yield Dial(
            f"{place}.enabled",
            title,
            f"{title}: on",
            Flag("enabled", True, "Off: it is left out."),
            op.enabled,
        )
        yield from _operation(op, OPERATIONS[op.op], place)
    if augment.mix is not None:
        yield from _operation(augment.mix, MIXES[augment.mix.op], "augment.mix")


def _operation(op: OpSpec | MixSpec, entry: Any, place: str) -> Iterator[Dial]:
    if not getattr(entry, "fixed_p", False):
        share = Number("p", entry.default_p, 0.0, 1.0, "How likely each image is to be changed.", step=0.05)
        value = entry.default_p if op.p is None else op.p
        yield Dial(f"{place}.p", entry.title, f"{entry.title}: probability", share, value)
    for parameter in entry.parameters:
        value = op.params.get(parameter.name, parameter.default)
        label = f"{entry.title}: {_label(parameter).lower()}"
        yield Dial(f"{place}.params.{parameter.name}", entry.title, label, parameter, value)


def _budget(spec: RunSpec, least_epochs: int) -> Iterator[Dial]:
    epochs = Number(
        "epochs",
        10,
        least_epochs,
        MOST_EPOCHS,
        "How many the run is to have. A schedule is stretched or shortened with them.",
        integer=True,
    )
    yield Dial("train.epochs", "Budget", "Epochs", epochs, spec.train.epochs)
    size = Number("batch_size", 128, 1, MOST_IMAGES, "Images a step.", "images", integer=True, scale="log")
    yield Dial("train.batch_size", "Budget", "Batch size", size, spec.train.batch_size)


def _label(parameter: Parameter) -> str:
    return parameter.name.replace("_", " ").capitalize()
