"""The images that a run trains on and is judged by, as ``data.npz``: NumPy's own format, without pickle."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.data.catalogue import load_dataset
from core.data.split import split_dataset, split_seed
from core.export.script.build import DATA, Shape
from core.run.errors import SpecError
from core.run.spec import RunSpec

MOST_BYTES = 2 << 30  # of the images, before they are packed


def write_data(spec: RunSpec, folder: Path) -> Shape:
    """Write it; the images' shape.

    Raises:
        SpecError: the images are not there any more, or too many.
    """
    dataset = load_dataset(spec.data)
    if dataset.images.nbytes > MOST_BYTES:
        what = f"the images take {dataset.images.nbytes:,} bytes; at most {MOST_BYTES:,} are written."
        raise SpecError("RUN", what)
    split = split_dataset(dataset, spec.data, split_seed(spec))
    np.savez_compressed(
        folder / DATA,
        train_images=split.train.images.numpy(),
        train_labels=split.train.labels.numpy(),
        validation_images=split.validation.images.numpy(),
        validation_labels=split.validation.labels.numpy(),
        classes=np.array(split.train.classes, dtype=str),
    )
    return Shape(split.train.channels, split.train.side, split.train.classes)
