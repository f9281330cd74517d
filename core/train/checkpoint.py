"""What a run leaves on disk: its spec, its weights, and a checkpoint to go on from.

JSON and safetensors only: formats that can't carry code. No random state is kept, because every draw
is derived from the seed and a counter (`core.randomness`): a resumed run repeats the one that was
never interrupted, bit for bit.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from core.run.errors import SpecError
from core.run.events import Event, lean
from core.train.evaluation import evaluation_weights
from core.train.session import Session
from core.train.surroundings import changes, surroundings

MAX_NOTES, MAX_NOTE = 5, 500  # the first say from where on the numbers are others
WEIGHTS = "weights.safetensors"
CHECKPOINT = "checkpoint.safetensors"
CHECKPOINT_SECONDS = 5.0  # 8 MB for the default network, 10 ms: 0.2 % of the time


class Checkpoint(NamedTuple):
    """What a run can go on from."""

    tensors: dict[str, Tensor]
    metadata: dict[str, str]

    def copied(self) -> Checkpoint:
        """One that stays as it is whatever happens to the network."""
        return self._replace(tensors={name: value.clone() for name, value in self.tensors.items()})


@dataclass(slots=True)
class Kept:
    """A copy of the network as it was judged after the last epoch that ended, for a run that fails later."""

    epoch: int = 0  # 0: none has ended
    tensors: dict[str, Tensor] = field(default_factory=dict)

    def take(self, model: nn.Module, epoch: int) -> None:
        self.epoch = epoch
        self.tensors = {name: value.clone() for name, value in model.state_dict().items()}


def save(folder: Path, session: Session, epoch: int) -> int | None:
    """Write ``spec.json`` and ``weights.safetensors`` into ``folder``, which is made if needed.

    Returns:
        The epoch whose weights were written, if a regulariser chose one; ``epoch`` epochs are done.
    """
    _save_spec(folder, session)
    with evaluation_weights(session, max(epoch, 1)):
        chosen = session.regularisation.before_saving()
        _write(folder / WEIGHTS, session.model.state_dict(), {})
    return chosen


def save_failed(folder: Path, session: Session, kept: Kept) -> str:
    """Write the same of a run that failed; returns a sentence that says which weights those are.

    If there are none, those that an earlier run left there go, for they are not of this spec.
    """
    _save_spec(folder, session)
    if not kept.epoch:
        (folder / WEIGHTS).unlink(missing_ok=True)
        return "No weights are saved, for no epoch had ended."
    _write(folder / WEIGHTS, kept.tensors, {})
    return f"The weights saved are those of epoch {kept.epoch}, the last that ended."


def _save_spec(folder: Path, session: Session) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "spec.json").write_text(session.spec.to_json(indent=2) + "\n", encoding="utf-8")


def checkpoint_of(session: Session, epochs: list[Event], notes: Sequence[str]) -> Checkpoint:
    """The weights and the optimiser's state after the last of ``epochs``, the very tensors.

    Args:
        notes: what earlier resumes have changed of the numbers, see `load_checkpoint`.
    """
    tensors = {f"model.{name}": value for name, value in session.model.state_dict().items()}
    for i, values in session.optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{i}.{name}": value for name, value in values.items() if value is not None}
    tensors |= {f"regulariser.{name}": value for name, value in session.regularisation.state().items()}
    told = [*map(lean, epochs[:-1]), epochs[-1]]  # the last whole: whoever was told the others may lack it
    metadata = {
        "spec": session.spec.to_json(),
        "epochs": json.dumps(told),
        "surroundings": json.dumps(surroundings(session.device)),
        "notes": json.dumps(list(notes)),
    }
    return Checkpoint(tensors, metadata)


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / CHECKPOINT, checkpoint.tensors, checkpoint.metadata)


def epochs_of(folder: Path) -> list[Event]:
    """The ``epoch`` events of the checkpoint in ``folder``, which `load_checkpoint` has read."""
    with safe_open(folder / CHECKPOINT, "pt") as file:
        epochs: list[Event] = json.loads(file.metadata()["epochs"])
    return epochs


def load_checkpoint(folder: Path, session: Session) -> tuple[list[Event], list[str]]:
    """Put a checkpoint's weights and optimiser state into ``session``.

    Returns:
        The epochs it has done, and a sentence for each time that the run was resumed in other surroundings,
        now among them: its numbers are no longer those of a run that was not cut.

    Raises:
        SpecError: there is no checkpoint, it can't be read, or it is of another spec.
    """
    path = folder / CHECKPOINT
    if not path.is_file():
        raise SpecError("--resume", f"there is no checkpoint in {folder}; run once without --resume.")
    try:
        with safe_open(path, "pt", device=str(session.device)) as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  no mapping
        if metadata.get("spec") != session.spec.to_json():
            raise SpecError("--resume", f"the checkpoint in {folder} is of another spec; give that one.")
        session.model.load_state_dict(_below("model.", tensors))
        session.regularisation.load_state(_below("regulariser.", tensors))
        _load_optimiser(session, tensors)
        epochs: list[Event] = json.loads(metadata["epochs"])
        if not epochs or [event["epoch"] for event in epochs] != list(range(1, len(epochs) + 1)):
            raise ValueError("not the epochs of a run")
        notes = [str(note)[:MAX_NOTE] for note in json.loads(metadata.get("notes", "[]"))]
        if "surroundings" in metadata:  # an older version did not write them
            before = json.loads(metadata["surroundings"])
            notes += changes(before, surroundings(session.device), len(epochs))
    except (SafetensorError, RuntimeError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, SpecError):
            raise
        raise SpecError("--resume", f"the checkpoint in {folder} can't be read; it is damaged.") from None
    return epochs, notes[:MAX_NOTES]


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names start with ``prefix``, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _load_optimiser(session: Session, tensors: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Any]] = {}
    for name, value in _below("optimiser.", tensors).items():
        i, field = name.split(".")
        state.setdefault(int(i), {})[field] = value
    groups = session.optimiser.state_dict()["param_groups"]
    session.optimiser.load_state_dict({"state": state, "param_groups": groups})
    # Fused optimisers pair raw memory: a moment must lie in it as its parameter does, channels_last too.
    for parameter, values in session.optimiser.state.items():
        for field, value in values.items():
            if value.shape == parameter.shape:
                values[field] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def _write(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Write beside and move into place, so that a crash leaves the old file or the new one."""
    beside = path.with_suffix(".part")
    save_file({name: value.detach().cpu().contiguous() for name, value in tensors.items()}, beside, metadata)
    beside.replace(path)
