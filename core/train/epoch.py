"""One epoch: the training images once through, then a judgement of the network."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from torch import Tensor

from core.measure.calibration import calibration_error
from core.measure.flow import FlowMeter
from core.measure.named import named
from core.run.events import EpochEvent, Event, Penalties
from core.run.figures import MOST_COMPARED, Flow
from core.train.batching import batches
from core.train.clean import Clean, clean
from core.train.divergence import diverged
from core.train.evaluation import Judgement, evaluate, evaluation_weights
from core.train.measuring import measured
from core.train.pace import Pace
from core.train.position import Position, Sums
from core.train.reports import batch_event, batch_losses, penalties, step_event
from core.train.session import Session
from core.train.steering import Steering
from core.train.step import refuse_divergence, train_step
from core.train.strip import answers


@dataclass(slots=True)
class Telling:
    """How often steps are told, and the images of a batch; ``shown`` is None where nobody watches."""

    steps: Pace
    shown: Pace | None


def at_once(session: Session, *, last: bool) -> EpochEvent:
    """How good a network is before it is trained: an ``epoch`` event of epoch 0. What it is trained by is not
    known yet, so the training figures are those of plain training images.

    Args:
        last: it is not trained at all, so everything is measured.

    Raises:
        DivergedError: the loss is no finite number.
    """
    began = time.perf_counter()
    now = penalties(session, 0.0)
    with evaluation_weights(session, 0):
        judged = evaluate(session, session.validation)
        if not math.isfinite(judged.loss):
            raise diverged(session, f"The validation loss is {judged.loss} before any training", 0, 0)
        known = clean(session)
        event: EpochEvent = {
            "event": "epoch",
            "epoch": 0,
            "step": 0,
            "train_loss": known["clean_loss"],
            "train_accuracy": known["clean_accuracy"],
            **now,
            "validation_loss": judged.loss,
            "validation_accuracy": judged.accuracy,
            **known,
            **measured(session, 0, judged, last=last),
            "answers": answers(session.validation, judged),
            "seconds": 0.0,
            "images_per_second": 0.0,
        }
    _add_answers(event, session, judged)
    event["seconds"] = time.perf_counter() - began
    return event


def _add_answers(event: EpochEvent, session: Session, judged: Judgement) -> None:
    """Which images are right, what is taken for what, where that is kept, and whether the network is as sure
    as it is right."""
    event["calibration_error"] = calibration_error(judged.confidence, judged.correct)
    if len(judged.correct) <= MOST_COMPARED:
        event["right"] = judged.right
    num_classes = len(session.validation.classes)
    if matrix := named(session.validation.labels, judged.answers, num_classes):
        event["confusion"] = matrix


class Judged(Penalties, Clean):
    """The fields of an ``epoch`` event that say how good the network is."""

    epoch: int
    step: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float


def train_epoch(
    session: Session, position: Position, steering: Steering, telling: Telling
) -> Iterator[Event]:
    """Train the epoch after those that are done, from where ``position`` is in it, and judge the network;
    the last event is its ``epoch`` event.

    Raises:
        StoppedError: the run was asked to stop.
        DivergedError: a loss is no finite number.
    """
    began, waited, images = time.perf_counter(), steering.waited, position.sums.images
    batches_before = position.sums.batches
    flow = yield from _train(session, position, steering, telling)
    seconds = time.perf_counter() - began - (steering.waited - waited)
    rate = (position.sums.images - images) / seconds
    exchanged, trained = session.together.take_exchanged(), position.sums.batches - batches_before
    with session.together.judging():
        event = _judged(session, position)
    if exchanged is not None:
        event["exchanged_bytes"] = exchanged // max(1, trained)
    if flow is not None:
        event["flow"] = flow
    event["seconds"] = time.perf_counter() - began - (steering.waited - waited)
    event["images_per_second"] = rate
    position.epochs.append(event)
    position.sums = Sums.none(session)
    yield event


def _train(
    session: Session, position: Position, steering: Steering, telling: Telling
) -> Generator[Event, None, Flow | None]:
    """The batches that are left of an epoch; returns what the last of them did to each layer."""
    epoch = len(position.epochs) + 1
    before = session.clock.steps_by(epoch - 1)
    if begins := not position.sums.batches:
        yield from steering.before_step(before)  # another batch size is in force in this epoch already
        session.begin_epoch(epoch)
        position.sums = Sums.none(session)
    sums, per_epoch = position.sums, session.clock.steps_per_epoch
    # On a CPU looking at a loss costs nothing; on a GPU it waits for the device, so look when reporting.
    look = session.device.type == "cpu"
    session.model.train()
    session.together.tell({"epoch": epoch, "first": sums.batches})
    coming = batches(session, epoch, first=sums.batches)
    meter: FlowMeter | None = None
    while sums.batches < per_epoch:
        if not begins:
            yield from steering.before_step(before + sums.batches)
        begins = False
        session.together.tell({"step": before + sums.batches})  # they make their part while this one does
        batch = next(coming)
        meter = FlowMeter(session.weight_measures.layers) if sums.batches + 1 == per_epoch else None
        size = len(batch.index)
        loss, correct, _ = train_step(session, batch.images, batch.targets, batch.step, size=size, look=look)
        sums.add(loss, correct, size)
        report = telling.steps.due() or steering.single
        if not look and (report or sums.batches == per_epoch):
            refuse_divergence(session, sums.losses, sums.batches - 1, before)
        if report:
            yield _step_told(session, batch.step, loss, telling.steps)
        if telling.shown and (telling.shown.due() or steering.single):
            yield batch_event(session, batch.images, batch.index, batch.step)
    return meter.measure() if meter else None


def _step_told(session: Session, step: int, loss: Tensor, pace: Pace) -> Event:
    number = float(loss)  # on a GPU this waits for the steps that are under way; telling does not
    asked = time.perf_counter()
    event = step_event(session, step, number)
    pace.took(time.perf_counter() - asked)
    return event


def _judged(session: Session, position: Position) -> EpochEvent:
    """The epoch's event, but for its times; ``stop`` is there, and a sentence, if training should end here.
    ``position.kept`` takes the network."""
    spec, regularisation, sums = session.spec, session.regularisation, position.sums
    epoch = len(position.epochs) + 1
    session.together.tell({"trained": epoch / spec.train.epochs})
    regularisation.epoch_trained(epoch / spec.train.epochs)
    step = session.clock.steps_by(epoch)
    now = penalties(session, float(epoch))
    with evaluation_weights(session, epoch):
        judged = evaluate(session, session.validation)
        loss = judged.loss
        if not math.isfinite(loss):
            what = f"The validation loss became {loss} after epoch {epoch}, at step {step}"
            raise diverged(session, what, step - 1, step - 1)
        told: Judged = {
            "epoch": epoch,
            "step": step,
            "train_loss": float(sums.loss) / sums.images,
            "train_accuracy": int(sums.correct) / sums.images,
            **now,
            "validation_loss": loss,
            "validation_accuracy": judged.accuracy,
            **clean(session),
        }
        reason = regularisation.after_epoch(told)
        last = bool(reason) or epoch == spec.train.epochs
        event: EpochEvent = {
            "event": "epoch",
            **told,
            "batch_losses": batch_losses(sums.losses, step - sums.batches),
            **measured(session, epoch, judged, last=last),
            "answers": answers(session.validation, judged),
            "seconds": 0.0,
            "images_per_second": 0.0,
        }
        if position.kept is not None:  # at last: who stops while it is judged has the epoch before
            position.kept.take(session.model, epoch)
    _add_answers(event, session, judged)
    if acted := regularisation.acted():
        event["acted"] = acted
    if reason:
        event["stop"] = reason
    return event
