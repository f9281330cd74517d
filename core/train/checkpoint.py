"""What a run leaves on disk: its spec, its weights, and a checkpoint to go on from.

JSON and safetensors only: formats that can't carry code. No random state is kept, because every draw
is derived from the seed and a counter (`core.randomness`): a resumed run repeats the one that was
never interrupted, bit for bit.
"""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from core.catalogues import completed
from core.files import beside, put_in_place, write_text
from core.run.checkpoints import KEPT, LAST, edits_of, head, newest
from core.run.clock import Clock
from core.run.edits import Edit, apply, read_edits
from core.run.errors import SpecError
from core.run.events import Event, lean
from core.run.spec import RunSpec, parse
from core.train.evaluation import evaluation_weights
from core.train.position import Kept, Position, Sums
from core.train.session import Session
from core.train.surroundings import changes, surroundings

# What reading a file that is no whole checkpoint may raise.
DAMAGED = (SafetensorError, RuntimeError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
MAX_NOTES, MAX_NOTE = 5, 500  # the first say from where on the numbers are others
WEIGHTS = "weights.safetensors"
EDITS = "edits.json"


class Checkpoint(NamedTuple):
    """What a run can go on from."""

    tensors: dict[str, Tensor]
    metadata: dict[str, str]

    def copied(self) -> Checkpoint:
        """One that stays as it is whatever happens to the network."""
        return self._replace(tensors={name: value.clone() for name, value in self.tensors.items()})


def save(folder: Path, session: Session, position: Position) -> None:
    """Write ``spec.json``, ``weights.safetensors`` and, if there are some, ``edits.json`` into ``folder``,
    which is made if needed.

    The weights are those of the run's result, as they were judged: of the epoch that a regulariser chose, or
    of the last that ended. Before any has, they are as they are.
    """
    _save_spec(folder, position)
    kept = position.kept
    if kept is not None and kept.epoch and session.regularisation.chosen_epoch() is None:
        _write(folder / WEIGHTS, kept.tensors, {})
        return
    with evaluation_weights(session, max(len(position.epochs), 1)):
        session.regularisation.before_saving()
        _write(folder / WEIGHTS, session.model.state_dict(), {})


def save_failed(folder: Path, position: Position) -> str:
    """Write the same of a run that failed; returns a sentence that says which weights those are.

    If there are none, those that an earlier run left there go, for they are not of this spec.
    """
    _save_spec(folder, position)
    kept = position.kept
    if kept is None or not kept.epoch:
        (folder / WEIGHTS).unlink(missing_ok=True)
        return "No weights are saved, for no epoch had ended."
    _write(folder / WEIGHTS, kept.tensors, {})
    return f"The weights saved are those of epoch {kept.epoch}, the last that ended."


def _save_spec(folder: Path, position: Position) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "spec.json", position.spec.to_json(indent=2) + "\n")
    save_edits(folder, [*position.edits, *position.to_come])


def begin_anew(folder: Path, edits: Sequence[Edit]) -> None:
    """Remove the checkpoints of a run that was here before, and write the edits of the one that begins."""
    for path in (folder / LAST, *(folder / KEPT).glob("*.safetensors")):
        path.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):  # the disk is full: its first checkpoint will say so
        save_edits(folder, edits)


def save_edits(folder: Path, edits: Sequence[Edit]) -> None:
    """Write a run's edits, those made and then those to come, before it goes on by them: one that is killed
    makes them again, also those that no checkpoint knows."""
    if edits:
        write_text(folder / EDITS, json.dumps(edits, indent=2) + "\n")
    else:
        (folder / EDITS).unlink(missing_ok=True)


