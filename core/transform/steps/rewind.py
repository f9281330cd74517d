"""The weights that a run had after its first epochs: it is trained so far once more, and repeats itself."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor

from core.run.checkpoints import LAST
from core.run.errors import SpecError
from core.run.spec import RunSpec
from core.train import loop
from core.train.checkpoint import below, read_checkpoint
from core.train.session import Session


def early_weights(
    spec: RunSpec, epochs: int, session: Session, check: Callable[[], None]
) -> Mapping[str, Tensor]:
    """By name, on the device of ``session``.

    Args:
        spec: of the run, which had more epochs than these.
        check: raises `StoppedError` if it is to end.

    Raises:
        SpecError: it fails.
    """
    device = spec.train.model_copy(update={"device": session.device.type, "processes": 1})
    with tempfile.TemporaryDirectory(prefix="augury-rewind-") as folder:
        told = loop.run(spec.model_copy(update={"train": device}), out=Path(folder), until=epochs)
        for event in told:
            check()
            if event["event"] == "state" and event["state"] == "failed":
                raise SpecError(
                    "params.rewind_epochs", f"The beginning can't be trained again: {event['reason']}"
                )
        tensors, _ = read_checkpoint(Path(folder) / LAST, session.device)
    return below("model.", tensors)
