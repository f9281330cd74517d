"""What the tabs of the Augment page look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
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

    @property
    def augment(self) -> AugmentSpec:
        return self.spec.augment

    @property
    def seed(self) -> int:
        return self.spec.seed

    @property
    def question(self) -> dict[str, Any]:
        """What most questions about this have in common."""
        return {"augment": self.augment, "source": self.images.source, "seed": self.seed, "step": self.step}

    @cached_property
    def shown(self) -> Shown:
        """The images after the pipeline.

        Raises:
            SpecError: an operation does not fit these images, or is out of bounds.
        """
        return Shown(**ask("preview", **self.question))
