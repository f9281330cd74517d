"""Where a run begins that does not begin anew, as ``start.npz``: a branch, with what its script needs of the
run that it comes from; one whose network was made of others', with that network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import Tensor

from core.catalogues import completed
from core.export.fitting import check_plain, fitting, is_smaller
from core.export.source import Source
from core.models.fit import shapes_of
from core.regularise.catalogue import REGULARISERS
from core.run.clock import Clock
from core.run.errors import SpecError
from core.run.made import Made
from core.train.branch import begin_at
from core.train.checkpoint import checkpoint_of, shapes_to_go_on
from core.train.session import Session, open_session
from core.transform.job import begun_with

FILE = "start.npz"


class Start(NamedTuple):
    """How far the other run was.

    Args:
        epochs: whole ones; ``batches`` and ``images`` of the next that were done.
        step: steps that were done.
        smaller: the network has fewer units than its spec builds.
        alone: only the network is given, and nothing of how it was trained.
    """

    epochs: int
    batches: int
    images: int
    step: int
    clock: Clock
    smaller: bool = False
    alone: bool = False


def write_start(source: Source, folder: Path) -> Start | None:
    """Write it, if the run does not begin by itself; None: it does.

    Raises:
        SpecError: what it began with is not there any more, or can't be written.
    """
    if any(REGULARISERS[each.kind].taught for each in source.spec.regularisers):
        raise SpecError("RUN", "it learns from other networks, which a script has not got; take its weights.")
    if (source.history.started or {}).get("begins_at"):
        return _write_branch(source, folder)
    made = source.made
    return None if made is None else _write_made(source, made, folder)


def _write_branch(source: Source, folder: Path) -> Start:
    if source.start is None:
        what = "it is a branch, and the checkpoint that it began at is not there any more; export its parent."
        raise SpecError("RUN", what)
    session = open_session(source.spec, shapes=shapes_to_go_on(None, source.start))
    position = begin_at(source.start, session)
    tensors = checkpoint_of(session, position).tensors
    _write(session, {name: v for name, v in tensors.items() if not name.startswith("kept.")}, folder)
    epochs, sums = len(position.epochs), position.sums
    smaller = is_smaller(session, completed(source.spec).model)
    return Start(epochs, sums.batches, sums.images, position.begins_at, session.clock, smaller)


def _write_made(source: Source, made: Made, folder: Path) -> Start | None:
    if [each["epoch"] for each in source.history.epochs] == [0]:
        what = "its network was made of others' and not trained, so there is nothing to repeat; take its"
        raise SpecError("RUN", f"{what} weights.")
    network = begun_with(source.spec, made, source.folder)
    if network is None:
        return None
    session = open_session(source.spec, shapes=shapes_of(network))
    session.model.load_state_dict(dict(network))
    _write(session, {f"model.{name}": value for name, value in network.items()}, folder)
    smaller = is_smaller(session, completed(source.spec).model)
    clock = session.clock.at_epoch(0, source.spec.train.batch_size)
    return Start(0, 0, 0, 0, clock, smaller, alone=True)


def _write(session: Session, tensors: Mapping[str, Tensor], folder: Path) -> None:
    check_plain(session.model.state_dict())
    np.savez_compressed(folder / FILE, **{name: value.cpu().numpy() for name, value in tensors.items()})  # type: ignore[arg-type]


def network_text(start: Start | None, path: str) -> str:
    """The lines that read the file and make the network as small, before anything else sees it; none where
    that need not be."""
    if start is None or not start.smaller:
        return ""
    fit = fitting("model", "weights_before")
    return f'{_given(path)}\n\n\nweights_before = below("model.")\n{fit}'.rstrip()


def start_text(start: Start, path: str, *, regularises: bool) -> str:
    """The lines that give network, regularisers and optimiser what they had; those read the file that have
    not yet."""
    lines = [] if start.smaller else [f"{_given(path)}\n\n"]
    lines.append('model.load_state_dict(below("model."))')
    if not start.alone:
        lines += [*([_REGULARISERS] if regularises else []), _OPTIMISER]
    return "\n".join(lines)


def _given(path: str) -> str:
    return _GIVEN.format(path=path)


_GIVEN = '''start = np.load({path})
given = {{name: torch.from_numpy(start[name]).to(DEVICE) for name in start.files}}


def below(prefix: str) -> dict[str, Tensor]:
    """What was given under a name, without it."""
    return {{name.removeprefix(prefix): value for name, value in given.items() if name.startswith(prefix)}}'''

_REGULARISERS = """for number, each in enumerate(REGULARISERS.values()):
    each.load_state(below(f"regulariser.{number}."))"""

_OPTIMISER = """moments: dict[int, dict[str, Tensor]] = {}
for name, value in below("optimiser.").items():
    number, field = name.split(".")
    moments.setdefault(int(number), {})[field] = value
optimiser.load_state_dict({"state": moments, "param_groups": optimiser.state_dict()["param_groups"]})
for parameter, values in optimiser.state.items():
    for field, value in values.items():
        if value.shape == parameter.shape:  # it must lie in memory as its parameter does
            values[field] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)"""
