"""Makes what the landing page's cards show: ``python -m tests.make_families`` writes the page's asset."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import torch

from core.data.photos import photos
from core.data.shape import image_shape
from core.figures.tables import parameters_by_layer
from core.models.catalogue import ARCHITECTURES
from core.models.summary import summarise
from core.pictures import encode_images
from core.preview.results import preview
from core.run.spec import AugmentSpec, DataSpec, ModelSpec, OpSpec
from pages.features.start.families import SHOWN

SHOWN_OPS = AugmentSpec(
    ops=(
        OpSpec(op="RandomHorizontalFlip", p=0.5),
        OpSpec(op="RandomAffine", p=1.0),
        OpSpec(op="ColorJiggle", p=1.0),
        OpSpec(op="RandomErasing", p=0.5),
    )
)


def families() -> dict[str, Any]:
    """One photograph, augmented six times, and each architecture's parameters by layer."""
    pictures, _ = photos(160)
    six = torch.tensor(np.asarray(pictures[1:2])).expand(6, -1, -1, -1).contiguous()
    shown = preview(SHOWN_OPS, six, seed=3, step=0, device="cpu")
    shape = image_shape(DataSpec())
    summaries = {
        name.upper() if len(name) == 3 else name.capitalize(): summarise(
            ModelSpec(arch=name), channels=shape.channels, side=shape.side, num_classes=shape.num_classes
        )
        for name in ARCHITECTURES
    }
    return {
        "pictures": encode_images(shown.results),
        "structures": parameters_by_layer(
            {
                name: [(row.name, row.kind, row.parameters) for row in each.rows]
                for name, each in summaries.items()
            }
        ),
    }


if __name__ == "__main__":
    SHOWN.write_text(json.dumps(families(), indent=1) + "\n", encoding="utf-8")
