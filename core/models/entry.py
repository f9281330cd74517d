"""What the catalogue says of an architecture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.catalogue import Entry

Params = Mapping[str, Any]  # an entry's parameters by name, completed


def fits_any_side(params: Params, side: int) -> None:
    """For an architecture that takes images of every side."""


def some_activations(params: Params, channels: int, side: int) -> int:
    """For an architecture that does not say: 32 maps of the image's size."""
    return 32 * side**2


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntry(Entry):
    """An architecture.

    Args:
        makes: the module's class, as ``package.module:Class``. It is called with the images' channels, their
            side, the number of classes, and the entry's parameters by name. It takes normalised images
            (B, C, S, S) to logits (B, num_classes), and its weights are drawn from torch's global generator.
            It has two attributes: ``classifier``, the dotted name of the layer whose outputs are the classes,
            and ``filters``, that of the layer whose weights can be looked at as little images, or "".
        count_parameters: how many parameters it has, from its own parameters, the images' channels, their
            side and the number of classes.
        count_activations: about how many numbers it keeps of an image until the gradient has passed, from its
            own parameters, the images' channels and their side; for an estimate of memory.
        check_fit: raises `SpecError` if its parameters don't fit each other or images of that side.
        size: the parameter that says best how large it is, for a title.
        removable: the families of weight groups that can be taken out once all their weights are zero; one
            filter a layer stays where they still put out a constant.
        bypassed: whether the image has a way around each of its layers, so that a layer of zeros
            doesn't silence the network.
        blocks: whether it has blocks that can be taken out one by one.
        no_filters: one sentence: why the first layer can't be looked at as filters; empty if it can.
    """

    makes: str
    count_parameters: Callable[[Params, int, int, int], int]
    count_activations: Callable[[Params, int, int], int] = some_activations
    check_fit: Callable[[Params, int], None] = fits_any_side
    size: str
    removable: tuple[str, ...] = ()
    bypassed: bool = False
    blocks: bool = False
    no_filters: str = ""
