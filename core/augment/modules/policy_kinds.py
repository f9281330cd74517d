"""The operations that policies are made of, and what was drawn for those of one kind. It needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

KINDS = (
    "AutoContrast",
    "Brightness",
    "Contrast",
    "Equalize",
    "Gray",
    "HorizontalFlip",
    "Hue",
    "Invert",
    "Posterize",
    "Rotate",
    "Saturate",
    "Sharpness",
    "ShearX",
    "ShearY",
    "Solarize",
    "SolarizeAdd",
    "TranslateX",
    "TranslateY",
    "VerticalFlip",
)  # kornia.augmentation.auto.operations, in its order


def of_kind(drawn: Mapping[str, Tensor], kind: int) -> dict[str, Tensor]:
    """What was drawn for the operations of one kind, by Kornia's own names."""
    start = f"{KINDS[kind]}."
    return {name.removeprefix(start): value for name, value in drawn.items() if name.startswith(start)}
