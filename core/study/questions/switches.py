"""Switches: choices of a run that can be on or off, and what each setting of them is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from core.augment.catalogue import OPERATIONS
from core.augment.ops.mixes import MIXES
from core.catalogue import title_of
from core.models.dropout import DROPOUTS
from core.regularise.catalogue import REGULARISERS
from core.run.spec import Part, RunSpec
from core.study.spec import with_changes

Changes = Annotated[dict[Annotated[str, Field(max_length=120)], Any], Field(max_length=32)]

TOGETHER = "Augmentation"  # all operations


class Switch(Part):
    """A choice: ``on`` and ``off`` are what the base run has otherwise then, values by path as
    `core.run.spec` has paths; None takes an operation, the mix or a regulariser out. With an empty ``on`` it
    is as the base run has it."""

    name: Annotated[str, Field(min_length=1, max_length=40)]
    off: Changes = Field(default_factory=dict)
    on: Changes = Field(default_factory=dict)


def switches_of(spec: RunSpec) -> list[Switch]:
    """What a completed spec has that can be left out: each operation, all of them together if there are
    several, the mix, each regulariser, and dropout."""
    ops = [i for i, op in enumerate(spec.augment.ops) if op.enabled]
    found = [_switch(title_of(OPERATIONS, spec.augment.ops[i].op), {f"augment.ops.{i}": None}) for i in ops]
    if spec.augment.mix is not None:
        found.append(_switch(title_of(MIXES, spec.augment.mix.op), {"augment.mix": None}))
    if len(found) > 1:
        everything = {change: None for each in found for change in each.off}
        found.insert(0, _switch(TOGETHER, everything))
    found += [
        _switch(title_of(REGULARISERS, each.kind), {f"regularisers.{i}": None})
        for i, each in enumerate(spec.regularisers)
    ]
    dropped = {f"model.params.{name}": 0 for name in DROPOUTS if spec.model.params.get(name)}
    return found + ([_switch("Dropout", dropped)] if dropped else [])


def _switch(name: str, off: dict[str, Any]) -> Switch:
    return Switch(name=name[:40], off=off)


def setting_of(base: RunSpec, switches: Sequence[Switch], setting: Sequence[bool]) -> RunSpec:
    """The base run with each switch on or off, completed.

    Raises:
        SpecError: a switch names no place, or the spec can't be run.
    """
    changes: dict[str, Any] = {}
    for switch, is_on in zip(switches, setting, strict=True):
        changes |= switch.on if is_on else switch.off
    return with_changes(base, changes)
