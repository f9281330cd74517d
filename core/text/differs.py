"""What sets one spec apart from another, in a few words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from core.augment.catalogue import OPERATIONS
from core.augment.ops.mixes import MIXES
from core.catalogue import title_of
from core.models.catalogue import ARCHITECTURES
from core.optimise.catalogue import OPTIMISERS
from core.regularise.catalogue import REGULARISERS
from core.run.spec import AugmentSpec, DataSpec, RegulariserSpec, RunSpec
from core.text.describe import data_in_words


class Contrast(NamedTuple):
    """One thing that two specs have otherwise: what it is in each."""

    ours: str
    theirs: str

    def in_words(self) -> str:
        """E.g. ``dropout 0 instead of 0.5``, ``L1 0.01 instead of none``."""
        ours, theirs = self.ours.split(" "), self.theirs.split(" ")
        if ours == theirs:
            return f"{self.ours} set otherwise"
        if self.theirs == f"no {ours[0]}":
            return f"{self.ours} instead of none"
        while len(ours) > 1 < len(theirs) and ours[0] == theirs[0]:  # said once, at the beginning
            ours, theirs = ours[1:], theirs[1:]
        begins = self.ours.removesuffix(" ".join(ours))
        if len(ours) > 1 < len(theirs) and ours[-1] == theirs[-1]:  # or at the end
            ours.pop()
        return f"{begins}{' '.join(ours)} instead of {' '.join(theirs)}"


def differences(spec: RunSpec, base: RunSpec) -> list[str]:
    """E.g. ``["300 images", "dropout 0", "L1 0.001"]``: what ``spec`` has and ``base`` has not, part by part;
    empty if they differ in name and seed at most.

    Args:
        spec, base: completed.
    """
    return [each.ours for each in contrasts(spec, base)]


def contrasts(spec: RunSpec, base: RunSpec) -> list[Contrast]:
    """The same with what ``base`` has in each place."""
    ours, theirs = spec.train, base.train
    found = [
        *_data(spec, base),
        *_augment(spec.augment, base.augment),
        *_entry(title_of(ARCHITECTURES, spec.model.arch), title_of(ARCHITECTURES, base.model.arch),
                spec.model.params, base.model.params),
        *_regularisers(spec, base),
        *_entry(title_of(OPTIMISERS, spec.optimiser.kind), title_of(OPTIMISERS, base.optimiser.kind),
                {"learning rate": spec.optimiser.lr, **spec.optimiser.params},
                {"learning rate": base.optimiser.lr, **base.optimiser.params}),
        *_entry(spec.optimiser.schedule, base.optimiser.schedule,
                spec.optimiser.schedule_params, base.optimiser.schedule_params),
        *([Contrast(_epochs(ours.epochs), _epochs(theirs.epochs))] if ours.epochs != theirs.epochs else []),
        *_other(ours.batch_size, theirs.batch_size, "batches of {}"),
        *_other(ours.precision, theirs.precision, "{}"),
        *_other(_processes(ours.processes), _processes(theirs.processes), "{}"),
        *_other(ours.gradient_precision, theirs.gradient_precision, "gradients in {}"),
    ]  # fmt: skip
    return found


def _other(ours: object, theirs: object, said: str) -> list[Contrast]:
    return [Contrast(said.format(ours), said.format(theirs))] if ours != theirs else []


def _data(spec: RunSpec, base: RunSpec) -> list[Contrast]:
    ours, theirs = spec.data, base.data
    said = []
    if (ours.name, ours.path) != (theirs.name, theirs.path):
        said.append(Contrast(data_in_words(ours), data_in_words(theirs)))
    said += _other(_images(ours), _images(theirs), "{}")
    said += _other(f"{ours.validation_share:.0%}", f"{theirs.validation_share:.0%}", "{} kept")
    if (ours.path, ours.side) != (theirs.path, theirs.side) and ours.side:
        said.append(Contrast(f"{ours.side} px", f"{theirs.side} px" if theirs.side else "their own size"))
    return said


def _images(spec: DataSpec) -> str:
    return f"{spec.train_images:,} images" if spec.train_images else "all images"


def _augment(ours: AugmentSpec, theirs: AugmentSpec) -> list[Contrast]:
    return [Contrast(_pipeline(ours), _pipeline(theirs))] if ours != theirs else []


def _pipeline(spec: AugmentSpec) -> str:
    names = [title_of(OPERATIONS, op.op).lower() for op in spec.ops if op.enabled]
    names += [title_of(MIXES, spec.mix.op)] if spec.mix else []
    if not names:
        return "no augmentation"
    return " + ".join(names) if len(names) <= 2 else f"{len(names)} augmentations"


def _entry(
    title: str, their_title: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]
) -> list[Contrast]:
    """The entry's title if it is another; else each parameter of it that is."""
    if title != their_title:
        return [Contrast(title, their_title)]
    return [
        Contrast(*(f"{name.replace('_', ' ')} {_value(each)}" for each in (value, theirs.get(name))))
        for name, value in ours.items()
        if value != theirs.get(name)
    ]


def _regularisers(spec: RunSpec, base: RunSpec) -> list[Contrast]:
    ours, theirs = ({each.kind: each for each in one.regularisers} for one in (spec, base))
    kinds = [*ours, *(kind for kind in theirs if kind not in ours)]
    return [
        Contrast(_regulariser(kind, ours.get(kind)), _regulariser(kind, theirs.get(kind)))
        for kind in kinds
        if ours.get(kind) != theirs.get(kind)
    ]


def _regulariser(kind: str, spec: RegulariserSpec | None) -> str:
    if spec is None:
        return f"no {_short(kind)}"
    strength = "" if spec.strength is None else f" {spec.strength:g}"
    solver = f" by {spec.solver}" if spec.solver == "penalty" else ""
    released = f" released after {spec.release_epochs}" if spec.release_epochs else ""
    return f"{_short(kind)}{strength}{solver}{released}"


def _epochs(count: int) -> str:
    return "1 epoch" if count == 1 else f"{count} epochs"


def _processes(count: int) -> str:
    return "1 process" if count == 1 else f"{count} processes"


def _short(kind: str) -> str:
    return REGULARISERS[kind].short if kind in REGULARISERS else kind


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "-".join(map(_value, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def value_in_words(value: Any) -> str:
    """One value of a spec, e.g. ``0.001``, ``on`` or ``32-64-128``; what is left out is ``none``."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return "none" if value is None or value == [] else _value(value)
