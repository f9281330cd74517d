"""A run as TensorBoard reads it: a folder with a file of events.

Both steps and epochs stand at the number of steps done, so that their lines lie over each other. Values are
TensorBoard's: 32-bit floats. A time is when the run started plus the seconds it had trained by then; of a
folder, which does not say when it started, the seconds alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from core.export.source import Asked, Source
from core.figures.epochs_csv import epoch_rows, identity

FILE = "events.out.tfevents.augury"  # TensorBoard looks for `tfevents` in a name
VERSION = "brain.Event:2"  # of the format, as the first event has it

Values = dict[str, float]  # by tag


def write(asked: Asked, folder: Path) -> None:
    """`FILE`, and ``spec.json``, which says what the run was asked to do."""
    run = asked.run
    began = (run.stored.started_at if run.stored else None) or 0.0
    steps, seconds = _clock(run)
    with (folder / FILE).open("wb") as file:
        records = RecordWriter(file)
        records.write(Event(wall_time=began, file_version=VERSION).SerializeToString())
        for step, values in sorted(scalars(run).items()):
            listed = [Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
            time = began + float(np.interp(step, steps, seconds))
            records.write(Event(wall_time=time, step=step, summary=Summary(value=listed)).SerializeToString())
    (folder / "spec.json").write_text(run.spec.to_json() + "\n", encoding="utf-8")


def scalars(run: Source) -> dict[int, Values]:
    """What is known after so many steps, by tag: ``step/loss``, ``step/learning_rate`` and the penalties;
    ``epoch/…`` with the columns of `core.figures.epochs_csv`. What was not measured has no value."""
    found = _of_steps(run)
    others = {"step", *identity(run.history, run.id, run.spec)}
    for row in epoch_rows(run.history, run.id, run.spec):
        values = {f"epoch/{name}": value for name, value in row.items() if name not in others}
        found.setdefault(row["step"], {}).update(_known(values))
    return found


def _of_steps(run: Source) -> dict[int, Values]:
    """The steps that the run told of, and the losses that its epochs kept of their batches. What it had told
    after a checkpoint that it went on from counts no more."""
    found: dict[int, Values] = {}
    for event in run.events:
        match event["event"]:
            case "resumed":
                found = {step: values for step, values in found.items() if step <= event["step"]}
            case "step":
                found.setdefault(event["step"], {}).update(_known(_told(event)))
            case "epoch" if batches := event.get("batch_losses"):
                for step, loss in zip(batches["steps"], batches["losses"], strict=True):
                    found.setdefault(step, {}).update(_known({"step/loss": loss}))
    return found


def _told(event: Mapping[str, Any]) -> dict[str, Any]:
    by_kind = (("penalty", event.get("penalties", {})), ("strength", event.get("strengths", {})))
    return {
        **{f"step/{name}": event[name] for name in ("loss", "learning_rate", "penalty")},
        **{f"step/{name}.{kind}": value for name, values in by_kind for kind, value in values.items()},
    }


def _known(values: Mapping[str, Any]) -> Values:
    return {tag: float(value) for tag, value in values.items() if value is not None}


def _clock(run: Source) -> tuple[list[int], list[float]]:
    """Steps, and the seconds that the run had trained by then."""
    epochs = run.history.epochs
    begins_at = (run.history.started or {}).get("begins_at", 0)
    seconds = accumulate((float(event["seconds"]) for event in epochs), initial=0.0)
    return [begins_at, *(event["step"] for event in epochs)], list(seconds)
