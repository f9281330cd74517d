"""Which checkpoints a run has on disk: read from the heads of their files, without torch.

``checkpoint.safetensors`` is the newest, to resume from; ``checkpoints/`` holds those that are kept to branch
from: one every few epochs, the best so far, and what a person asked for.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from core.run.commands import MAX_NAME
from core.run.edits import Edit, apply, read_edits
from core.run.errors import SpecError
from core.run.spec import RunSpec, parse

LAST, KEPT = "checkpoint.safetensors", "checkpoints"
START = "start.safetensors"  # of a branch: where it begins
BEST = "best.safetensors"
MAX_HEAD_BYTES = 32 * 2**20  # a thousand lean epochs and a whole one take 3 MB


# What reading a head that somebody else wrote may raise.
UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)


class Found(NamedTuple):
    """A checkpoint on disk.

    Args:
        step: so many steps were done; ``epochs``: so many whole epochs.
        within: whether it lies within an epoch.
        name: what a person called it; else empty.
        best: whether its epoch was the best of those that were kept.
    """

    path: Path
    step: int
    epochs: int
    within: bool
    name: str
    best: bool

    @property
    def in_words(self) -> str:
        """E.g. ``after epoch 6``, with its name, if it has one."""
        where = (
            f"in epoch {self.epochs + 1}, step {self.step:,}" if self.within else f"after epoch {self.epochs}"
        )
        marks = [*([self.name] if self.name else []), *(["best"] if self.best else [])]
        return f"{where} ({', '.join(marks)})" if marks else where


def head(path: Path) -> dict[str, str]:
    """What a checkpoint, which is whole, says of itself.

    Raises:
        One of `UNREADABLE`: it is none, or it can't be read.
    """
    with path.open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 2 <= length <= MAX_HEAD_BYTES:
            raise ValueError("no safetensors file")
        found = json.loads(file.read(length))
        size = os.fstat(file.fileno()).st_size
    metadata = found.pop("__metadata__") if isinstance(found, dict) else None
    if not isinstance(metadata, dict) or "spec" not in metadata:
        raise ValueError("no checkpoint")
    if size != 8 + length + max((each["data_offsets"][1] for each in found.values()), default=0):
        raise ValueError("a part of it is missing")
    return {str(name): str(value) for name, value in metadata.items()}


def found(folder: Path) -> list[Found]:
    """The checkpoints of the run in ``folder``, in the order of their steps, each step once; those that can't
    be read are left out."""
    paths = [*sorted((folder / KEPT).glob("*.safetensors")), folder / LAST]
    read = [each for path in paths if (each := _found(path)) is not None]
    by_step: dict[int, Found] = {}
    for each in read:
        other = by_step.get(each.step)
        by_step[each.step] = each if other is None else other._replace(best=other.best or each.best)
    return [by_step[step] for step in sorted(by_step)]


def _found(path: Path) -> Found | None:
    try:
        at = json.loads(head(path)["at"])
        step, epochs, within, name = at["step"], at["epochs"], bool(at["within"]), str(at.get("name", ""))
        return Found(path, int(step), int(epochs), within, name[:MAX_NAME], path.name == BEST)
    except UNREADABLE:
        return None


def newest(folder: Path) -> Path | None:
    """The newest checkpoint of the run in ``folder`` that is whole; None: there is none."""
    if _found(folder / LAST) is not None:
        return folder / LAST
    kept = found(folder)
    return kept[-1].path if kept else None


def after_epoch(folder: Path, epoch: int) -> Path:
    """The checkpoint of the run in ``folder`` from which one goes on after epoch ``epoch``.

    Raises:
        SpecError: there is none.
    """
    whole = [each for each in found(folder) if not each.within]
    for each in whole:
        if each.epochs == epoch:
            return each.path
    known = ", ".join(str(each.epochs) for each in whole) or "none"
    raise SpecError("--from", f"no checkpoint is kept of epoch {epoch}; there are: {known}.")


def edits_of(metadata: Mapping[str, Any], which: str = "done") -> list[Edit]:
    """The edits that a run had made by its checkpoint; those ``to_come`` likewise."""
    return read_edits(json.loads(str(metadata.get("edits", "{}"))).get(which, []))


def spec_of(metadata: Mapping[str, Any]) -> RunSpec:
    """The spec that a run had at its checkpoint, edits and all."""
    spec = parse(str(metadata["spec"]))
    for edit in edits_of(metadata):
        spec = apply(spec, edit)
    return spec
