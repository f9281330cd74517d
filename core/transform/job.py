"""Making a network of others, as a kind of job; and the beginning of a run that goes on from there."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from torch import Tensor

from core.catalogue import completed_params, imported, look_up
from core.run.commands import Control, StoppedError
from core.run.errors import SpecError
from core.run.events import Event, state
from core.run.inputs import checked_inputs
from core.run.made import Made
from core.run.spec import RunSpec
from core.train import loop
from core.train.teachers import check_judges, sources_in, specs_in
from core.transform.catalogue import TRANSFORMS
from core.transform.costs import costs
from core.transform.network import Sources


def run(spec: RunSpec, inputs: Mapping[str, Any], control: Control, out: Path | None) -> Iterator[Event]:
    """Make the network, measure it, and leave it in ``out``."""
    made = checked_inputs(Made, inputs)
    if out is None:
        raise SpecError("", "A network that is made of others needs a folder.")
    try:
        network = yield from begin(spec, made, control, out, epochs=0)
        events = loop.run(spec, control, out=out, network=network, trains=False)
        yield from with_costs(spec, events, control, out)
    except StoppedError:
        yield state("stopped", "It was stopped before it was done.")


def begin(
    spec: RunSpec, made: Made, control: Control, out: Path, epochs: int
) -> Generator[Event, None, Mapping[str, Tensor] | None]:
    """Tell what is done; returns the weights to begin with, or None: those that the spec draws.

    Raises:
        SpecError: the networks can't be read, or nothing can be made of them.
        StoppedError: it was asked to stop.
    """
    entry = look_up(TRANSFORMS, made.how, "inputs.how", "transform")
    params = completed_params(entry, made.params, "inputs.params")
    yield {"event": "progress", "done": 0, "of": 2, "what": "Opening the networks"}
    sessions = sources_in(out, spec.train.device, control.check)
    if len(sessions) < entry.fewest:
        raise SpecError("from", "the networks that it is made of are not there any more.")
    check_judges(sessions)
    yield {"event": "progress", "done": 1, "of": 2, "what": entry.title}
    network = imported(entry.makes)(
        Sources(sessions, spec.seed, epochs, control.check, specs_in(out)), params
    )
    for row in network.rows:
        yield {"event": "row", **row}
    yield {"event": "progress", "done": 2, "of": 2, "what": entry.title}
    found: Mapping[str, Tensor] | None = network.state
    return found


def begun_with(spec: RunSpec, made: Made, out: Path) -> Mapping[str, Tensor] | None:
    """The weights that `begin` has given a run, made once more.

    Raises:
        SpecError: as `begin`.
    """
    making = begin(spec, made, Control(), out, epochs=spec.train.epochs)
    while True:
        try:
            next(making)
        except StopIteration as ended:
            found: Mapping[str, Tensor] | None = ended.value
            return found


def with_costs(spec: RunSpec, events: Iterator[Event], control: Control, out: Path) -> Iterator[Event]:
    """The events of a run, and before its end what its network and those before it cost. Who stops it then
    has a network that is whole, and not measured."""
    for event in events:
        if event["event"] == "state" and event["state"] == "finished":
            with suppress(StoppedError):
                for row in costs(spec, out, control.check):
                    yield {"event": "row", **row}
        yield event
