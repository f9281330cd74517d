"""Training as a kind of job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from core.run.checkpoints import LAST, START
from core.run.commands import Control
from core.run.events import Event
from core.run.inputs import checked_inputs
from core.run.spec import Part, RunSpec
from core.train import loop


class Branched(Part):
    """What a branch is told: which run it comes from, and how many of that one's steps it begins after. The
    checkpoint itself lies in its own folder."""

    parent: Annotated[str, Field(pattern="^[0-9a-f]{32}$")] = ""
    step: Annotated[int, Field(ge=0)] = 0


def run(spec: RunSpec, inputs: Mapping[str, Any], control: Control, out: Path | None) -> Iterator[Event]:
    """Train ``spec``, from the checkpoint that ``out`` holds if it was begun before, and from its start if it
    branches from another run. Somebody may watch, so the images of some batches are shown."""
    branched = checked_inputs(Branched, inputs)
    resume = out is not None and (out / LAST).is_file()
    start = out / START if branched.parent and out is not None else None
    return loop.run(spec, control, out=out, watch=True, resume=resume, retell=True, start=start)
