"""What the tabs of the Augment page look at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from core.preview.results import Preview, preview
from core.run.spec import AugmentSpec, RunSpec
from pages.features.images.images import Images


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

    @cached_property
    def shown(self) -> Preview:
        """The images after the pipeline.

        Raises:
            SpecError: an operation does not fit these images, or is out of bounds.
        """
        return preview(
            self.augment, self.images.tensor, seed=self.seed, step=self.step, images_key=self.images.digest
        )
