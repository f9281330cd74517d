"""A run whose network is made of others': what it is given before it is put into the queue."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from core.files import write_text
from core.run.errors import SpecError
from core.run.made import spec_of, weights_of
from core.run.spec import RunSpec


def give(folder: Path, sources: Sequence[tuple[RunSpec, Path]]) -> None:
    """Put the networks into a run's own folder: the runs that they come from may be deleted.

    Args:
        sources: of each its spec and its weights.

    Raises:
        SpecError: one has left no weights.
        OSError: they can't be put there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number, (spec, weights) in enumerate(sources):
        if not weights.is_file():
            raise SpecError("from", "that run has left no weights, so nothing can be made of its network.")
        place = folder / weights_of(number)
        place.unlink(missing_ok=True)
        try:
            os.link(weights, place)
        except OSError:  # another file system
            shutil.copyfile(weights, place)
        write_text(folder / spec_of(number), spec.to_json(indent=2) + "\n")
