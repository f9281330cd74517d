"""A run that goes on from another one's checkpoint, with other settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from core.branching import check_branch, check_epochs_left
from core.catalogues import completed
from core.regularise.release import acting
from core.run.checkpoints import spec_of
from core.run.errors import SpecError
from core.run.spec import RunSpec
from core.train.checkpoint import DAMAGED, below, load_optimiser, position_of, read_checkpoint
from core.train.position import Position
from core.train.session import Session


def begin_at(path: Path, session: Session) -> Position:
    """Put the network of a checkpoint into ``session``, and of the rest what the new spec still has.

    The optimiser keeps its state if it is of the same kind, and so does each regulariser. Edits of the run
    that it came from are part of the state, and not of this run.

    Raises:
        SpecError: it can't be read, or the spec asks for other images or another network.
    """
    try:
        tensors, metadata = read_checkpoint(path, session.device)
        before = completed(spec_of(metadata))
    except (OSError, *DAMAGED):
        raise SpecError("--from", "the checkpoint to begin at can't be read; it is damaged.") from None
    check_branch(session.spec, before)
    try:
        session.model.load_state_dict(below("model.", tensors))
        session.regularisation.take_state(_by_kind(before, below("regulariser.", tensors)))
        if session.spec.optimiser.kind == before.optimiser.kind:
            load_optimiser(session, _known(session, tensors))
        position = position_of(session, tensors, metadata)
    except DAMAGED:
        raise SpecError("--from", "the checkpoint to begin at can't be read; it is damaged.") from None
    if position.epochs:  # it was asked to go on, although it may have been stopped early
        position.epochs[-1] = {key: value for key, value in position.epochs[-1].items() if key != "stop"}
    position.begins_at = position.at(session.clock)["step"]
    check_epochs_left(session.spec, len(position.epochs))
    return position


def _by_kind(before: RunSpec, state: Mapping[str, Tensor]) -> dict[str, list[dict[str, Tensor]]]:
    """What each regulariser of the run before knew, by its kind, in the order that they act in."""
    found: dict[str, list[dict[str, Tensor]]] = {}
    for i, each in enumerate(acting(before.regularisers)):
        if not each.holds:
            found.setdefault(each.name, []).append(below(f"{i}.", dict(state)))
    return found


def _known(session: Session, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The optimiser's state of parameters that are still there: an L0 penalty's gates may be gone."""
    shapes = [p.shape for group in session.optimiser.param_groups for p in group["params"]]
    kept = {}
    for name, value in below("optimiser.", tensors).items():
        i = int(name.split(".")[0])
        if i < len(shapes) and (value.ndim == 0 or value.shape == shapes[i]):
            kept[f"optimiser.{name}"] = value
    return kept
