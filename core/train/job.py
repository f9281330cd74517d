"""Training as a kind of job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from core.run.checkpoints import START, newest
from core.run.commands import Control
from core.run.events import Event
from core.run.inputs import checked_inputs
from core.run.spec import Part, RunSpec
from core.train import loop
from core.train.checkpoint import saved_edits


class Told(Part):
    """What a run is told beside its spec. A branch: which run it comes from, and how many of that one's steps
    it begins after; the checkpoint itself lies in its own folder. A run of a study: after how many epochs it
    waits to be promoted."""

    parent: Annotated[str, Field(pattern="^[0-9a-f]{32}$")] = ""
    step: Annotated[int, Field(ge=0)] = 0
    until: Annotated[int, Field(ge=1)] | None = None


def run(spec: RunSpec, inputs: Mapping[str, Any], control: Control, out: Path | None) -> Iterator[Event]:
    """Train ``spec``, from the newest checkpoint in ``out`` if it was begun before, and a branch from its
    start. Edits that were made before are made again. Somebody may watch: some batches' images are shown."""
    given = checked_inputs(Told, inputs)
    resume = out is not None and newest(out) is not None
    start = out / START if given.parent and out is not None else None
    edits = saved_edits(out) if out is not None and not resume else ()
    told: dict[str, Any] = {"watch": True, "resume": resume, "retell": True, "start": start, "edits": edits}
    return loop.run(spec, control, out=out, until=given.until, **told)
