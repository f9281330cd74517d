"""What holds of a person's own images before they are read."""

from __future__ import annotations

from typing import Literal, NamedTuple

from core.run.spec import DataSpec

Fit = Literal["crop", "pad", "stretch"]

DEFAULT_SIDE = 32  # pixels
DEFAULT_CHANNELS = 3
DEFAULT_FIT: Fit = "crop"
LOADS = "core.data.folder:folder"  # what reads them


class Form(NamedTuple):
    """What every image is made into: a square of ``side`` pixels, grey (1) or RGB (3), and what becomes of
    one that is no square: its middle is cut out, it is padded, or stretched."""

    side: int = DEFAULT_SIDE
    channels: int = DEFAULT_CHANNELS
    fit: Fit = DEFAULT_FIT


def form_of(spec: DataSpec) -> Form:
    """The form in which ``spec`` wants a person's own images."""
    return Form(spec.side or DEFAULT_SIDE, spec.channels or DEFAULT_CHANNELS, spec.fit or DEFAULT_FIT)
