"""The training loop: a spec in, a stream of events out.

The data lies on the device as one uint8 tensor; a batch is selected by index, augmented and
normalised there. There is no `DataLoader`: for small images its workers cost more than the step.
All randomness is derived from the seed and a counter (`core.randomness`), so the same spec gives the
same numbers in a page's thread, a worker process or on the command line.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from core import data, optimisers
from core.engine.control import Control
from core.engine.events import Event, State, state
from core.engine.filters import due, first_filters
from core.engine.pictures import sprite
from core.engine.saving import CHECKPOINT_SECONDS, load_checkpoint, save, save_checkpoint
from core.engine.session import Session, epoch_order, open_session
from core.errors import SpecError
from core.randomness import derive, private_draws
from core.regularise import sparsity
from core.spec import RunSpec
from core.vocabulary import complete

STEP_SECONDS = 0.1  # at most ten `step` events a second: a chart shows no more
BATCH_SECONDS = 1.0  # how often a watched run shows the images it is training on
SHOWN_IMAGES = 8
EVALUATION_BATCH = 256  # 10 % faster than 512 on a CPU, whose caches it fits


class DivergedError(Exception):
    """The loss stopped being a number."""


@dataclass(slots=True)
class Pace:
    """Says when something that happens at most every ``seconds`` is due; the first time always is."""

    seconds: float
    last: float = field(default=float("-inf"))

    def due(self) -> bool:
        now = time.perf_counter()
        if now - self.last < self.seconds:
            return False
        self.last = now
        return True


def run(
    spec: RunSpec,
    control: Control | None = None,
    *,
    out: Path | None = None,
    resume: bool = False,
    watch: bool = False,
) -> Iterator[Event]:
    """Train what ``spec`` describes, yielding events as they happen.

    Args:
        control: how to stop it; looked at once a batch.
        out: a folder for ``spec.json``, ``weights.safetensors`` (unless the run failed) and, every few
            seconds, a checkpoint.
        resume: go on from the checkpoint in ``out``.
        watch: also yield ``batch`` events, the very images of a step.

    Raises:
        SpecError: before the first event, if the spec can't be run. What goes wrong later (a loss that
            is no number, no memory left) ends the stream with the state ``failed`` and its reason.
    """
    spec = complete(spec)
    session = open_session(spec)
    epochs: list[Event] = []
    if resume:
        if out is None:
            raise SpecError("--resume", "it needs --out, the folder with the checkpoint.")
        epochs = load_checkpoint(out, session)
    yield state("running")
    yield _started(session)
    ended: State = "finished"
    reason = ""
    began, checkpoints = time.perf_counter(), Pace(CHECKPOINT_SECONDS)
    try:
        for event in _epochs(session, control or Control(), watch, first=len(epochs) + 1):
            if event["event"] == "epoch":
                epochs.append(event)
                if out is not None and checkpoints.due():
                    save_checkpoint(out, session, epochs)
            yield event
        if len(epochs) < spec.train.epochs:
            ended = "stopped"
    except DivergedError as error:
        ended, reason = "failed", str(error)
    except torch.OutOfMemoryError:
        ended = "failed"
        reason = (
            f"The device ran out of memory; try a batch size under {spec.train.batch_size}, "
            "smaller images or a narrower network."
        )
    if ended != "failed" and epochs:
        yield _finished(epochs, time.perf_counter() - began)
    if out is not None:
        save(out, session, weights=ended != "failed")
    yield state(ended, reason)


def _epochs(session: Session, control: Control, watch: bool, first: int) -> Iterator[Event]:
    spec, steps, batches = session.spec, Pace(STEP_SECONDS), Pace(BATCH_SECONDS)
    for epoch in range(first, spec.train.epochs + 1):
        began = time.perf_counter()
        train_loss, train_accuracy = yield from _train_epoch(
            session, epoch, control, steps, batches if watch else None
        )
        if control.stop.is_set():
            return
        seconds_training = time.perf_counter() - began
        validation_loss, validation_accuracy = evaluate(session, session.validation)
        if not math.isfinite(validation_loss):
            raise DivergedError(_advice(f"The validation loss became {validation_loss} after epoch {epoch}"))
        num_images = min(len(session.train.labels), session.steps_per_epoch * spec.train.batch_size)
        yield {
            "event": "epoch",
            "epoch": epoch,
            "step": epoch * session.steps_per_epoch,
            "train_loss": train_loss,
            "train_accuracy": train_accuracy,
            "validation_loss": validation_loss,
            "validation_accuracy": validation_accuracy,
            "penalty": session.regularisation.value(float(epoch)),
            "sparsity": sparsity(session.model),
            "filters": first_filters(session.model, session.train.channels)
            if due(epoch, spec.train.epochs)
            else None,
            "seconds": time.perf_counter() - began,
            "images_per_second": num_images / seconds_training,
        }


def _train_epoch(
    session: Session, epoch: int, control: Control, steps: Pace, batches: Pace | None
) -> Generator[Event, None, tuple[float, float]]:
    """One pass over the training images; returns their mean data loss and accuracy as the network saw
    them: augmented, with dropout, while it was changing. Of a mixed image the heaviest label counts."""
    spec, device = session.spec, session.device
    num_images, per_epoch = len(session.train.labels), session.steps_per_epoch
    order = epoch_order(spec, num_images, epoch).to(device)
    losses = torch.zeros(per_epoch, device=device)
    summed = torch.zeros((), dtype=torch.float64, device=device)
    correct = torch.zeros((), dtype=torch.int64, device=device)
    seen = 0
    session.model.train()
    for i in range(per_epoch):
        if control.stop.is_set():
            return 0.0, 0.0
        step = (epoch - 1) * per_epoch + i  # counts from 0; events count from 1
        index = order[i * spec.train.batch_size : (i + 1) * spec.train.batch_size]
        images, targets = session.batch(index, step)
        loss, logits = train_step(session, images, targets, step)
        losses[i] = loss
        summed += loss.double() * len(index)
        correct += (logits.argmax(1) == (targets if targets.ndim == 1 else targets.argmax(1))).sum()
        seen += len(index)
        report = steps.due()
        # On a CPU looking at a loss costs nothing; on a GPU it waits for the device, so look when reporting.
        if device.type == "cpu" or report or i == per_epoch - 1:
            _refuse_divergence(losses, i, step - i)
        if report:
            yield _step_event(session, step, float(loss))
        if batches and batches.due():
            yield _batch_event(session, images, index, step)
    return float(summed) / seen, int(correct) / seen


def train_step(session: Session, images: Tensor, targets: Tensor, step: int) -> tuple[Tensor, Tensor]:
    """One update of the weights; returns the data loss, without penalties, and the logits.

    Args:
        targets: labels (B,), or the share of each class (B, num_classes): the cross-entropy against
            shares λ of class a and 1 − λ of class b is λ·CE(a) + (1 − λ)·CE(b).
    """
    spec, optimiser = session.spec, session.optimiser
    epochs_done = step / session.steps_per_epoch
    rate = optimisers.learning_rate(spec.optimiser, step, session.num_steps)
    for group in optimiser.param_groups:
        group["lr"] = rate
    # Dropout draws from the global generator in the forward pass only; backward re-uses its masks.
    with private_draws(derive(spec.seed, "dropout", step), session.device), session.autocast():
        logits = session.model(session.normalised(images))
        loss = F.cross_entropy(logits, targets)
    penalty = session.regularisation.loss_term(epochs_done)
    optimiser.zero_grad(set_to_none=True)
    (loss if penalty is None else loss + penalty).backward()
    session.regularisation.step(optimiser, epochs_done)
    return loss.detach(), logits.detach()


def evaluate(session: Session, dataset: data.Dataset) -> tuple[float, float]:
    """Mean cross-entropy (nats) and accuracy (share) of the network on plain, unaugmented images."""
    session.model.eval()
    loss, correct = 0.0, 0
    with torch.inference_mode(), session.autocast():
        for images, labels in zip(
            dataset.images.split(EVALUATION_BATCH), dataset.labels.split(EVALUATION_BATCH), strict=True
        ):
            logits = session.model(session.normalised(images.float().div_(255)))
            loss += float(F.cross_entropy(logits, labels, reduction="sum"))
            correct += int((logits.argmax(1) == labels).sum())
    return loss / len(dataset.labels), correct / len(dataset.labels)


def _refuse_divergence(losses: Tensor, i: int, first_step: int) -> None:
    """Raise `DivergedError` at the first of the epoch's losses so far that is not a finite number."""
    if torch.isfinite(losses[i]) and (losses.device.type == "cpu" or losses[: i + 1].isfinite().all()):
        return
    bad = int((~losses[: i + 1].isfinite()).nonzero()[0])
    raise DivergedError(_advice(f"The loss became {float(losses[bad])} at step {first_step + bad + 1}"))


