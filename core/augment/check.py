"""A pipeline's spec, checked against the catalogue and completed."""

from __future__ import annotations

from difflib import get_close_matches

from core.augment.catalogue import CATALOGUE
from core.augment.entry import OpEntry
from core.catalogue import complete
from core.errors import SpecError
from core.spec import AugmentSpec, OpSpec


def check(spec: AugmentSpec, channels: int) -> AugmentSpec:
    """``spec`` with every ``p`` and every parameter filled in.

    An operation that is switched off is checked like the others, except that it may need colour that
    the images don't have: it waits for images that do.

    Raises:
        SpecError: an operation or a parameter is unknown, a value is out of bounds, an operation needs
            colour and ``channels`` is 1, one that works on whole batches has a p other than 1, or
            ``choose`` asks for more operations than are switched on.
    """
    ops = tuple(_check_op(op, channels, f"augment.ops[{i}]") for i, op in enumerate(spec.ops))
    enabled = sum(op.enabled for op in ops)
    if spec.choose is not None and spec.choose > enabled:
        raise SpecError(
            "augment.choose",
            f"{spec.choose} operations can't be chosen from the {enabled} that are switched on; "
            "choose fewer, or leave it out to run them all.",
        )
    return spec.model_copy(update={"ops": ops})


def _check_op(op: OpSpec, channels: int, where: str) -> OpSpec:
    entry = _look_up(op.op, f"{where}.op")
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
    values = complete(entry, op.params, f"{where}.params")
    # Lists, as in JSON: a spec that was completed, written and read again equals itself.
    params = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
    return op.model_copy(update={"p": float(p), "params": params})


def _look_up(name: str, where: str) -> OpEntry:
    if name in CATALOGUE:
        return CATALOGUE[name]
    lower = {known.lower(): known for known in CATALOGUE}
    near = [lower[match] for match in get_close_matches(name.lower(), lower, n=3, cutoff=0.5)]
    raise SpecError(
        where,
        f"there is no operation called {name!r}; "
        + (f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(CATALOGUE)}."),
    )
