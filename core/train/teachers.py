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
from core.regularise.distillation import UNTAUGHT, Distillation
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
        """Of images (B, C, S, S) in [0, 1] the mean of the softened probabilities, (B, num_classes); float32,
        also where a student is trained in bfloat16."""
        with torch.autocast(images.device.type, enabled=False):
            return self._asked(images, temperature)

    def _asked(self, images: Tensor, temperature: float) -> Tensor:
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
    return [
        open_network(spec, folder / weights_of(number), device, check)
        for number, spec in enumerate(specs_in(folder))
    ]


def specs_in(folder: Path) -> list[RunSpec]:
    """What the networks that lie in a run's folder were trained by.

    Raises:
        SpecError: one can't be read.
    """
    found = []
    for number in range(MOST_SOURCES):
        if not (folder / weights_of(number)).is_file():
            break
        try:
            found.append(parse((folder / spec_of(number)).read_bytes()))
        except OSError:
            raise SpecError("from", "what the network was trained by can't be read.") from None
    return found


def check_judges(sessions: Sequence[Session]) -> None:
    """Whether none of them was trained on images that judge another.

    Raises:
        SpecError: they keep different images for validation.
    """
    kept = [session.places.sort().values for session in sessions]
    if any(not torch.equal(kept[0], other) for other in kept[1:]):
        raise SpecError(
            "from",
            "the runs keep different images for validation, so one was trained on images that judge another; "
            "choose runs of one split: “another seed” of a run keeps its split, and so does data.split_seed.",
        )


def _form(session: Session) -> tuple[Sequence[str], int, int]:
    return session.train.classes, session.train.channels, session.train.side


def seat_teachers(session: Session, folder: Path | None) -> None:
    """Give a session's distillation its teachers, if it has one.

    Raises:
        SpecError: there are none, they know other classes, or were trained on images that judge the student.
    """
    if not any(REGULARISERS[each.kind].taught for each in session.spec.regularisers):
        return
    teachers = sources_in(folder, str(session.device.type), session.check) if folder is not None else []
    if not teachers:
        raise SpecError("regularisers", UNTAUGHT)
    if any(_form(each) != _form(session) for each in teachers):
        raise SpecError("from", "a teacher must know the same classes, from images of the same size.")
    check_judges([session, *teachers])
    for regulariser in session.regularisation.of_type(Distillation):
        regulariser.teachers = Ensemble(teachers)