def _advice(what: str) -> str:
    return f"{what}; try a lower learning rate, or a weaker regulariser or augmentation."


def _started(session: Session) -> Event:
    return {
        "event": "started",
        "device": session.device.type,
        "device_name": (
            torch.cuda.get_device_name(session.device) if session.device.type == "cuda" else "CPU"
        ),
        "threads": torch.get_num_threads(),
        "parameters": sum(p.numel() for p in session.model.parameters()),
        "train_images": len(session.train.labels),
        "validation_images": len(session.validation.labels),
        "classes": list(session.train.classes),
        "epochs": session.spec.train.epochs,
        "steps_per_epoch": session.steps_per_epoch,
        "notes": list(session.train.notes),
    }


def _step_event(session: Session, step: int, loss: float) -> Event:
    epochs_done = (step + 1) / session.steps_per_epoch
    return {
        "event": "step",
        "step": step + 1,
        "epoch": epochs_done,
        "loss": loss,
        "penalty": session.regularisation.value(epochs_done),
        "learning_rate": session.optimiser.param_groups[0]["lr"],
    }


def _batch_event(session: Session, images: Tensor, index: Tensor, step: int) -> Event:
    shown = (images[:SHOWN_IMAGES] * 255).round().to(torch.uint8).cpu()
    labels = session.labels_in_words(index, step)[:SHOWN_IMAGES]
    return {
        "event": "batch",
        "step": step + 1,
        "images": sprite(shown),
        "count": len(labels),
        "labels": labels,
    }


def _finished(epochs: list[Event], seconds: float) -> Event:
    def figures(event: Event) -> Event:
        return {key: value for key, value in event.items() if key != "event"}

    best = max(epochs, key=lambda event: event["validation_accuracy"])
    return {
        "event": "finished",
        "epochs": len(epochs),
        "seconds": seconds,
        "best": figures(best),
        "last": figures(epochs[-1]),
    }
