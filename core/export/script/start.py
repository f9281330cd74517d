"""Where a branch begins, as ``start.npz``: what its script needs of the run that it comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from core.export.source import Source
from core.run.clock import Clock
from core.run.errors import SpecError
from core.train.branch import begin_at
from core.train.checkpoint import checkpoint_of
from core.train.session import open_session

FILE = "start.npz"


class Start(NamedTuple):
    """How far the other run was.

    Args:
        epochs: whole ones; ``batches`` and ``images`` of the next that were done.
        step: steps that were done.
    """

    epochs: int
    batches: int
    images: int
    step: int
    clock: Clock


def write_start(source: Source, folder: Path) -> Start | None:
    """Write it, if the run is a branch; None: it begins by itself.

    Raises:
        SpecError: it is a branch, and its checkpoint is not there any more.
    """
    if not (source.history.started or {}).get("begins_at"):
        return None
    if source.start is None:
        what = "it is a branch, and the checkpoint that it began at is not there any more; export its parent."
        raise SpecError("RUN", what)
    session = open_session(source.spec)
    position = begin_at(source.start, session)
    tensors = checkpoint_of(session, position).tensors
    kept: dict[str, Any] = {
        name: value.cpu().numpy() for name, value in tensors.items() if not name.startswith("kept.")
    }
    np.savez_compressed(folder / FILE, **kept)
    epochs, sums = len(position.epochs), position.sums
    return Start(epochs, sums.batches, sums.images, position.begins_at, session.clock)


TEXT = '''start = np.load({path})
given = {{name: torch.from_numpy(start[name]).to(DEVICE) for name in start.files}}


def below(prefix: str) -> dict[str, Tensor]:
    """What was given under a name, without it."""
    return {{name.removeprefix(prefix): value for name, value in given.items() if name.startswith(prefix)}}


model.load_state_dict(below("model."))
{regularisers}moments: dict[int, dict[str, Tensor]] = {{}}
for name, value in below("optimiser.").items():
    number, field = name.split(".")
    moments.setdefault(int(number), {{}})[field] = value
optimiser.load_state_dict({{"state": moments, "param_groups": optimiser.state_dict()["param_groups"]}})
for parameter, values in optimiser.state.items():
    for field, value in values.items():
        if value.shape == parameter.shape:  # it must lie in memory as its parameter does
            values[field] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)'''

REGULARISERS = """for number, each in enumerate(REGULARISERS.values()):
    each.load_state(below(f"regulariser.{number}."))
"""
