"""The first layer's filters as pictures: what is exactly zero is not there."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from core.run.events import Event
from core.run.history import History

POSITIVE, NEGATIVE = (213, 94, 0), (0, 114, 178)  # as in the charts: an orange and a blue


@dataclass(frozen=True, slots=True)
class FilterImage:
    """One filter. ``source`` is a data URI with transparency: weights of 0 show the page behind;
    ``zeros`` is the share of its weights that are exactly 0."""

    source: str
    zeros: float


def with_filters(history: History) -> list[Event]:
    """The epochs that kept the first layer's filters."""
    return [event for event in history.epochs if event.get("filters")]


def filter_images(event: Event) -> list[FilterImage]:
    """The filters of an ``epoch`` event (see `core.measure.filters`), all on one scale.

    Of one channel: orange is positive, blue negative, and the paler the smaller. Of three: the colours it
    answers to. Either way a weight of 0 is transparent.
    """
    kept = event["filters"]
    values = np.frombuffer(base64.b64decode(kept["values"]), np.int8).reshape(kept["shape"])
    return [FilterImage(_png(_rgba(each)), float((each == 0).mean())) for each in values]


def _rgba(weights: np.ndarray) -> np.ndarray:
    """int8 (C, K, K) in [-127, 127] as uint8 (K, K, 4)."""
    scaled = weights.astype(np.float64) / 127
    strength = np.abs(scaled).max(0)  # (K, K)
    if len(weights) == 3:
        colour = np.moveaxis(0.5 + 0.5 * scaled / np.maximum(strength, 1e-9), 0, -1) * 255
    else:
        positive = scaled.mean(0) > 0
        colour = np.where(positive[..., None], POSITIVE, NEGATIVE)
    # The root, as the eye sees it: a weight of a tenth of the largest is still something.
    return np.concatenate([colour, 255 * np.sqrt(strength)[..., None]], -1).round().astype(np.uint8)


def _png(pixels: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(file, "PNG", compress_level=1)
    return f"data:image/png;base64,{base64.b64encode(file.getbuffer()).decode()}"
