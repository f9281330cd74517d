"""How an operation that moves pixels reads an image. Those that read alike can share one warp.

It needs no torch, so that a page can say what is one warp.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Reading(NamedTuple):
    """How an operation reads between pixels, and beyond the edge; None where it needs neither."""

    resample: str | None
    padding: str | None


def reading(name: str, settings: Mapping[str, Any]) -> Reading | None:
    """How Kornia's class of this ``name`` reads an image, or None if no warp replaces it."""
    resample = settings.get("resample", "bilinear")
    if name in ("RandomHorizontalFlip", "RandomVerticalFlip"):
        return Reading(None, None)
    if name == "RandomRotation90":  # of a square: never beyond its edge
        return Reading(resample, None)
    if name in ("RandomAffine", "RandomTranslate", "RandomShear"):
        return Reading(resample, settings.get("padding_mode", "zeros"))
    if name in ("RandomRotation", "RandomPerspective", "RandomResizedCrop"):
        return Reading(resample, "zeros")
    if name == "RandomCrop":
        padding = {"constant": "zeros", "replicate": "border"}.get(settings["padding_mode"])
        return Reading(None, padding) if padding else None  # "reflect" mirrors at pixels, a warp at edges
    return None
