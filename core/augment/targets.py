"""Masks, boxes and key points, moved as the images are by what was drawn for them.

One mechanism for every operation, a matrix, a crop or a bend alike: an image whose three channels are
each pixel's own x, its own y, and 1 goes through the very pipeline, with the same draws, but without the
operations that change values only. What comes out says for each pixel of the result where in the
original it was taken from, and, in the third channel, how much of it: the rest lies beyond the edge.
The first two come out weighted by it, as colours by their alpha, and are divided by it at the end.

Masks look up their nearest pixel there. Boxes and points ask the other way round, where a given place
went, and a mirror image beyond the edge would give them two answers; so they follow a pipeline in which
the edge is black and values between pixels are mixed, whatever the images show there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from kornia.augmentation import GeometricAugmentationBase2D
from kornia.augmentation.auto.operations import OperationBase
from torch import Tensor, nn

from core.augment.catalogue import OPERATIONS
from core.augment.draws import Draws, OpDraws
from core.augment.modules.per_image import PolicyPerImage
from core.augment.modules.policy_kinds import KINDS
from core.augment.pipeline import Pipeline
from core.run.spec import AugmentSpec

LEAST_SHARE = 0.1  # of a box's area; with no more of it left in the frame a box is out of sight
_FILLS = ("pad_value",)  # parameters that say only which value is seen beyond the edge,
_EDGES = ("padding_mode", "pad_mode", "resample")  # or what of the image is seen there and between pixels


@dataclass(frozen=True, slots=True)
class Targets:
    """A batch and its targets, moved together; coordinates as in `core.data.annotated`.

    Args:
        images: float (B, C, S, S) in [0, 1].
        masks: (B, 1, S, S), 0 where nothing of the original is seen.
        boxes: for each image float (M, 4), x0, y0, x1, y1: the hull of what is left of each box in the
            frame; zeros where it is out of sight.
        boxes_seen: for each image bool (M,): more than `LEAST_SHARE` of the box's area is in the frame.
        points: for each image float (K, 2), x, y; zeros where they are out of sight.
        points_seen: for each image bool (K,): the point is in the frame.
    """

    images: Tensor
    masks: Tensor
    boxes: tuple[Tensor, ...]
    boxes_seen: tuple[Tensor, ...]
    points: tuple[Tensor, ...]
    points_seen: tuple[Tensor, ...]


class _Origin(NamedTuple):
    """Where each pixel of one result comes from, as x and y (S, S) in the original, and how much of it
    is from there (S, S), from 0 to 1."""

    x: Tensor
    y: Tensor
    share: Tensor


@torch.no_grad()
def apply_to_targets(
    spec: AugmentSpec,
    draws: Draws,
    images: Tensor,
    masks: Tensor,
    boxes: Sequence[Tensor],
    points: Sequence[Tensor],
) -> Targets:
    """``images`` and what belongs to them after what a `Pipeline` of ``spec`` drew for them, on the CPU.

    Where only values change, a target comes back bit for bit.

    Args:
        spec: completed by `core.augment.check`. A mix of images comes after it and is left out.
        images: float (B, C, S, S) in [0, 1].
        masks: (B, 1, S, S), labels of any integer type.
        boxes: for each image float (M, 4); M may differ, and be 0.
        points: for each image float (K, 2); K may differ, and be 0.
    """
    batch, channels = images.shape[:2]
    results = _build(spec, channels, images).apply(images, draws)
    shown_spec, plain_spec = _with_defaults(spec, _FILLS), _with_defaults(spec, (*_FILLS, *_EDGES))
    pipeline, plain_pipeline = _build(shown_spec, 3, images), _build(plain_spec, 3, images)
    plain_pipeline.groups = pipeline.groups  # black edges everywhere would let more operations fuse
    kept = (_moves(op.module, drawn) for op, drawn in zip(pipeline.ops, draws.ops, strict=True))
    moves = Draws(batch, tuple(kept))
    shown = _origins(pipeline, moves, images)
    plain = shown if plain_spec == shown_spec else _origins(plain_pipeline, moves, images)

    moved_masks, moved_boxes, moved_points = [], [], []
    for i in range(batch):
        if not any(op.fired(i) for op in moves.ops):
            moved_masks.append(masks[i])
            moved_boxes.append((boxes[i], torch.ones(len(boxes[i]), dtype=torch.bool)))
            moved_points.append((points[i], torch.ones(len(points[i]), dtype=torch.bool)))
            continue
        moved_masks.append(_move_mask(masks[i], shown[i]))
        moved_boxes.append(_move_boxes(boxes[i], plain[i]))
        moved_points.append(_move_points(points[i], plain[i]))
    return Targets(
        results,
        torch.stack(moved_masks),
        *(tuple(part) for part in zip(*moved_boxes, strict=True)),
        *(tuple(part) for part in zip(*moved_points, strict=True)),
    )


def _with_defaults(spec: AugmentSpec, names: tuple[str, ...]) -> AugmentSpec:
    """``spec`` with the catalogue's defaults for parameters of these names; draws don't depend on them."""
    ops = []
    for op in spec.ops:
        defaults = {p.name: p.default for p in OPERATIONS[op.op].parameters if p.name in names}
        ops.append(op.model_copy(update={"params": {**op.params, **defaults}}))
    return spec.model_copy(update={"ops": tuple(ops)})


def _moves(module: nn.Module, drawn: OpDraws) -> OpDraws:
    """What was drawn for one operation, without what changes values only."""
    if drawn.params is None or drawn.entry.group == "geometric":
        return drawn
    if not isinstance(module, PolicyPerImage):
        return replace(drawn, params=None)
    kinds = [KINDS.index(type(part).__name__) for part in module.operations if _is_geometric(part)]
    picked = drawn.params["kind"]  # (B, steps)
    moves = torch.isin(picked, torch.tensor(kinds))
    own = {"kind": picked.where(moves, -1), "batch_prob": moves.any(1).float()}
    return replace(drawn, params={**drawn.params, **own})


def _is_geometric(part: OperationBase) -> bool:
    return isinstance(part.op, GeometricAugmentationBase2D)


def _build(spec: AugmentSpec, channels: int, images: Tensor) -> Pipeline:
    return Pipeline(spec, channels=channels, side=images.shape[-1], seed=0)


def _origins(pipeline: Pipeline, moves: Draws, images: Tensor) -> list[_Origin]:
    """Where each pixel of each result comes from."""
    side = images.shape[-1]
    # Pixels' middles, from 0 to 1 across the image: a pipeline cuts off what is beyond.
    middle = (torch.arange(side) + 0.5) / side
    places = torch.stack([middle.expand(side, side), middle[:, None].expand(side, side)])
    places = torch.cat([places, torch.ones_like(places[:1])])  # x, y, 1: (3, S, S)
    moved = pipeline.apply(places.repeat(len(images), 1, 1, 1), moves)
    share = moved[:, 2]
    x, y = (moved[:, :2] / share[:, None].clamp_min(1e-6) * side - 0.5).unbind(1)
    return [_Origin(*parts) for parts in zip(x, y, share, strict=True)]


def _move_mask(mask: Tensor, origin: _Origin) -> Tensor:
    """``mask`` (1, S, S), each pixel from the nearest to its origin."""
    last = mask.shape[-1] - 1
    columns, rows = (place.round().long().clamp(0, last) for place in (origin.x, origin.y))
    return mask[:, rows, columns] * (origin.share >= 0.5)


def _move_points(points: Tensor, origin: _Origin) -> tuple[Tensor, Tensor]:
    """Where ``points`` (K, 2) went, to a small part of a pixel, and whether that is in the frame.

    Around the pixel that comes from nearest to a point, a plane is fitted to where pixels lie over where
    they come from, those from near the point counting most: exact for affine maps, at the frame's edge
    and on both sides of a cut too.
    """
    side = origin.x.shape[-1]
    places = torch.stack([origin.x.flatten(), origin.y.flatten()])  # (2, S²)
    squares = torch.where(origin.share.flatten() > 0.999, places.square().sum(0), torch.inf)
    # Least |place − point|² is least |place|² − 2 place · point.
    nearest = torch.addmm(squares, points, places, alpha=-2).argmin(1)
    middle = torch.stack([nearest % side, nearest // side], 1)  # (K, 2)
    around = torch.cartesian_prod(*[torch.arange(-1, 2)] * 2)  # (9, 2)
    near = middle[:, None] + around  # (K, 9, 2)
    inside = ((near >= 0) & (near < side)).all(-1)
    index = (near.clamp(0, side - 1) * torch.tensor([1, side])).sum(-1)
    off = places.T[index].double() - points[:, None]  # (K, 9, 2)
    square = torch.where(inside & squares[index].isfinite(), off.square().sum(-1), torch.inf)
    # The fourth nearest is a neighbour at a corner of the frame still, and never beyond a cut.
    scale = square.sort(1).values[:, 3:4].clamp_min(1e-12)
    weight = torch.where(square.isfinite(), torch.exp(-square / scale), 0).sqrt()
    over = torch.cat([torch.ones_like(off[..., :1]), off], -1)  # (K, 9, 3)
    fit = torch.linalg.pinv(over * weight[..., None]) @ (around * weight[..., None])  # (K, 3, 2)
    shift = fit[:, 0]
    moved = (middle + shift).to(points)
    # A point that is really there lies beside that pixel, or comes from within a pixel of it.
    found = (shift.abs().amax(1) <= 1.5) | (square.amin(1) <= 1)
    framed = ((moved >= -0.501) & (moved <= side - 0.499)).all(1)
    seen = found & framed & square.isfinite().any(1)
    return torch.where(seen[:, None], moved, 0), seen


def _move_boxes(boxes: Tensor, origin: _Origin) -> tuple[Tensor, Tensor]:
    """The hull of what is left of each of ``boxes`` (M, 4) in the frame, and whether it is enough.

    A hull is spanned by the corners that are seen, and by where the outline passes between two pixels.
    """
    hulls, seen = torch.zeros_like(boxes), torch.zeros(len(boxes), dtype=torch.bool)
    side, area = origin.x.shape[-1], _area(origin)
    corners = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 2) - 0.5  # boxes are measured edge to edge
    moved, found = (part.split(4) for part in _move_points(corners, origin))
    x, y = (_wider(place) + 0.5 for place in (origin.x, origin.y))
    empty = _wider(origin.share) < 0.5
    for k, (x0, y0, x1, y1) in enumerate(boxes):
        depth = torch.stack([x - x0, x1 - x, y - y0, y1 - y]).amin(0)  # (S + 2, S + 2), 0 on the outline
        depth = depth.masked_fill(empty, -torch.inf)
        rest = area[depth[1:-1, 1:-1] >= 0].sum()
        seen[k] = rest > LEAST_SHARE * (x1 - x0) * (y1 - y0)
        if seen[k]:
            across, down = (moved[k][found[k]] + 0.5).unbind(1)
            across = torch.cat([across, _crossings(depth[1:-1])])
            down = torch.cat([down, _crossings(depth[:, 1:-1].T)])
            hulls[k] = torch.stack([across.min(), down.min(), across.max(), down.max()]).clamp(0, side)
    return hulls, seen


def _area(origin: _Origin) -> Tensor:
    """How much of the original's area each pixel of the result covers, (S, S), in its pixels."""
    x, y = (torch.where(origin.share >= 0.5, place, torch.nan) for place in (origin.x, origin.y))
    (x_down, x_across), (y_down, y_across) = torch.gradient(x), torch.gradient(y)
    return (x_across * y_down - x_down * y_across).abs().nan_to_num(0)


def _wider(place: Tensor) -> Tensor:
    """``place`` (S, S) with one more pixel on every side, in line with the two before it."""
    for _ in range(2):
        place = torch.cat([2 * place[:1] - place[1:2], place, 2 * place[-1:] - place[-2:-1]]).T
    return place


def _crossings(depth: Tensor) -> Tensor:
    """How far across, from edge to edge, ``depth`` (S, S + 2) passes 0 in any of its rows.

    Its first and last columns are beyond the frame and only tell where, between them and the frame's own
    first and last, it passes 0; where it does not, the frame's edges count.
    """
    ends = depth[:, [0, -1]].where(depth[:, [1, -2]] >= 0, -torch.inf)
    depth = torch.cat([ends[:, :1], depth[:, 1:-1], ends[:, 1:]], 1)
    left, right = depth[:, :-1], depth[:, 1:]
    rows, columns = ((left >= 0) != (right >= 0)).nonzero(as_tuple=True)
    left, right = left[rows, columns], right[rows, columns]
    between = torch.where((left - right).isfinite(), left / (left - right), 0.5)
    edges = (ends >= 0).any(0).nonzero().flatten() * (depth.shape[1] - 2)
    return torch.cat([columns - 0.5 + between, edges])
