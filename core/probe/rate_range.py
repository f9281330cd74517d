"""Which learning rate: one epoch in which it rises from tiny to huge, and the loss at each (Smith 2017).

The loss hardly moves while the rate is too small, falls while it is useful, and rises, or is no number any
more, once it is too large. The weights of such an epoch are worth nothing and are thrown away.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from core.run.commands import Control, StoppedError
from core.run.errors import SpecError
from core.run.events import Event, state
from core.run.inputs import checked_inputs
from core.run.spec import Part, RunSpec
from core.train.batching import batches
from core.train.divergence import DivergedError
from core.train.pace import Pace
from core.train.session import open_session
from core.train.step import train_step

ENOUGH = 4.0  # times the least smoothed loss: more is learnt of nothing
MEMORY = 0.9  # of the running mean
PROGRESS_SECONDS = 0.2


class Inputs(Part):
    """From which rate to which, over how many steps at most; an epoch has as many as it has batches."""

    low: Annotated[float, Field(gt=0, le=10)] = 1e-6
    high: Annotated[float, Field(gt=0, le=10)] = 1.0
    steps: Annotated[int, Field(ge=10, le=500)] = 100


def run(spec: RunSpec, inputs: Mapping[str, Any], control: Control, out: Path | None) -> Iterator[Event]:
    """Try the rates, as a job: a ``row`` a step, with its ``rate``, the batch's ``loss`` before the step, and
    ``smooth``, a running mean of it without the pull of its start.

    Raises:
        SpecError: the rates don't rise, or the spec can't be run.
    """
    asked = checked_inputs(Inputs, inputs)
    if not asked.low < asked.high:
        raise SpecError("inputs.low", "the first rate must be below the last.")
    spec = spec.model_copy(update={"train": spec.train.model_copy(update={"epochs": 1})})
    session = open_session(spec, control.check)
    per_epoch = session.clock.steps_per_epoch
    steps, pace = min(asked.steps, per_epoch), Pace(PROGRESS_SECONDS)
    if steps < 10:
        raise SpecError(
            "train.batch_size", f"an epoch has {per_epoch} batches, and 10 are needed; try smaller batches."
        )
    mean, least = 0.0, math.inf
    session.model.train()
    try:
        for i, batch in enumerate(batches(session, 1)):
            control.check()
            rate = asked.low * (asked.high / asked.low) ** (i / (steps - 1))
            chosen = spec.optimiser.model_copy(update={"lr": rate, "schedule": "constant"})
            session.spec = spec.model_copy(update={"optimiser": chosen})
            loss = train_step(session, batch.images, batch.targets, batch.step, look=True).loss
            mean = MEMORY * mean + (1 - MEMORY) * float(loss)
            smooth = mean / (1 - MEMORY ** (i + 1))
            least = min(least, smooth)
            yield {"event": "row", "rate": rate, "loss": float(loss), "smooth": smooth}
            if pace.due():
                yield {
                    "event": "progress",
                    "done": i + 1,
                    "of": steps,
                    "seconds_left": None,
                    "what": f"rate {rate:.1g}",
                }
            if i + 1 == steps or smooth > ENOUGH * least:
                break
    except StoppedError:
        yield state("stopped")
        return
    except DivergedError:
        pass  # the rate is too large: that is what was asked
    yield state("finished")