def saved_edits(folder: Path) -> list[Edit]:
    """What `save_edits` wrote; none if that can't be read."""
    try:
        return read_edits((folder / EDITS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []


def checkpoint_of(session: Session, position: Position, name: str = "") -> Checkpoint:
    """All that the run needs to go on from ``position``, the very tensors.

    Args:
        name: what a person calls it.
    """
    tensors = {f"model.{name}": value for name, value in session.model.state_dict().items()}
    for i, values in session.optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{i}.{name}": value for name, value in values.items() if value is not None}
    tensors |= {f"regulariser.{name}": value for name, value in session.regularisation.state().items()}
    epochs, sums, kept = position.epochs, position.sums, position.kept
    if sums.batches:  # within an epoch
        tensors |= {f"sums.{name}": value for name, value in sums.tensors().items()}
        tensors |= {f"kept.{name}": value for name, value in kept.tensors.items()} if kept else {}
    # The last epoch is whole: whoever was told the others may lack it.
    told = [*map(lean, epochs[:-1]), *epochs[-1:]]
    metadata = {
        "at": json.dumps({**position.at(session.clock), "name": name}),
        "spec": position.spec.to_json(),
        "clock": json.dumps(asdict(session.clock)),
        "begins_at": str(position.begins_at),
        "epochs": json.dumps(told),
        "batches": json.dumps({"batches": sums.batches, "images": sums.images}),
        "edits": json.dumps({"done": position.edits, "to_come": position.to_come}),
        "surroundings": json.dumps(surroundings(session.device, session.spec.train.processes)),
        "notes": json.dumps(list(position.notes)),
    }
    return Checkpoint(tensors, metadata)


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, checkpoint.tensors, checkpoint.metadata)


class Told(NamedTuple):
    """What a run had told by its checkpoint."""

    epochs: list[Event]  # its own, not those of a run that it branches from
    step: int  # as many are done
    edits: int  # as many are made


def told_by(folder: Path) -> Told:
    """What had been told by the checkpoint in ``folder`` that `load_checkpoint` has read."""
    path = newest(folder)
    assert path is not None
    metadata = head(path)
    epochs = json.loads(metadata["epochs"])
    batches = json.loads(metadata.get("batches", "{}")).get("batches", 0)
    own = [event for event in epochs if event["step"] > int(metadata.get("begins_at", 0))]
    return Told(own, (epochs[-1]["step"] if epochs else 0) + batches, len(edits_of(metadata)))


def load_checkpoint(folder: Path, session: Session) -> Position:
    """Put the weights and states of the newest whole checkpoint into ``session``, and make its edits.

    Returns:
        How far the run is. Its notes say so if it is now in other surroundings: then its numbers are no
        longer those of a run that was not cut.

    Raises:
        SpecError: there is no checkpoint, it can't be read, or it is of another spec.
    """
    path = newest(folder) or folder / LAST
    if not path.is_file():
        raise SpecError("--resume", f"there is no checkpoint in {folder}; run once without --resume.")
    try:
        checkpoint = read_checkpoint(path, session.device)
        spec, now = parse(checkpoint.metadata["spec"]), session.spec
        if _as_one_process(spec, now) == _as_one_process(now, spec):
            return _loaded(session, *checkpoint)
    except DAMAGED:
        raise SpecError("--resume", f"the checkpoint in {folder} can't be read; it is damaged.") from None
    raise SpecError("--resume", f"the checkpoint in {folder} is of another spec; give that one.")


def _as_one_process(spec: RunSpec, other: RunSpec) -> RunSpec:
    """What of ``spec`` must be as in ``other`` for the one to go on from the other: all but how many
    processes share its batches."""
    same: dict[str, Any] = {"processes": 1}
    if 1 in (spec.train.processes, other.train.processes):  # then nothing was, or is, exchanged
        same["gradient_precision"] = "float32"
    return spec.choices().model_copy(update={"train": spec.train.model_copy(update=same)})


def read_checkpoint(path: Path, device: torch.device) -> Checkpoint:
    """The checkpoint in a file; one of `DAMAGED` if it can't be read."""
    with safe_open(path, "pt", device=str(device)) as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  no mapping
        return Checkpoint(tensors, file.metadata() or {})


def shapes_to_go_on(folder: Path | None, start: Path | None) -> dict[str, tuple[int, ...]] | None:
    """The shapes of the network in the newest checkpoint in ``folder``, or in ``start``, from its head alone;
    None: there is none that can be read."""
    path = newest(folder) if folder is not None else start
    if path is None:
        return None
    try:
        with safe_open(path, "pt") as file:
            names = [name for name in file.keys() if name.startswith("model.")]  # noqa: SIM118  no mapping
            return {name.removeprefix("model."): tuple(file.get_slice(name).get_shape()) for name in names}
    except (OSError, *DAMAGED):
        return None


def _loaded(session: Session, tensors: dict[str, Tensor], metadata: dict[str, str]) -> Position:
    session.model.load_state_dict(below("model.", tensors))
    session.regularisation.load_state(below("regulariser.", tensors))
    load_optimiser(session, tensors)
    position = position_of(session, tensors, metadata)
    position.edits, position.to_come = edits_of(metadata), edits_of(metadata, "to_come")
    position.begins_at = int(metadata.get("begins_at", 0))
    for edit in position.edits:
        session.change(completed(apply(session.spec, edit)))
    position.notes = [str(note)[:MAX_NOTE] for note in json.loads(metadata.get("notes", "[]"))]
    if "surroundings" in metadata:  # an older version did not write them
        before = json.loads(metadata["surroundings"])
        now = surroundings(session.device, session.spec.train.processes)
        position.notes += changes(before, now, len(position.epochs))
        position.notes = position.notes[:MAX_NOTES]
    return position


def position_of(session: Session, tensors: dict[str, Tensor], metadata: dict[str, str]) -> Position:
    """How far the run was, without what has been said and edited; ``session`` takes its clock."""
    if "clock" in metadata:  # an older version had one batch size a run
        clock = Clock(**json.loads(metadata["clock"])).with_epochs(session.spec.train.epochs)
        if clock.images != session.clock.images or clock.batch_size < 1 or min(clock.epoch, clock.step) < 0:
            raise ValueError("of other images")
        session.clock = clock
    position = Position(session.spec, Sums.none(session))
    position.epochs = epochs = json.loads(metadata["epochs"])
    if not isinstance(epochs, list) or [each["epoch"] for each in epochs] != list(range(1, len(epochs) + 1)):
        raise ValueError("not the epochs of a run")
    counted = json.loads(metadata.get("batches", "{}"))  # an older version kept whole epochs only
    if counted.get("batches"):
        sums = below("sums.", tensors)
        position.sums = Sums(sums["losses"], sums["loss"], sums["correct"], **counted)
        if sums["loss"].numel() != 1 or not isinstance(position.sums.images, int):
            raise ValueError("not the sums of an epoch")
        if not 0 < position.sums.batches <= len(position.sums.losses) == session.clock.steps_per_epoch:
            raise ValueError("not the batches of an epoch")
        position.kept = Kept(len(epochs), below("kept.", tensors))
    return position


def below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names start with ``prefix``, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def load_optimiser(session: Session, tensors: dict[str, Tensor]) -> None:
    """Give the optimiser its state back."""
    state: dict[int, dict[str, Any]] = {}
    for name, value in below("optimiser.", tensors).items():
        i, field = name.split(".")
        state.setdefault(int(i), {})[field] = value
    groups = session.optimiser.state_dict()["param_groups"]
    for group in groups:
        if len({frozenset(state[i]) for i in group["params"] if i in state}) > 1:
            raise ValueError("not the same state of each parameter")
    session.optimiser.load_state_dict({"state": state, "param_groups": groups})
    # Fused optimisers pair raw memory: a moment must lie in it as its parameter does, channels_last too.
    for parameter, values in session.optimiser.state.items():
        for field, value in values.items():
            if value.shape == parameter.shape:
                values[field] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def _write(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Write beside, and move into place what is on the disk: a crash leaves the old file or the new one."""
    part = beside(path)
    try:
        save_file(
            {name: value.detach().cpu().contiguous() for name, value in tensors.items()}, part, metadata
        )
    except SafetensorError as error:  # it wraps what the system says
        part.unlink(missing_ok=True)
        raise _as_os_error(error) from error
    put_in_place(part, path)


def _as_os_error(error: SafetensorError) -> OSError:
    found = re.search(r"os error (\d+)", str(error))
    return OSError(int(found[1]) if found else errno.EIO, str(error))
