"""Some of a pipeline's operations by themselves, as they are set there, and what a chart calls one."""

from __future__ import annotations

from core.augment.catalogue import OPERATIONS
from core.run.spec import AugmentSpec, OpSpec


def title(op: OpSpec) -> str:
    """The operation's title; from the second of its kind on with a number, so that no two are alike."""
    name = OPERATIONS[op.op].title
    return f"{name} {op.stream + 1}" if op.stream else name


def alone(spec: AugmentSpec, *ops: OpSpec) -> AugmentSpec:
    """A pipeline of nothing but ``ops``, at the strength of ``spec``; with their streams they keep their
    draws."""
    return AugmentSpec(ops=ops, strength=spec.strength, fuse=spec.fuse)
