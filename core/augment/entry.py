"""What the catalogue says of an augmentation, and how numbers that were drawn are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from kornia.augmentation import AugmentationBase2D
from torch import Tensor

from core.catalogue import Entry

Drawn = Mapping[str, Tensor]
"""What Kornia drew for one operation and one batch, by Kornia's own names; first dimension: images."""

Values = tuple[tuple[str, str], ...]
"""What a person is shown of it for one image: a label and a value with its unit, each."""

Describe = Callable[[Drawn, int], Values]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpEntry(Entry):
    """One augmentation; named as Kornia's class is.

    Args:
        group: whether it moves pixels, changes their values, or is a policy that picks among many that do.
        build: the Kornia module, from the parameters' values, the probability of each image, and the
            side of the (square) images in pixels.
        describe: what was drawn for image ``i`` of a batch; empty where there is nothing but yes or no.
        fits: in which tasks it helps, one short sentence.
        can_lie: when it may change what the label should be; empty if it hardly can.
        colour_only: whether it needs three channels.
        default_p: the probability that a new operation starts with.
        fixed_p: whether it works on every image or on none, so that its p must be 1.
    """

    group: Literal["geometric", "intensity", "policy"]
    build: Callable[[Mapping[str, Any], float, int], AugmentationBase2D]
    describe: Describe
    fits: str
    can_lie: str = ""
    colour_only: bool = False
    default_p: float = 0.5
    fixed_p: bool = False


def nothing(drawn: Drawn, i: int) -> Values:
    """For operations that draw only whether they fire."""
    return ()


def number(value: float | Tensor, digits: int = 1, unit: str = "", sign: bool = False) -> str:
    """``value`` for people: rounded, with its unit, a real minus sign, and never minus zero."""
    rounded = round(float(value), digits) + 0.0
    return f"{rounded:{'+' if sign else ''}.{digits}f}{unit}".replace("-", "−")


def scalar(
    label: str,
    key: str,
    *,
    digits: int = 2,
    before: str = "",
    unit: str = "",
    sign: bool = False,
    minus: float = 0.0,
    times: float = 1.0,
) -> Describe:
    """Shows one drawn number: ``(drawn[key] − minus) · times``, e.g. as ``×1.08`` or ``+0.12``."""

    def describe(drawn: Drawn, i: int) -> Values:
        value = (float(drawn[key][i]) - minus) * times
        return ((label, before + number(value, digits, unit, sign)),)

    return describe


def all_of(*parts: Describe) -> Describe:
    """Shows what each of ``parts`` shows, in order."""

    def describe(drawn: Drawn, i: int) -> Values:
        return tuple(value for part in parts for value in part(drawn, i))

    return describe
