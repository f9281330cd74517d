"""What the tabs of the Augment page look at."""

from __future__ import annotations

from dataclasses import dataclass

from core.preview import Preview
from core.spec import AugmentSpec, RunSpec
from pages.widgets.images import Images


@dataclass(frozen=True, slots=True)
class Look:
    """One pipeline on one batch of images, at one draw."""

    spec: RunSpec
    images: Images
    step: int
    shown: Preview

    @property
    def augment(self) -> AugmentSpec:
        return self.spec.augment

    @property
    def seed(self) -> int:
        return self.spec.seed
