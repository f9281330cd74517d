"""What a person does to a pipeline, as functions from one spec to the next.

Each operation keeps its ``stream``, so that none of these changes what another operation draws.
"""

from __future__ import annotations

from typing import Any

from core.run.spec import AugmentSpec, OpSpec


def added(spec: AugmentSpec, name: str) -> AugmentSpec:
    """With the operation called ``name``, at its defaults, at the end."""
    return _with(spec, [*spec.ops, OpSpec(op=name)])


def moved(spec: AugmentSpec, start: int, end: int) -> AugmentSpec:
    """With the operation at ``start`` at ``end``."""
    ops = list(spec.ops)
    ops.insert(end, ops.pop(start))
    return _with(spec, ops)


def duplicated(spec: AugmentSpec, i: int) -> AugmentSpec:
    """With a copy of operation ``i`` after it, which draws numbers of its own."""
    copy = spec.ops[i].model_copy(update={"stream": None})
    return _with(spec, [*spec.ops[: i + 1], copy, *spec.ops[i + 1 :]])


def removed(spec: AugmentSpec, i: int) -> AugmentSpec:
    """Without operation ``i``."""
    return _with(spec, [*spec.ops[:i], *spec.ops[i + 1 :]])


def changed(spec: AugmentSpec, i: int, **fields: Any) -> AugmentSpec:
    """With fields of operation ``i`` replaced: ``enabled``, ``p`` or ``params``."""
    return _with(spec, [*spec.ops[:i], spec.ops[i].model_copy(update=fields), *spec.ops[i + 1 :]])


def _with(spec: AugmentSpec, ops: list[OpSpec]) -> AugmentSpec:
    """``spec`` with these operations; it never chooses more than are switched on."""
    enabled = sum(op.enabled for op in ops)
    choose = None if spec.choose is None or enabled == 0 else min(spec.choose, enabled)
    return AugmentSpec(**(dict(spec) | {"ops": tuple(ops), "choose": choose}))
