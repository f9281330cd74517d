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
from torch import Tensor

from core.augment.catalogue import CATALOGUE
from core.augment.draws import Draws
from core.augment.pipeline import Pipeline
from core.errors import SpecError
from core.spec import AugmentSpec, OpSpec

LEAST_SHARE = 0.1  # of a box's area; with less of it left in the frame a box is out of sight
_EDGES = ("padding_mode", "resample")  # parameters that say only what is seen beyond and between pixels


@dataclass(frozen=True, slots=True)
class Targets:
    """A batch and its targets, moved together; coordinates as in `core.data.annotated`.

    Args:
        images: float (B, C, S, S) in [0, 1].
        masks: (B, 1, S, S), 0 where nothing of the original is seen.
        boxes: for each image float (M, 4), x0, y0, x1, y1: the hull of what is left of each box in the
            frame; zeros where it is out of sight.
        boxes_seen: for each image bool (M,): at least `LEAST_SHARE` of the box's area is in the frame.
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
    """``images`` and what belongs to them after what a `Pipeline` of ``spec`` drew for them.

    Args:
        spec: completed by `core.augment.check`. A mix of images comes after it and is left out.
        images: float (B, C, S, S) in [0, 1].
        masks: (B, 1, S, S), labels of any integer type.
        boxes: for each image float (M, 4); M may differ, and be 0.
        points: for each image float (K, 2); K may differ, and be 0.

    Raises:
        SpecError: a policy is among the operations: which part of it moves pixels can't be told.
    """
    _refuse_policies(spec)
    batch, channels = images.shape[:2]
    results = _build(spec, channels, images).apply(images, draws)
    shown = _origins(spec, draws, images)
    plain_spec = spec.model_copy(update={"ops": tuple(_plain(op) for op in spec.ops)})
    plain = shown if plain_spec == spec else _origins(plain_spec, draws, images)

    moved_masks, moved_boxes, moved_points = [], [], []
    for i in range(batch):
        if not any(op.entry.group == "geometric" and op.fired(i) for op in draws.ops):
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


def _refuse_policies(spec: AugmentSpec) -> None:
    for i, op in enumerate(spec.ops):
        if op.enabled and CATALOGUE[op.op].group not in ("geometric", "intensity"):
            raise SpecError(
                f"augment.ops[{i}].op",
                f"{op.op} picks among operations of both kinds, so masks, boxes and key points can't follow "
                "it; switch it off, or look at the images alone.",
            )


def _plain(op: OpSpec) -> OpSpec:
    """``op``, black beyond the edge and mixing between pixels: the catalogue's defaults. What is drawn
    for it does not depend on them."""
    defaults = {p.name: p.default for p in CATALOGUE[op.op].parameters if p.name in _EDGES}
    return op.model_copy(update={"params": {**op.params, **defaults}})


def _build(spec: AugmentSpec, channels: int, images: Tensor) -> Pipeline:
    return Pipeline(spec, channels=channels, side=images.shape[-1], seed=0, device=images.device)


def _origins(spec: AugmentSpec, draws: Draws, images: Tensor) -> list[_Origin]:
    """Where each pixel of each result comes from."""
    side = images.shape[-1]
    still = (op if op.entry.group == "geometric" else replace(op, params=None) for op in draws.ops)
    # Pixels' middles, from 0 to 1 across the image: a pipeline cuts off what is beyond.
    middle = (torch.arange(side, device=images.device) + 0.5) / side
    places = torch.stack([middle.expand(side, side), middle[:, None].expand(side, side)])
    places = torch.cat([places, torch.ones_like(places[:1])])  # x, y, 1: (3, S, S)
    moved = _build(spec, 3, images).apply(
        places.repeat(len(images), 1, 1, 1), replace(draws, ops=tuple(still))
    )
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
    dx, dy = (
        place - at.view(-1, 1, 1) for place, at in zip((origin.x, origin.y), points.unbind(1), strict=True)
    )
    whole = origin.share > 0.999
    squares = torch.where(whole, dx.square() + dy.square(), torch.inf)  # (K, S, S)
    nearest = squares.flatten(1).argmin(1)
    middle = torch.stack([nearest % side, nearest // side], 1)  # (K, 2)
    around = torch.cartesian_prod(*[torch.arange(-1, 2, device=points.device)] * 2)  # (9, 2)
    near = middle[:, None] + around  # (K, 9, 2)
    inside = ((near >= 0) & (near < side)).all(-1)
    columns, rows = near.clamp(0, side - 1).unbind(-1)
    k = torch.arange(len(points), device=points.device)[:, None]
    square = torch.where(inside, squares[k, rows, columns], torch.inf).double()
    # The fourth nearest is a neighbour at a corner of the frame still, and never beyond a cut.
    scale = square.sort(1).values[:, 3:4].clamp_min(1e-12)
    weight = torch.where(square.isfinite(), torch.exp(-square / scale), 0).sqrt()
    over = torch.stack([torch.ones_like(square), dx[k, rows, columns], dy[k, rows, columns]], -1)
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
        seen[k] = rest >= LEAST_SHARE * (x1 - x0) * (y1 - y0)
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
