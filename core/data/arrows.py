"""Arrows that point up, right, down or left: a set on which a flip makes the label a lie.

Each image has one arrow, of any colour on any colour, before clutter and under noise. Pixel by pixel an
arrow says nothing (it is as often dark on light as light on dark, and may lie anywhere), so a linear
model hardly beats chance; a small convolutional network learns it in a few epochs.

Shapes are drawn from their signed distances, so that edges come out antialiased: a pixel is covered by
``clamp(0.5 - distance)``. See Quilez, "2D distance functions", iquilezles.org/articles/distfunctions2d.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import cache

import torch
from torch import Tensor

from core.data.dataset import Dataset
from core.randomness import generator

CLASSES = ("up", "right", "down", "left")
NUM_IMAGES = 4_000
SIDE = 32  # pixels
SEED = 20_250  # the set is the same on every machine
CLUTTER = 6  # lines and dots, at most, in one image
MIN_CONTRAST = 0.3  # between the arrow's and the background's luminance, of 1, at the image's middle
CHUNK = 400  # images drawn at a time, so that what lies between needs little memory
LUMINANCE = torch.tensor([0.299, 0.587, 0.114])  # Rec. 601


@dataclass(frozen=True, slots=True)
class Scene:
    """What N images show, as N rows; lengths in pixels, x to the right and y down from the centre,
    angles in radians clockwise from "right", colours RGB in [0, 1]."""

    angle: Tensor  # (N,)
    centre: Tensor  # (N, 2)
    length: Tensor  # (N,) tip to tail
    head: Tensor  # (N, 2) length and half its width
    shaft: Tensor  # (N,) half its width
    colour: Tensor  # (N, 3)
    background: Tensor  # (N, 2, 3) at the left and at the right edge
    clutter: Tensor  # (N, CLUTTER, 5) ends x, y, x, y and half the width, below -1 for nothing
    clutter_colour: Tensor  # (N, CLUTTER, 3)

    def __getitem__(self, rows: slice) -> Scene:
        return Scene(*(getattr(self, field.name)[rows] for field in fields(self)))


@cache
def arrows() -> Dataset:
    """4,000 colour images, (4000, 3, 32, 32), 1,000 a direction in turn. Takes about half a second, once."""
    random = generator(SEED)
    labels = torch.arange(NUM_IMAGES) % len(CLASSES)
    scene = _scene(labels, random)
    clean = torch.cat([draw(scene[i : i + CHUNK]) for i in range(0, NUM_IMAGES, CHUNK)])
    noise = torch.randn(clean.shape, generator=random) * _between(0.0, 0.08, (NUM_IMAGES, 1, 1, 1), random)
    return Dataset((clean + noise).mul(255).round().clamp(0, 255).byte(), labels, CLASSES)


def draw(scene: Scene) -> Tensor:
    """The scenes without noise, float32 (N, 3, SIDE, SIDE) in [0, 1]."""
    pixel = torch.arange(SIDE) - (SIDE - 1) / 2
    y, x = torch.meshgrid(pixel, pixel, indexing="ij")  # (SIDE, SIDE)

    across = (x / SIDE + 0.5)[None, None]  # (1, 1, SIDE, SIDE) 0 at the left, 1 at the right
    left, right = (colour[:, :, None, None] for colour in scene.background.unbind(dim=1))  # (N, 3, 1, 1)
    image = left + across * (right - left)
    for item in range(scene.clutter.shape[1]):
        distance = _line_distance(x, y, scene.clutter[:, item])
        image = _paint(image, distance, scene.clutter_colour[:, item])
    return _paint(image, _arrow_distance(x, y, scene), scene.colour)


def _scene(labels: Tensor, random: torch.Generator) -> Scene:
    """Random scenes in which arrow i points as ``labels[i]`` says, give or take 12 degrees."""
    num = len(labels)
    length = _between(13, 25, (num,), random)
    head = torch.stack(
        [length * _between(0.35, 0.5, (num,), random), length * _between(0.26, 0.36, (num,), random)], dim=1
    )
    room = SIDE / 2 - 1 - length[:, None] / 2  # whole arrows only, at any angle

    colour = torch.rand((num, 3), generator=random)
    background = _away_from(colour, random)
    drift = _between(-0.15, 0.15, (num, 2, 3), random)

    ends = _between(-SIDE / 2, SIDE / 2, (num, CLUTTER, 4), random)
    ends[:, ::2, 2:] = ends[:, ::2, :2]  # every other one is a dot
    width = _between(0.3, 1.1, (num, CLUTTER, 1), random)
    width[:, ::2] += 0.6
    absent = torch.rand((num, CLUTTER, 1), generator=random) < 0.4
    return Scene(
        angle=(labels - 1) * (math.pi / 2) + _between(-0.21, 0.21, (num,), random),
        centre=_between(-1, 1, (num, 2), random) * room,
        length=length,
        head=head,
        shaft=head[:, 1] * _between(0.25, 0.5, (num,), random),
        colour=colour,
        background=(background[:, None] + drift).clamp(0, 1),
        clutter=torch.cat([ends, width.masked_fill(absent, -2.0)], dim=2),
        clutter_colour=torch.rand((num, CLUTTER, 3), generator=random),
    )


def _away_from(colour: Tensor, random: torch.Generator) -> Tensor:
    """A random colour for each of ``colour``, (N, 3), whose luminance is `MIN_CONTRAST` away or more."""
    other = torch.rand(colour.shape, generator=random)
    gap = other @ LUMINANCE - colour @ LUMINANCE
    lighter = colour @ LUMINANCE < 0.5  # the side on which there is room for it
    near = gap.abs() < MIN_CONTRAST
    extreme = lighter.float()[:, None].expand_as(other)  # white, or black
    mixed = other + 0.8 * (extreme - other)
    return torch.where(near[:, None], mixed, other)


def _between(low: float, high: float, shape: tuple[int, ...], random: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(shape, generator=random)


def _paint(image: Tensor, distance: Tensor, colour: Tensor) -> Tensor:
    """``colour``, (N, 3), over ``image`` where ``distance``, (N, SIDE, SIDE) in pixels, is inside."""
    cover = (0.5 - distance).clamp(0, 1)[:, None]  # (N, 1, SIDE, SIDE)
    return torch.lerp(image, colour[:, :, None, None], cover)


def _line_distance(x: Tensor, y: Tensor, line: Tensor) -> Tensor:
    """Signed distance, (N, SIDE, SIDE), to round-ended lines (N, 5) of x, y, x, y and half a width."""
    ax, ay, bx, by, width = (column[:, None, None] for column in line.unbind(dim=1))
    dx, dy = bx - ax, by - ay
    along = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy).clamp(min=1e-6)
    along = along.clamp(0, 1)
    return torch.hypot(x - ax - along * dx, y - ay - along * dy) - width


def _arrow_distance(x: Tensor, y: Tensor, scene: Scene) -> Tensor:
    """Signed distance, (N, SIDE, SIDE), to the arrows: a box and a triangle, each as tight half-planes."""
    angle, length, shaft = (v[:, None, None] for v in (scene.angle, scene.length, scene.shaft))
    head, half = (v[:, None, None] for v in scene.head.unbind(dim=1))
    x, y = x - scene.centre[:, 0, None, None], y - scene.centre[:, 1, None, None]
    along = x * angle.cos() + y * angle.sin()
    aside = (y * angle.cos() - x * angle.sin()).abs()

    neck = length / 2 - head  # where the shaft ends and the head begins
    box = torch.maximum((along - (neck - length / 2) / 2).abs() - (neck + length / 2) / 2, aside - shaft)
    slope = ((along - length / 2) * half + aside * head) / torch.hypot(head, half)
    triangle = torch.maximum(neck - along, slope)
    return torch.minimum(box, triangle)
