"""Which neighbours of a pipeline are one warp. It needs no torch."""

from __future__ import annotations

from collections.abc import Sequence

from core.augment.catalogue import OPERATIONS
from core.augment.check import completed_augment
from core.augment.fast.reading import Reading, reading
from core.run.errors import SpecError
from core.run.spec import AugmentSpec


def warp_groups(spec: AugmentSpec) -> tuple[tuple[int, ...], ...]:
    """The places, among the operations of a completed ``spec`` that are switched on, of those that are one
    warp: ``((0, 1, 2), (3,))`` says that the first three are fused."""
    enabled = [op for op in spec.ops if op.enabled]
    if not spec.fuse:
        return tuple((i,) for i in range(len(enabled)))
    return _groups([reading(OPERATIONS[op.op].makes.partition(":")[2], op.params) for op in enabled])


def fused_places(spec: AugmentSpec, channels: int) -> tuple[tuple[int, ...], ...]:
    """The places in ``spec.ops`` of those operations that are one warp, group by group; none where the spec
    is refused."""
    try:
        groups = warp_groups(completed_augment(spec, channels))
    except SpecError:  # whoever shows it says what is wrong
        return ()
    places = [i for i, op in enumerate(spec.ops) if op.enabled]
    return tuple(tuple(places[i] for i in group) for group in groups if len(group) > 1)


def _groups(readings: Sequence[Reading | None]) -> tuple[tuple[int, ...], ...]:
    """Neighbours that read alike. Flips and crops read whole pixels: they join any warp, and where there is
    none, they stay as they are, which is faster and exact."""
    found: list[list[int]] = []
    common = None  # how the last group reads
    for i, own in enumerate(readings):
        joint = None if common is None or own is None else _joint(common, own)
        if joint is None:
            found.append([i])
            common = own
        else:
            found[-1].append(i)
            common = joint
    whole_pixels = [own is not None and own.resample is None for own in readings]
    split: list[tuple[int, ...]] = []
    for group in found:
        split += [(i,) for i in group] if all(whole_pixels[i] for i in group) else [tuple(group)]
    return tuple(split)


def _joint(one: Reading, other: Reading) -> Reading | None:
    """How to read for both, or None if they differ."""
    if any(a is not None and b is not None and a != b for a, b in zip(one, other, strict=True)):
        return None
    return Reading(one.resample or other.resample, one.padding or other.padding)
