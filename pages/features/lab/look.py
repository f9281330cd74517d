"""What the tabs of the Augment page look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.run.spec import AugmentSpec, RunSpec
from pages.features.frame.asking import ask
from pages.features.images.images import Images

DrawnOp = Mapping[str, Any]  # its title, whether it fired, and its values: label and value of each


@dataclass(frozen=True)
class Shown:
    """Results as data URIs, what was drawn for each, what each is called, and what it took."""

    pictures: Sequence[str]
    drawn: Sequence[Sequence[DrawnOp]]
    captions: Sequence[str]
    seconds: float
    device: str


@dataclass(frozen=True)
class Look:
    """One pipeline on one batch of images, at one draw."""

    spec: RunSpec
    images: Images
    step: int
    _answers: list[Shown] = field(default_factory=list, compare=False)

    @property
    def augment(self) -> AugmentSpec:
        return self.spec.augment

    @property
    def seed(self) -> int:
        return self.spec.seed_of("augment")

    @property
    def question(self) -> dict[str, Any]:
        """What most questions about this have in common."""
        return {"augment": self.augment, "source": self.images.source, "seed": self.seed, "step": self.step}

    @property
    def shown(self) -> Shown:
        """The images after the pipeline.

        Raises:
            SpecError: an operation does not fit these images, or is out of bounds.
        """
        # No `functools.cached_property`: in Python 3.11 it has one lock for the answers of all visitors.
        if not self._answers:
            self._answers.append(Shown(**ask("preview", **self.question)))
        return self._answers[0]
