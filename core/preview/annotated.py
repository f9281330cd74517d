"""The bundled, annotated photographs through a pipeline, with what belongs to them moved along."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.augment.check import completed_augment
from core.augment.draws import DrawnOp
from core.augment.mixing import Mixer
from core.augment.pipeline import Pipeline
from core.augment.targets import apply_to_targets
from core.data.annotated import annotated
from core.data.tensors import as_tensors
from core.preview.overlay import describe, overlay
from core.run.spec import AugmentSpec, MixSpec

TRANSPLANTATION = "RandomTransplantation"  # the one mix that knows what masks are


@dataclass(frozen=True, slots=True)
class Moved:
    """Pictures with masks, boxes and key points drawn in: uint8 (N, 3, S, S), before and after.

    Args:
        names: of the photographs.
        alts: what is to be seen after, in words.
        drawn: what each operation did to each.
    """

    before: Tensor
    after: Tensor
    names: tuple[str, ...]
    alts: tuple[str, ...]
    drawn: tuple[tuple[DrawnOp, ...], ...]


@torch.no_grad()
def moved(
    spec: AugmentSpec, *, side: int, seed: int, step: int, draws_each: int = 2, transplant: bool = False
) -> Moved:
    """Each photograph ``draws_each`` times, after ``spec``.

    Args:
        side: in pixels.
        transplant: also move one object from each photograph, by its mask, into the next. Boxes and
            points, which no longer say what is where, are then left out.

    Raises:
        SpecError: an operation is out of bounds, or masks can't follow it.
    """
    spec = completed_augment(spec.model_copy(update={"mix": None}), 3)
    sample = as_tensors(annotated(side))
    places = list(range(len(sample.images))) * draws_each
    images, masks = sample.images[places], sample.masks[places]
    boxes, points = [sample.boxes[i] for i in places], [sample.points[i] for i in places]
    pipeline = Pipeline(spec, channels=3, side=side, seed=seed)
    draws = pipeline.draw(len(images), step)
    targets = apply_to_targets(spec, draws, images.float() / 255, masks, boxes, points)
    results, new_masks = targets.images, targets.masks
    new_boxes, new_points = list(targets.boxes), list(targets.points)
    seen, points_seen = list(targets.boxes_seen), list(targets.points_seen)
    if transplant:
        mix = completed_augment(AugmentSpec(mix=MixSpec(op=TRANSPLANTATION, p=1.0)), 3, has_masks=True).mix
        assert mix is not None
        mixer = Mixer(mix, channels=3, side=side, seed=seed)
        results, flat = mixer.apply_with_masks(results, new_masks[:, 0].long(), mixer.draw(len(images), step))
        new_masks = flat[:, None]
        seen = [torch.zeros_like(flags) for flags in seen]
        points_seen = [torch.zeros_like(flags) for flags in points_seen]
    pictures = results.mul(255).round_().to(torch.uint8)
    objects, dots = [sample.object_names[i] for i in places], [sample.point_names[i] for i in places]
    words = describe(objects, dots, seen, points_seen)
    return Moved(
        before=overlay(images, masks, boxes, points),
        after=overlay(pictures, new_masks, new_boxes, new_points, seen, points_seen),
        names=tuple(sample.photos[i].name for i in places),
        alts=("With an object of another photograph.",) * len(images) if transplant else words,
        drawn=tuple(tuple(draws.describe(i)) for i in range(len(images))),
    )
