"""Training as a kind of job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from core.catalogue import imported
from core.run.checkpoints import START, newest
from core.run.commands import Control, StoppedError
from core.run.errors import SpecError
from core.run.events import Event, state
from core.run.inputs import checked_inputs
from core.run.made import Made, is_made
from core.run.spec import Part, RunSpec
from core.train import loop
from core.train.checkpoint import saved_edits

TRANSFORM_JOB = "core.transform.job"  # by its name: it lies above


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
    resume = out is not None and newest(out) is not None
    if is_made(inputs):
        yield from _made(spec, inputs, control, out, resume=resume)
        return
    given = checked_inputs(Told, inputs)
    start = out / START if given.parent and out is not None else None
    edits = saved_edits(out) if out is not None and not resume else ()
    told: dict[str, Any] = {"watch": True, "resume": resume, "retell": True, "start": start, "edits": edits}
    yield from loop.run(spec, control, out=out, until=given.until, **told)


def _made(
    spec: RunSpec, inputs: Mapping[str, Any], control: Control, out: Path | None, *, resume: bool
) -> Iterator[Event]:
    """The same of a network that is made of others' first; what it cost is told at its end."""
    until, told = inputs.get("until"), {name: each for name, each in inputs.items() if name != "until"}
    made = checked_inputs(Made, told)
    checked = checked_inputs(Told, {"until": until})
    if out is None:
        raise SpecError("", "A network that is made of others needs a folder.")
    begin, with_costs = imported(f"{TRANSFORM_JOB}:begin"), imported(f"{TRANSFORM_JOB}:with_costs")
    try:
        network = None
        if not resume:
            network = yield from begin(spec, made, control, out, epochs=spec.train.epochs)
    except StoppedError:
        yield state("stopped", "It was stopped before training began.")
        return
    events = loop.run(
        spec, control, out=out, watch=True, resume=resume, retell=True, network=network, until=checked.until
    )
    yield from with_costs(spec, events, control, out)
