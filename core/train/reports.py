"""What a run says of itself: its events, made from a session."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from core.regularise.catalogue import REGULARISERS
from core.run.events import (
    BatchEvent,
    Event,
    FinishedEvent,
    Penalties,
    ResumedEvent,
    StartedEvent,
    StepEvent,
    lean,
)
from core.run.figures import BatchLosses, Figures
from core.run.lines import ThinnedLine
from core.train.measuring import thorough_every
from core.train.outcome import warnings
from core.train.position import Position
from core.train.session import Session
from core.train.sprite import sprite
from core.train.strip import strip
from core.train.surroundings import surroundings

SHOWN_IMAGES = 8
EPOCH_POINTS = 100  # of an epoch's batches: a chart of it is some hundreds of pixels wide


def started(session: Session, notes: Sequence[str], begins_at: int = 0) -> StartedEvent:
    """How the run is set up; ``notes`` stand beside its own.

    Args:
        begins_at: steps that another run has done, which it branches from.
    """
    event: StartedEvent = {
        "event": "started",
        **surroundings(session.device, session.spec.train.processes),
        "device_name": (
            torch.cuda.get_device_name(session.device) if session.device.type == "cuda" else "CPU"
        ),
        "parameters": sum(p.numel() for p in session.model.parameters()),
        "train_images": len(session.train.labels),
        "validation_images": len(session.validation.labels),
        "classes": list(session.train.classes),
        "epochs": session.spec.train.epochs,
        "steps_per_epoch": session.clock.steps_per_epoch,
        "thorough_every": thorough_every(session),
        "notes": [*notes, *session.train.notes, *_notes(session)],
        "strip": strip(session.validation),
    }
    if begins_at:
        event["begins_at"], event["begins_epoch"] = begins_at, session.clock.epochs_done(begins_at)
    return event


def resumed(session: Session, position: Position) -> ResumedEvent:
    """Where a run goes on."""
    step = position.at(session.clock)["step"]
    epoch = session.clock.epochs_done(step)
    return {"event": "resumed", "step": step, "epoch": epoch, "edits": len(position.edits)}


def penalties(session: Session, epochs_done: float) -> Penalties:
    """The penalties' sum, each of them, and every strength, as they are after ``epochs_done`` epochs."""
    values = session.regularisation.values(epochs_done)
    return {
        "penalty": sum(values.values()),
        "penalties": values,
        "strengths": session.regularisation.strengths(epochs_done),
    }


def step_event(session: Session, step: int, loss: float) -> StepEvent:
    epochs_done = session.clock.epochs_done(step + 1)
    return {
        "event": "step",
        "step": step + 1,
        "epoch": epochs_done,
        "loss": loss,
        **penalties(session, epochs_done),
        "learning_rate": session.optimiser.param_groups[0]["lr"],
    }


def batch_event(session: Session, images: Tensor, index: Tensor, step: int) -> BatchEvent:
    shown = (images[:SHOWN_IMAGES] * 255).round().to(torch.uint8).cpu()
    labels = session.labels_in_words(index, step)[: len(shown)]
    return {
        "event": "batch",
        "step": step + 1,
        "images": sprite(shown),
        "count": len(labels),
        "labels": labels,
    }


def finished(
    session: Session, epochs: Sequence[Event], seconds: float, load_seconds: float = 0.0
) -> FinishedEvent:
    def figures(event: Event) -> Figures:
        return cast(Figures, {key: value for key, value in lean(event).items() if key != "event"})

    chosen = session.regularisation.chosen_epoch() or len(epochs)
    return {
        "event": "finished",
        "epochs": len(epochs),
        "seconds": seconds,
        "load_seconds": load_seconds,
        "result": figures(epochs[chosen - 1]),
        "last": figures(epochs[-1]),
        "warnings": _warnings(session, epochs[-1]),
    }


def _warnings(session: Session, last: Event) -> list[str]:
    return warnings(session.validation.labels, len(session.train.classes), session.spec.optimiser, last)


def _notes(session: Session) -> list[str]:
    """What the regularisers change about the figures, which nobody could guess from a chart."""
    specs = session.spec.regularisers
    num_classes, epochs = len(session.train.classes), session.spec.train.epochs
    entries = [REGULARISERS[each.kind] for each in specs]
    notes = [
        entry.note(each, num_classes, epochs)
        for entry, each in zip(entries, specs, strict=True)
        if entry.note is not None
    ]
    if any(entry.averages for entry in entries) and any(each.solver == "proximal" for each in specs):
        notes.append(
            "A mean of weights is exactly zero only where all of them were: expect fewer exact zeros than "
            "without averaging."
        )
    return notes


def batch_losses(losses: Tensor, before: int) -> BatchLosses:
    """The data loss of every batch of an epoch, thinned to at most `EPOCH_POINTS` lowest and highest.

    Args:
        losses: (steps,) of the epoch, nats; they travel from the device at once.
        before: steps that were done before the epoch.
    """
    thinned = ThinnedLine(EPOCH_POINTS)
    for step, loss in enumerate(losses.tolist(), before + 1):
        thinned.add(step, loss)
    steps, values = thinned.line()
    return {"steps": [int(step) for step in steps], "losses": list(values)}
