"""A pipeline's spec, checked against the catalogue and completed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.augment.catalogue import OPERATIONS
from core.augment.entry import MixEntry
from core.augment.ops.mixes import MIXES
from core.catalogue import Entry, completed_params, look_up
from core.run.errors import SpecError
from core.run.spec import AugmentSpec, MixSpec, OpSpec


def completed_augment(spec: AugmentSpec, channels: int, *, has_masks: bool = False) -> AugmentSpec:
    """``spec`` with every ``p`` and every parameter filled in.

    An operation that is switched off is checked like the others, except that it may need colour that
    the images don't have: it waits for images that do.

    Args:
        has_masks: whether the images come with masks; those that train a classifier do not.

    Raises:
        SpecError: an operation or a parameter is unknown, a value is out of bounds, an operation needs
            colour and ``channels`` is 1, one that works on whole batches has a p other than 1, the mix
            needs masks, or ``choose`` asks for more operations than are switched on.
    """
    ops = tuple(_check_op(op, channels, f"augment.ops[{i}]") for i, op in enumerate(spec.ops))
    enabled = sum(op.enabled for op in ops)
    if spec.choose is not None and spec.choose > enabled:
        raise SpecError(
            "augment.choose",
            f"{spec.choose} operations can't be chosen from the {enabled} that are switched on; "
            "choose fewer, or leave it out to run them all.",
        )
    mix = None if spec.mix is None else _check_mix(spec.mix, has_masks)
    return spec.model_copy(update={"ops": ops, "mix": mix})


def check_augment_names(spec: AugmentSpec) -> None:
    """Refuse names that no catalogue has, and values out of bounds; not what does not go together."""
    for i, op in enumerate(spec.ops):
        where = f"augment.ops[{i}]"
        _params(look_up(OPERATIONS, op.op, f"{where}.op", "operation"), op.params, where)
    if spec.mix is not None:
        _params(look_up(MIXES, spec.mix.op, "augment.mix.op", "mix"), spec.mix.params, "augment.mix")


def needs_masks(entry: MixEntry) -> str:
    """Why an operation can't train a classifier, and what to do instead."""
    return (
        f"{entry.name} needs masks that say what each pixel belongs to, and a classifier's images have "
        f"labels only; choose one of {', '.join(n for n, other in MIXES.items() if not other.needs_masks)}."
    )


def _check_op(op: OpSpec, channels: int, where: str) -> OpSpec:
    entry = look_up(OPERATIONS, op.op, f"{where}.op", "operation")
    if entry.colour_only and channels == 1 and op.enabled:
        raise SpecError(
            f"{where}.op",
            f"{entry.name} changes colours, and these images have one channel (grey) only; "
            "remove it, switch it off, or choose colour images.",
        )
    p = entry.default_p if op.p is None else op.p
    if entry.fixed_p and p != 1:
        raise SpecError(
            f"{where}.p",
            f"{entry.name} cuts all images of a batch or none, so p must be 1, not {p:g}.",
        )
    return op.model_copy(update={"p": float(p), "params": _params(entry, op.params, where)})


def _check_mix(mix: MixSpec, has_masks: bool) -> MixSpec:
    entry = look_up(MIXES, mix.op, "augment.mix.op", "mix")
    if entry.needs_masks and not has_masks:
        raise SpecError("augment.mix.op", needs_masks(entry))
    p = entry.default_p if mix.p is None else mix.p
    return mix.model_copy(update={"p": float(p), "params": _params(entry, mix.params, "augment.mix")})


def _params(entry: Entry, given: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Lists, as in JSON: a spec that was completed, written and read again equals itself. A refusal names
    the operation, too, for ``augment.ops[7]`` means little to a person."""
    try:
        values = completed_params(entry, given, f"{where}.params")
    except SpecError as error:
        named = error.what if entry.name in error.what else f"{entry.name}: {error.what}"
        raise SpecError(error.where, named) from None
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
