"""How a study's runs end, and what its last run is trained on, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def early(result: Mapping[str, Any]) -> list[str]:
    """Empty: nothing stopped early, or nothing is known yet."""
    if not result.get("stops_early"):
        return []
    return [
        "Early stopping chose each run's epoch by the images that judge it, so these accuracies are a little "
        f"too good, each in the same way{'; that of the last run is not' if result.get('test') else ''}."
    ]


def all_folds(result: Mapping[str, Any]) -> str:
    """What the last run is trained on."""
    count = result.get("train_images")
    return f"all {count:,} images of the folds" if count else "all training images"


def last_run(test: Mapping[str, Any]) -> str:
    """How the last run knew when to end; empty: it had all its epochs."""
    epochs = test.get("epochs")
    if epochs is None:
        return ""
    return f" for {epochs} {'epoch' if epochs == 1 else 'epochs'}, as many as early stopping chose before,"
