"""What the catalogue says of an augmentation, and how drawn numbers are shown. It needs no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from core.catalogue import Entry

if TYPE_CHECKING:
    from torch import Tensor

Drawn = Mapping[str, "Tensor"]
"""What Kornia drew for one operation and one batch, by Kornia's own names; first dimension: images."""

Values = tuple[tuple[str, str], ...]
"""What a person is shown of it for one image: a label and a value with its unit, each."""

Describe = Callable[[Drawn, int], Values]

Arguments = Callable[[Mapping[str, Any], int], dict[str, Any]]
"""From the parameters' values and the side of the (square) images in pixels to a constructor's arguments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentEntry(Entry):
    """What an operation and a mix have in common; each is named as Kornia's class is.

    Args:
        makes: the path of the class that does it, ``module:name``, as `core.catalogue.imported` reads it.
        arguments: of its constructor; None: the parameters' values by their own names.
        fits: in which tasks it helps, one short sentence.
        can_lie: when it may change what the label should be, or the mixed label what the image shows; empty
            if it hardly can.
        note: what a reader of its call in an exported script must know; empty: nothing.
    """

    makes: str
    arguments: Arguments | None = None
    fits: str
    can_lie: str = ""
    note: str = ""

    def call(self, params: Mapping[str, Any], p: float, side: int) -> dict[str, Any]:
        """The keyword arguments for `makes`: for completed ``params``, a probability, and images of ``side``
        pixels. `core.augment.pipeline.built` calls it, and an exported script prints it."""
        values = {name: tuple(v) if isinstance(v, list) else v for name, v in params.items()}
        arguments = self.arguments(values, side) if self.arguments else values
        return {**arguments, "p": arguments.get("p", p)}


@dataclass(frozen=True, slots=True, kw_only=True)
class OpEntry(AugmentEntry):
    """One augmentation of each image by itself.

    Args:
        group: whether it moves pixels, changes their values, or is a policy that picks among many that do.
        describe: what was drawn for image ``i`` of a batch; empty where there is nothing but yes or no.
        colour_only: whether it needs three channels.
        default_p: the probability that a new operation starts with.
        fixed_p: whether it works on every image or on none, so that its p must be 1.
    """

    group: Literal["geometric", "intensity", "policy"]
    describe: Describe
    colour_only: bool = False
    default_p: float = 0.5
    fixed_p: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MixEntry(AugmentEntry):
    """One operation that mixes the images of a batch.

    Args:
        shares: the path of a function of `core.augment.modules.shares`, which says what each result is made
            of; empty where only the pixels' own masks would tell.
        gate: what the probability p decides about: a whole batch, or each image by itself.
        needs_masks: whether it must know which pixels belong to what, and so can't train a classifier.
        default_p: the probability that it starts with.
    """

    shares: str = ""
    gate: Literal["batch", "image"]
    needs_masks: bool = False
    default_p: float = 1.0


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
