"""Labels that geometry turns into others, shown without any model, where the classes' names say so.

A class called "left" that is mirrored is "right", and half a turn makes a "6" a "9". What an operation
does to directions is measured and not listed: three dots, one in the middle, one above it and one to
its right, go through the very draws that an image gets. So a rotation by 10° is found to do no harm,
and so is every operation that moves nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from core.augment.catalogue import OPERATIONS
from core.augment.check import completed_augment
from core.augment.draws import Draws
from core.augment.one_operation import alone, title
from core.augment.pipeline import Pipeline
from core.data.dataset import Dataset
from core.randomness import derive
from core.run.spec import AugmentSpec

DIRECTIONS = {"up": (0.0, -1.0), "right": (1.0, 0.0), "down": (0.0, 1.0), "left": (-1.0, 0.0)}  # x, y
HALF_TURNS = {"6": "9", "9": "6"}
NEAR = math.cos(math.radians(30))  # so far a direction may be from the one that it is read as
TRIED = 64  # images of which some may be changed
OFFSET, RADIUS = 0.2, 0.05  # of the dots: from the middle, and their deviation; of the side


@dataclass(frozen=True, slots=True)
class LabelChange:
    """An image whose label is wrong once it is augmented.

    Args:
        title: the operation's.
        before, after: uint8 (C, S, S).
        label, reads_as: the class that it has, and the one that it now shows.
    """

    title: str
    before: Tensor
    after: Tensor
    label: str
    reads_as: str


def examples(spec: AugmentSpec, dataset: Dataset, *, seed: int, count: int = 4) -> list[LabelChange]:
    """Up to ``count`` changes of each geometric operation that is switched on, alone and on every image;
    none where the names of the classes say nothing.

    Args:
        dataset: on the CPU.

    Raises:
        SpecError: an operation does not fit these images.
    """
    spec = completed_augment(spec, dataset.channels)
    telling = [i for i, name in enumerate(dataset.classes) if name in DIRECTIONS | HALF_TURNS]
    places = torch.isin(dataset.labels, torch.tensor(telling)).nonzero().flatten()[:TRIED]
    changes: list[LabelChange] = []
    for op in spec.ops if len(places) else ():
        if not op.enabled or OPERATIONS[op.op].group != "geometric":
            continue
        pipeline = Pipeline(
            alone(spec, op.model_copy(update={"p": 1.0})),
            channels=dataset.channels,
            side=dataset.side,
            seed=derive(seed, "readings"),
        )
        images = dataset.images[places]
        draws = pipeline.draw(len(images), 0)
        after = pipeline.apply(images.float().div_(255), draws).mul(255).round().to(torch.uint8)
        ups, rights = _axes(pipeline, draws)
        found: list[LabelChange] = []
        for i, label in enumerate(dataset.labels[places].tolist()):
            name = dataset.classes[label]
            reading = reads_as(name, ups[i].tolist(), rights[i].tolist())
            if reading != name and reading in dataset.classes:
                found.append(LabelChange(title(op), images[i], after[i], name, reading))
        changes += found[:count]
    return changes


def reads_as(name: str, up: Sequence[float], right: Sequence[float]) -> str:
    """What an image of class ``name`` shows once up and right have become these vectors, x and y (down);
    its own name where that is not clear."""
    if name in HALF_TURNS:
        mirrored = up[0] * right[1] - up[1] * right[0] < 0
        turned = up[1] > NEAR * math.hypot(*up)
        return HALF_TURNS[name] if turned and not mirrored else name
    x, y = DIRECTIONS[name]
    now = (x * right[0] - y * up[0], x * right[1] - y * up[1])
    for other, (towards_x, towards_y) in DIRECTIONS.items():
        if now[0] * towards_x + now[1] * towards_y > NEAR * math.hypot(*now):
            return other
    return name


def _axes(pipeline: Pipeline, draws: Draws) -> tuple[Tensor, Tensor]:
    """Where up and right point, (N, 2) as x and y, after what was drawn for each image; 0, 0 where a dot
    was lost."""
    channels, side, _ = pipeline.image_shape
    grid = torch.arange(side) - (side - 1) / 2
    moved = []
    for x, y in ((0.0, 0.0), DIRECTIONS["up"], DIRECTIONS["right"]):
        squared = (grid - side * OFFSET * x) ** 2 + (grid[:, None] - side * OFFSET * y) ** 2  # (S, S)
        dot = torch.exp(-squared / (2 * (side * RADIUS) ** 2))
        dots = pipeline.apply(dot.expand(draws.batch_size, channels, side, side), draws)[:, 0]  # (N, S, S)
        mass = dots.sum((1, 2))
        centre = torch.stack([dots.sum(1) @ grid, dots.sum(2) @ grid], dim=1) / mass[:, None]
        moved.append(torch.where((mass > dot.sum() / 8)[:, None], centre, torch.nan))
    middle, up, right = moved
    return (up - middle).nan_to_num(0), (right - middle).nan_to_num(0)
