"""What sets one spec apart from another, in a few words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.augment.catalogue import OPERATIONS
from core.augment.ops.mixes import MIXES
from core.catalogue import title_of
from core.models.catalogue import ARCHITECTURES
from core.optimise.catalogue import OPTIMISERS
from core.regularise.catalogue import REGULARISERS
from core.run.spec import AugmentSpec, RegulariserSpec, RunSpec
from core.text.describe import data_in_words


def differences(spec: RunSpec, base: RunSpec) -> list[str]:
    """E.g. ``["300 images", "dropout 0", "L1 0.001"]``: what ``spec`` has and ``base`` has not, part by part;
    empty if they differ in name and seed at most.

    Args:
        spec, base: completed.
    """
    return [
        *_data(spec, base),
        *_augment(spec.augment, base.augment),
        *_entry(title_of(ARCHITECTURES, spec.model.arch), spec.model.arch == base.model.arch,
                spec.model.params, base.model.params),
        *_regularisers(spec, base),
        *_entry(title_of(OPTIMISERS, spec.optimiser.kind), spec.optimiser.kind == base.optimiser.kind,
                {"learning rate": spec.optimiser.lr, **spec.optimiser.params},
                {"learning rate": base.optimiser.lr, **base.optimiser.params}),
        *([spec.optimiser.schedule] if spec.optimiser.schedule != base.optimiser.schedule else []),
        *([_epochs(spec.train.epochs)] if spec.train.epochs != base.train.epochs else []),
        *([f"batches of {spec.train.batch_size}"] if spec.train.batch_size != base.train.batch_size else []),
        *([spec.train.precision] if spec.train.precision != base.train.precision else []),
    ]  # fmt: skip


def _data(spec: RunSpec, base: RunSpec) -> list[str]:
    ours, theirs = spec.data, base.data
    said = [data_in_words(ours)] if (ours.name, ours.path) != (theirs.name, theirs.path) else []
    if ours.train_images != theirs.train_images:
        said.append(f"{ours.train_images:,} images" if ours.train_images else "all images")
    if ours.validation_share != theirs.validation_share:
        said.append(f"{ours.validation_share:.0%} kept")
    if (ours.path, ours.side) != (theirs.path, theirs.side) and ours.side:
        said.append(f"{ours.side} px")
    return said


def _augment(ours: AugmentSpec, theirs: AugmentSpec) -> list[str]:
    if ours == theirs:
        return []
    names = [title_of(OPERATIONS, op.op).lower() for op in ours.ops if op.enabled]
    names += [title_of(MIXES, ours.mix.op)] if ours.mix else []
    if not names:
        return ["no augmentation"]
    return [" + ".join(names) if len(names) <= 2 else f"{len(names)} augmentations"]


def _entry(title: str, same: bool, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """The entry's title if it is another; else each parameter of it that is."""
    if not same:
        return [title]
    return [
        f"{name.replace('_', ' ')} {_value(value)}"
        for name, value in ours.items()
        if value != theirs.get(name)
    ]


def _regularisers(spec: RunSpec, base: RunSpec) -> list[str]:
    ours, theirs = ({each.kind: each for each in one.regularisers} for one in (spec, base))
    gone = [f"no {_short(kind)}" for kind in theirs if kind not in ours]
    return [_regulariser(each) for kind, each in ours.items() if each != theirs.get(kind)] + gone


def _regulariser(spec: RegulariserSpec) -> str:
    strength = "" if spec.strength is None else f" {spec.strength:g}"
    solver = f" by {spec.solver}" if spec.solver == "penalty" else ""
    return f"{_short(spec.kind)}{strength}{solver}"


def _epochs(count: int) -> str:
    return "1 epoch" if count == 1 else f"{count} epochs"


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
