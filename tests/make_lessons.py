"""Trains what the landing page's lessons train: ``python -m tests.make_lessons`` writes the page's asset.

It takes some minutes, a lesson after the other.
"""

from __future__ import annotations

import json
from typing import Any

from core.catalogues import completed
from core.presets import LESSONS, preset
from core.run.digest import digest
from core.run.spec import RunSpec
from core.runtime import prepare_torch
from core.train.loop import run
from pages.features.start.expected import MEASURED


def measured(spec: RunSpec) -> dict[str, Any]:
    """One run of ``spec``, completed: which it was, with what it ran, and its figures after each epoch, as
    shares."""
    events = list(run(spec))
    started = next(each for each in events if each["event"] == "started")
    epochs = [each for each in events if each["event"] == "epoch"]
    return {
        "digest": digest("train", spec.choices()),
        "seed": spec.seed,
        "versions": started["versions"],
        "device": started["device_name"],
        "threads": started["threads"],
        "validation_images": started["validation_images"],
        "clean_images": epochs[-1]["clean_images"],
        "weights": epochs[-1]["sparsity"]["weights"],
        "seconds": round(sum(each["seconds"] for each in epochs), 1),
        "clean": [round(each["clean_accuracy"], 4) for each in epochs],
        "validation": [round(each["validation_accuracy"], 4) for each in epochs],
        "zeros": [round(each["sparsity"]["exact"], 4) for each in epochs],
    }


if __name__ == "__main__":
    prepare_torch()
    told = {name: measured(completed(preset(name))) for name in LESSONS}
    MEASURED.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
