"""Which operations of a pipeline are one warp."""

from __future__ import annotations

from core.run.errors import SpecError
from core.run.spec import AugmentSpec
from pages.features.frame.asking import ask

Groups = tuple[tuple[int, ...], ...]


def fused_groups(augment: AugmentSpec, channels: int, side: int, *, in_callback: bool = False) -> Groups:
    """The places in ``augment.ops`` of those that are fused, group by group."""
    if not augment.fuse or sum(op.enabled for op in augment.ops) < 2:
        return ()
    try:
        told = ask("fused_groups", in_callback=in_callback, augment=augment, channels=channels, side=side)
    except SpecError:  # the preview says what is wrong
        return ()
    return tuple(tuple(group) for group in told["groups"])
