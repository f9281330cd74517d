"""One operation of a pipeline by itself, as it is set there, and what a chart calls it."""

from __future__ import annotations

from core import augment
from core.spec import AugmentSpec, OpSpec


def title(op: OpSpec) -> str:
    """The operation's title; from the second of its kind on with a number, so that no two are alike."""
    name = augment.CATALOGUE[op.op].title
    return f"{name} {op.stream + 1}" if op.stream else name


def alone(spec: AugmentSpec, op: OpSpec) -> AugmentSpec:
    """A pipeline of nothing but ``op``, at the strength of ``spec``; with its stream it keeps its draws."""
    return AugmentSpec(ops=(op,), strength=spec.strength, fuse=spec.fuse)
