"""How far a run is: what it must know to go on, beside its network, optimiser and regularisers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from core.run.clock import Clock
from core.run.edits import Edit
from core.run.events import Event
from core.run.spec import RunSpec
from core.train.session import Session


@dataclass(slots=True)
class Sums:
    """What the batches of one epoch add up to, as the network saw them while it was changing."""

    losses: Tensor  # (steps_per_epoch,), of each batch; 0 for those to come
    loss: Tensor  # of all images, float64
    correct: Tensor  # images, int64
    batches: int = 0
    images: int = 0

    @classmethod
    def none(cls, session: Session) -> Sums:
        device = session.device
        return cls(
            torch.zeros(session.clock.steps_per_epoch, device=device),
            torch.zeros((), dtype=torch.float64, device=device),
            torch.zeros((), dtype=torch.int64, device=device),
        )

    def add(self, loss: Tensor, correct: Tensor, images: int) -> None:
        """Count a batch of so many images: its mean loss, and how many were named rightly."""
        self.losses[self.batches] = loss
        self.loss += loss.double() * images
        self.correct += correct
        self.batches += 1
        self.images += images

    def tensors(self) -> dict[str, Tensor]:
        return {"losses": self.losses, "loss": self.loss, "correct": self.correct}


@dataclass(slots=True)
class Kept:
    """A copy of the network as it was judged after the last epoch that ended, for a run that fails later."""

    epoch: int = 0  # 0: none has ended
    tensors: dict[str, Tensor] = field(default_factory=dict)

    def take(self, model: nn.Module, epoch: int) -> None:
        self.epoch = epoch
        self.tensors = {name: value.clone() for name, value in model.state_dict().items()}


@dataclass(slots=True)
class Position:
    """How far a run is.

    Attributes:
        spec: that the run began with, before any edit.
        sums: of the epoch that is trained now; empty between two epochs.
        epochs: its ``epoch`` events.
        notes: what earlier resumes have changed of the numbers, see `core.train.surroundings.changes`.
        edits: that have taken effect; ``to_come`` those that wait for their step, in order.
        kept: the network after the last epoch; None: nobody asked for one.
        begins_at: how many of its steps another run has done, which it branches from.
    """

    spec: RunSpec
    sums: Sums
    epochs: list[Event] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    to_come: list[Edit] = field(default_factory=list)
    kept: Kept | None = None
    begins_at: int = 0

    def at(self, clock: Clock) -> dict[str, Any]:
        """What a checkpoint says of where it is, see `core.run.checkpoints.Found`."""
        epochs, batches = len(self.epochs), self.sums.batches
        return {"step": clock.steps_by(epochs) + batches, "epochs": epochs, "within": batches > 0}

    def ended(self, epochs: int) -> bool:
        """Whether the last epoch is the last of a run of ``epochs``."""
        return len(self.epochs) >= epochs or (bool(self.epochs) and "stop" in self.epochs[-1])
