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

from core.catalogues import completed
from core.optimise.catalogue import learning_rate
from core.randomness import derive, private_draws
from core.run.commands import Control
from core.run.errors import SpecError
from core.run.events import Event, State, state
from core.run.spec import RunSpec
from core.train.batching import batches
from core.train.checkpoint import (
    CHECKPOINT_SECONDS,
    Kept,
    checkpoint_of,
    load_checkpoint,
    save,
    save_checkpoint,
    save_failed,
)
from core.train.divergence import DivergedError, diverged
from core.train.evaluation import evaluate, evaluation_weights
from core.train.measuring import measured
from core.train.reports import batch_event, finished, penalties, started, step_event
from core.train.session import Session, open_session

STEP_SECONDS = 0.1  # at most ten `step` events a second: a chart shows no more
STEP_SHARE = 0.005  # of the time they may take: orthogonality takes 5 ms to tell, for the default CNN
BATCH_SECONDS = 1.0  # how often a watched run shows the images it is training on


@dataclass(slots=True)
class Pace:
    """Says when something that happens at most every ``seconds`` is due; the first time always is.

    Args:
        share: of the time that it may take, if that is told by `took`; in (0, 1].
    """

    seconds: float
    share: float = 1.0
    last: float = field(default=float("-inf"))

    def due(self) -> bool:
        now = time.perf_counter()
        if now - self.last < self.seconds:
            return False
        self.last = now
        return True

    def took(self, seconds: float) -> None:
        """What was due took so long; what was dear is due again later."""
        self.last += max(0.0, seconds / self.share - self.seconds)


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
        out: a folder for ``spec.json``, ``weights.safetensors`` (of a run that failed, those of the last
            epoch that ended) and, every few seconds, a checkpoint.
        resume: go on from the checkpoint in ``out``; of a run that had ended there is one event, a ``state``
            that says so, and nothing is written.
        watch: also yield ``batch`` events, the very images of a step.

    Raises:
        SpecError: before the first event, if the spec can't be run. What goes wrong later (a loss that
            is no number, no memory left) ends the stream with the state ``failed`` and its reason.
    """
    spec = completed(spec)
    session = open_session(spec)
    epochs: list[Event] = []
    notes: list[str] = []
    if resume:
        if out is None:
            raise SpecError("--resume", "it needs --out, the folder with the checkpoint.")
        epochs, notes = load_checkpoint(out, session)
        if _is_last(epochs[-1], spec):
            yield state("finished", _had_ended(epochs[-1], spec))
            return
    kept = Kept() if out is not None else None
    if kept is not None and epochs:
        with evaluation_weights(session, len(epochs)):
            kept.take(session.model, len(epochs))
    yield state("running")
    yield started(session, notes)
    ended: State = "finished"
    reason = ""
    began, checkpoints = time.perf_counter(), Pace(CHECKPOINT_SECONDS)
    try:
        for event in _epochs(session, control or Control(), watch, epochs, kept):
            if event["event"] == "epoch":
                epochs.append(event)
                if out is not None and not _is_last(event, spec) and checkpoints.due():
                    save_checkpoint(out, checkpoint_of(session, epochs, notes))
            yield event
        reason = epochs[-1].get("stop", "") if epochs else ""
        if len(epochs) < spec.train.epochs and not reason:
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
        yield finished(session, epochs, time.perf_counter() - began)
    if out is not None and kept is not None:
        if ended == "failed":
            reason = f"{reason} {save_failed(out, session, kept)}"
        else:
            reason = f"{reason} {_save_ended(out, session, epochs, notes, ended)}".strip()
    yield state(ended, reason)


def _save_ended(out: Path, session: Session, epochs: list[Event], notes: list[str], ended: State) -> str:
    """Write what a run leaves that did not fail; returns what there is to say of its weights."""
    # Written when the weights are, so that a run which is killed in between is resumed; taken before, for
    # `save` may put another network in the place of the last.
    last = checkpoint_of(session, epochs, notes).copied() if ended == "finished" else None
    saved = save(out, session, len(epochs))
    if last is not None:
        save_checkpoint(out, last)
    return "" if saved in (None, len(epochs)) else f"The weights saved are those of epoch {saved}, the best."


def _is_last(epoch: Event, spec: RunSpec) -> bool:
    """Whether an ``epoch`` event is the last of its run."""
    return "stop" in epoch or epoch["epoch"] == spec.train.epochs


def _had_ended(epoch: Event, spec: RunSpec) -> str:
    """Why there is nothing to resume after ``epoch``, the last."""
    if "stop" in epoch:
        return (
            f"The run had stopped early, after epoch {epoch['epoch']} of {spec.train.epochs}; "
            "nothing was trained now."
        )
    return f"The run was finished, after epoch {epoch['epoch']}; nothing was trained now."


def _epochs(
    session: Session, control: Control, watch: bool, done: list[Event], kept: Kept | None
) -> Iterator[Event]:
    """Train on after the epochs ``done``; the last ``epoch`` event says why, if it ends the run early."""
    steps, shown = Pace(STEP_SECONDS, STEP_SHARE), Pace(BATCH_SECONDS)
    for epoch in range(len(done) + 1, session.spec.train.epochs + 1):
        began = time.perf_counter()
        trained = yield from _train_epoch(session, epoch, control, steps, shown if watch else None)
        if control.stop.is_set():
            return
        event = _epoch_event(session, epoch, trained, began, kept)
        yield event
        if "stop" in event:
            return


def _epoch_event(
    session: Session, epoch: int, trained: tuple[float, float], began: float, kept: Kept | None
) -> Event:
    """Judge the network after epoch ``epoch``, which began at ``began`` and left ``trained``, its mean loss
    and accuracy; ``stop`` is there, and a sentence, if training should end here. ``kept`` takes the
    network."""
    spec, regularisation = session.spec, session.regularisation
    seconds_training = time.perf_counter() - began
    num_images = min(len(session.train.labels), session.steps_per_epoch * spec.train.batch_size)
    regularisation.epoch_trained(epoch / spec.train.epochs)
    event = {
        "event": "epoch",
        "epoch": epoch,
        "step": epoch * session.steps_per_epoch,
        "train_loss": trained[0],
        "train_accuracy": trained[1],
        **penalties(session, float(epoch)),
    }
    with evaluation_weights(session, epoch):
        judged = evaluate(session, session.validation)
        loss = judged.loss
        if not math.isfinite(loss):
            step = event["step"] - 1
            what = f"The validation loss became {loss} after epoch {epoch}, at step {step + 1}"
            raise diverged(session, what, step, step)
        if kept is not None:
            kept.take(session.model, epoch)
        event |= {"validation_loss": loss, "validation_accuracy": judged.accuracy}
        reason = regularisation.after_epoch(event)
        if reason:
            event["stop"] = reason
        event |= measured(session, epoch, judged, last=bool(reason) or epoch == spec.train.epochs)
    seconds = time.perf_counter() - began
    return event | {"seconds": seconds, "images_per_second": num_images / seconds_training}


def _train_epoch(
    session: Session, epoch: int, control: Control, steps: Pace, shown: Pace | None
) -> Generator[Event, None, tuple[float, float]]:
    """One pass over the training images; returns their mean data loss and accuracy as the network saw
    them: augmented, with dropout, while it was changing. Of a mixed image the heaviest label counts."""
    device, per_epoch = session.device, session.steps_per_epoch
    losses = torch.zeros(per_epoch, device=device)
    summed = torch.zeros((), dtype=torch.float64, device=device)
    correct = torch.zeros((), dtype=torch.int64, device=device)
    seen = 0
    # On a CPU looking at a loss costs nothing; on a GPU it waits for the device, so look when reporting.
    look = device.type == "cpu"
    session.model.train()
    for i, batch in enumerate(batches(session, epoch)):
        if control.stop.is_set():
            return 0.0, 0.0
        step, targets, size = batch.step, batch.targets, len(batch.index)
        loss, logits = train_step(session, batch.images, targets, step, look=look)
        losses[i] = loss
        summed += loss.double() * size
        correct += (logits.argmax(1) == (targets if targets.ndim == 1 else targets.argmax(1))).sum()
        seen += size
        report = steps.due()
        if not look and (report or i == per_epoch - 1):
            _refuse_divergence(session, losses, i, step - i)
        if report:
            number = float(loss)  # on a GPU this waits for the steps that are under way; telling does not
            asked = time.perf_counter()
            event = step_event(session, step, number)
            steps.took(time.perf_counter() - asked)
            yield event
        if shown and shown.due():
            yield batch_event(session, batch.images, batch.index, step)
    return float(summed) / seen, int(correct) / seen


def train_step(
    session: Session, images: Tensor, targets: Tensor, step: int, *, look: bool = False
) -> tuple[Tensor, Tensor]:
    """One update of the weights; returns the data loss, without penalties, and the logits.

    Args:
        targets: labels (B,), or the share of each class (B, num_classes): the cross-entropy against
            shares λ of class a and 1 − λ of class b is λ·CE(a) + (1 − λ)·CE(b).
        look: raise `DivergedError` if the data loss is no finite number, with the gradients of the step
            before still there.
    """
    spec, optimiser = session.spec, session.optimiser
    epochs_done = step / session.steps_per_epoch
    rate = learning_rate(spec.optimiser, step, session.num_steps)
    for group in optimiser.param_groups:
        group["lr"] = rate
    session.regularisation.begin_step(spec.seed, step, epochs_done)
    # Dropout draws from the global generator in the forward pass only; backward re-uses its masks.
    with private_draws(derive(spec.seed, "dropout", step), session.device), session.autocast():
        logits = session.model(session.normalised(images))
        smoothing = session.regularisation.label_smoothing(epochs_done)
        loss = F.cross_entropy(logits, targets, label_smoothing=smoothing)
    if look and not math.isfinite(number := float(loss.detach())):
        raise diverged(session, f"The loss became {number} at step {step + 1}", step, step - 1)
    penalty = session.regularisation.loss_term(epochs_done)
    optimiser.zero_grad(set_to_none=True)
    (loss if penalty is None else loss + penalty).backward()
    session.regularisation.step(optimiser, epochs_done)
    return loss.detach(), logits.detach()


def _refuse_divergence(session: Session, losses: Tensor, i: int, first_step: int) -> None:
    """Raise `DivergedError` at the first of the epoch's losses so far that is not a finite number."""
    if losses[: i + 1].isfinite().all():
        return
    bad = int((~losses[: i + 1].isfinite()).nonzero()[0])
    what = f"The loss became {float(losses[bad])} at step {first_step + bad + 1}"
    raise diverged(session, what, first_step + bad, first_step + i)
