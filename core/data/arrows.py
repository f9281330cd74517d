"""Arrows that point up, right, down or left: a set on which a flip makes the label a lie.

Each image has one arrow, of any colour on any colour, before clutter and under noise. Pixel by pixel an
arrow says nothing (it is as often dark on light as light on dark, and may lie anywhere), so a linear
model hardly beats chance; a small convolutional network learns it in a few epochs.

Shapes are drawn from their signed distances, so that edges come out antialiased: a pixel is covered by
``clamp(0.5 - distance)``. See Quilez, "2D distance functions", iquilezles.org/articles/distfunctions2d.
Drawing is NumPy, in one thread: in so many small steps, torch's threads wait for each other for seconds
wherever a run is busy beside them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.data.dataset import Dataset

if TYPE_CHECKING:
    import torch

Floats = NDArray[np.float32]

CLASSES = ("up", "right", "down", "left")
NUM_IMAGES = 4_000
SIDE = 32  # pixels
SEED = 20_250  # the set is the same on every machine
CLUTTER = 4  # lines and dots, at most, in one image
MIN_CONTRAST = 0.3  # between the arrow's and the background's luminance, of 1, at the image's middle
CHUNK = 40  # images drawn at a time: what lies between stays in the processor's cache
LUMINANCE = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # Rec. 601


@dataclass(frozen=True, slots=True)
class Scene:
    """What N images show, as N rows; lengths in pixels, x to the right and y down from the centre,
    angles in radians clockwise from "right", colours RGB in [0, 1]."""

    angle: Floats  # (N,)
    centre: Floats  # (N, 2)
    length: Floats  # (N,) tip to tail
    head: Floats  # (N, 2) length and half its width
    shaft: Floats  # (N,) half its width
    colour: Floats  # (N, 3)
    background: Floats  # (N, 2, 3) at the left and at the right edge
    clutter: Floats  # (N, CLUTTER, 5) ends x, y, x, y and half the width, below -1 for nothing
    clutter_colour: Floats  # (N, CLUTTER, 3)

    def __getitem__(self, rows: slice) -> Scene:
        return Scene(*(getattr(self, field.name)[rows] for field in fields(self)))


def arrows() -> Dataset:
    """4,000 colour images, (4000, 3, 32, 32), 1,000 a direction in turn. Takes about half a second."""
    import torch  # its generator made this set; another's would make another set

    random = torch.Generator().manual_seed(SEED)
    labels = np.arange(NUM_IMAGES, dtype=np.int64) % len(CLASSES)
    scene = draw_scenes(labels, random)
    noise = torch.randn((NUM_IMAGES, 3, SIDE, SIDE), generator=random).numpy()
    noise *= _between(0.0, 0.08, (NUM_IMAGES, 1, 1, 1), random)
    images = np.empty(noise.shape, dtype=np.uint8)
    for start in range(0, NUM_IMAGES, CHUNK):
        rows = slice(start, start + CHUNK)
        images[rows] = ((render(scene[rows]) + noise[rows]) * 255).round().clip(0, 255)
    return Dataset(images, labels, CLASSES)


def draw_scenes(labels: NDArray[np.int64], random: torch.Generator) -> Scene:
    """Random scenes in which arrow i points as ``labels[i]`` says, give or take 12 degrees."""
    num = len(labels)
    length = _between(13, 25, (num,), random)
    head = length[:, None] * np.stack(
        [_between(0.35, 0.5, (num,), random), _between(0.26, 0.36, (num,), random)], axis=1
    )
    room = SIDE / 2 - 1 - length[:, None] / 2  # the whole arrow is to be seen

    colour = _between(0, 1, (num, 3), random)
    background = _away_from(colour, random)[:, None] + _between(-0.15, 0.15, (num, 2, 3), random)

    ends = _between(-SIDE / 2, SIDE / 2, (num, CLUTTER, 4), random)
    ends[:, ::2, 2:] = ends[:, ::2, :2]  # every other one is a dot
    width = _between(0.3, 1.1, (num, CLUTTER, 1), random)
    width[:, ::2] += 0.6
    width[_between(0, 1, width.shape, random) < 0.2] = -2
    return Scene(
        angle=(labels - 1).astype(np.float32) * (math.pi / 2) + _between(-0.21, 0.21, (num,), random),
        centre=(_between(-1, 1, (num, 2), random) * room).astype(np.float32),
        length=length,
        head=head,
        shaft=head[:, 1] * _between(0.25, 0.5, (num,), random),
        colour=colour,
        background=background.clip(0, 1),
        clutter=np.concatenate([ends, width], axis=2),
        clutter_colour=_between(0, 1, (num, CLUTTER, 3), random),
    )


def render(scene: Scene) -> Floats:
    """The scenes without noise, (N, 3, SIDE, SIDE) in [0, 1]."""
    pixel = np.arange(SIDE, dtype=np.float32) - (SIDE - 1) / 2
    x, y = pixel[None, :], pixel[:, None]  # (1, SIDE) and (SIDE, 1): much is computed for these alone

    left, right = (scene.background[:, i, :, None, None] for i in (0, 1))  # (N, 3, 1, 1)
    image = (left + (x / SIDE + 0.5) * (right - left)).repeat(SIDE, axis=2)  # (N, 3, SIDE, SIDE)
    for item in range(CLUTTER):
        _paint(image, _line_distance(x, y, scene.clutter[:, item]), scene.clutter_colour[:, item])
    _paint(image, _arrow_distance(x, y, scene), scene.colour)
    return image


def _away_from(colour: Floats, random: torch.Generator) -> Floats:
    """A random colour for each of ``colour``, (N, 3), whose luminance is `MIN_CONTRAST` away or more."""
    other = _between(0, 1, colour.shape, random)
    near = np.abs(other @ LUMINANCE - colour @ LUMINANCE) < MIN_CONTRAST
    extreme = (colour @ LUMINANCE < 0.5)[:, None]  # white beside a dark colour, black beside a light one
    return np.where(near[:, None], other + 0.8 * (extreme - other), other).astype(np.float32)


def _between(low: float, high: float, shape: tuple[int, ...], random: torch.Generator) -> Floats:
    import torch

    return (low + (high - low) * torch.rand(shape, generator=random)).numpy()


def _paint(image: Floats, distance: Floats, colour: Floats) -> None:
    """``colour``, (N, 3), onto ``image`` where ``distance``, (N, SIDE, SIDE) in pixels, is inside."""
    cover = (0.5 - distance).clip(0, 1)[:, None]  # (N, 1, SIDE, SIDE)
    image += cover * (colour[:, :, None, None] - image)


def _line_distance(x: Floats, y: Floats, line: Floats) -> Floats:
    """Signed distance, (N, SIDE, SIDE), to round-ended lines (N, 5) of x, y, x, y and half a width."""
    ax, ay, bx, by, width = line.T[..., None, None]  # each (N, 1, 1)
    dx, dy = bx - ax, by - ay
    x, y = x - ax, y - ay  # from the first end: (N, 1, SIDE) and (N, SIDE, 1)
    squared = np.maximum(dx * dx + dy * dy, np.float32(1e-6))
    along = (x * (dx / squared) + y * (dy / squared)).clip(0, 1)  # (N, SIDE, SIDE)
    return np.sqrt((x - along * dx) ** 2 + (y - along * dy) ** 2) - width


def _arrow_distance(x: Floats, y: Floats, scene: Scene) -> Floats:
    """Signed distance, (N, SIDE, SIDE), to the arrows: a box and a triangle, as half-planes."""
    angle, length, shaft = (v[:, None, None] for v in (scene.angle, scene.length, scene.shaft))
    head, half = scene.head.T[..., None, None]
    x, y = x - scene.centre[:, 0, None, None], y - scene.centre[:, 1, None, None]
    along = x * np.cos(angle) + y * np.sin(angle)
    aside = np.abs(y * np.cos(angle) - x * np.sin(angle))

    neck = length / 2 - head  # where the shaft ends and the head begins
    box = np.maximum(np.maximum(-length / 2 - along, along - neck), aside - shaft)
    slope = ((along - length / 2) * half + aside * head) / np.hypot(head, half)
    return np.minimum(box, np.maximum(neck - along, slope))
