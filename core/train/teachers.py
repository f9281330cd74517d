"""The networks that a student learns from: they lie in its run's own folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from core.catalogues import completed
from core.models.fit import shapes_of
from core.regularise.catalogue import REGULARISERS
from core.regularise.distillation import Distillation
from core.run.errors import SpecError
from core.run.made import MOST_SOURCES, spec_of, weights_of
from core.run.spec import AugmentSpec, OptimiserSpec, RunSpec, parse
from core.train.session import Session, no_check, open_session


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Networks that are asked together, each with the images as it was trained to see them."""

    sessions: Sequence[Session]

    @torch.no_grad()
    def __call__(self, images: Tensor, temperature: float) -> Tensor:
        asked = [session.model(session.normalised(images)) for session in self.sessions]
        return torch.stack([(logits / temperature).softmax(1) for logits in asked]).mean(0)


def open_network(
    spec: RunSpec, weights: Path, device: str = "auto", check: Callable[[], None] = no_check
) -> Session:
    """A trained network, in evaluation mode, with its images. It is only asked, never trained: no pipeline,
    no penalties, any optimiser, and no bfloat16, which a CPU is slow at.

    Raises:
        SpecError: the images are gone; the weights can't be read, or are of another network.
    """
    asked = spec.train.model_copy(update={"device": device, "precision": "float32", "processes": 1})
    bare = {"augment": AugmentSpec(), "regularisers": (), "optimiser": OptimiserSpec(), "train": asked}
    try:
        state = load_file(weights)
    except (OSError, SafetensorError, RuntimeError):
        raise SpecError("", "The run's weights can't be read; train once more on these images.") from None
    session = open_session(completed(spec.model_copy(update=bare)), check, shapes_of(state))
    session.model.load_state_dict(state)
    session.model.eval()
    return session


def sources_in(folder: Path, device: str = "auto", check: Callable[[], None] = no_check) -> list[Session]:
    """The networks in a run's folder that it was given, in their order.

    Raises:
        SpecError: one can't be read.
    """
    found = []
    for number in range(MOST_SOURCES):
        if not (folder / weights_of(number)).is_file():
            break
        try:
            spec = parse((folder / spec_of(number)).read_bytes())
        except OSError:
            raise SpecError("from", "what the network was trained by can't be read.") from None
        found.append(open_network(spec, folder / weights_of(number), device, check))
    return found


def seat_teachers(session: Session, folder: Path | None) -> None:
    """Give a session's distillation its teachers, if it has one.

    Raises:
        SpecError: there are none, or they know other classes.
    """
    if not any(REGULARISERS[each.kind].taught for each in session.spec.regularisers):
        return
    teachers = sources_in(folder, str(session.device.type), session.check) if folder is not None else []
    if not teachers:
        raise SpecError(
            "regularisers",
            "distillation needs a teacher: open a finished run, and choose Compress and Distil there.",
        )
    classes = session.train.classes
    if any(each.train.classes != classes or each.train.side != session.train.side for each in teachers):
        raise SpecError("from", "a teacher must know the same classes, from images of the same size.")
    for regulariser in session.regularisation.of_type(Distillation):
        regulariser.teachers = Ensemble(teachers)
