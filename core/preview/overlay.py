"""Masks, boxes and key points drawn on their images, and said in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image, ImageColor, ImageDraw, ImageFont
from torch import Tensor

# An object's mask and box share a colour: Okabe–Ito, told apart with any kind of colour vision. Points are
# white in black, which is seen on all of them.
COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#F0E442", "#0072B2", "#D55E00")
TINT = 0.45  # how much of a masked pixel is its object's colour
FINER = 2  # lines, dots and numbers are drawn at this many times the side, then smoothed


def overlay(
    images: Tensor,
    masks: Tensor,
    boxes: Sequence[Tensor],
    points: Sequence[Tensor],
    boxes_seen: Sequence[Tensor] | None = None,
    points_seen: Sequence[Tensor] | None = None,
) -> Tensor:
    """``images`` with masks as a tint, boxes as frames, and points as dots with their number from 1.

    Args:
        images: uint8 (N, C, S, S); C is 1 or 3.
        masks: (N, 1, S, S), 0 for background, ``k`` for what box ``k - 1`` is around.
        boxes: for each image (M, 4), in the coordinates of `core.data.Annotated`, as the points are.
        points: for each image (K, 2).
        boxes_seen, points_seen: for each image bool (M,) and (K,); what is false is not drawn.

    Returns:
        uint8 (N, 3, S, S) on the CPU; the images are not changed.
    """
    tinted = _tint(images.cpu(), masks.cpu())
    drawn = [
        _draw(
            tinted[i],
            boxes[i].tolist(),
            points[i].tolist(),
            [True] * len(boxes[i]) if boxes_seen is None else boxes_seen[i].tolist(),
            [True] * len(points[i]) if points_seen is None else points_seen[i].tolist(),
        )
        for i in range(len(images))
    ]
    return torch.stack(drawn)


def describe(
    object_names: Sequence[Sequence[str]],
    point_names: Sequence[Sequence[str]],
    boxes_seen: Sequence[Tensor],
    points_seen: Sequence[Tensor],
) -> tuple[str, ...]:
    """For each image what `overlay` drew on it, in words, for those who can't see it."""
    return tuple(
        " ".join(filter(None, (_list("Objects", objects), _list("Points", points))))
        for objects, points in (
            (_split(names, seen), _split([f"{i} {name}" for i, name in enumerate(dots, 1)], dots_seen))
            for names, seen, dots, dots_seen in zip(
                object_names, boxes_seen, point_names, points_seen, strict=True
            )
        )
    )


def _split(names: Sequence[str], seen: Tensor) -> tuple[list[str], list[str]]:
    """Those that are seen, and those that are not."""
    flags = seen.tolist()
    return (
        [name for name, flag in zip(names, flags, strict=True) if flag],
        [name for name, flag in zip(names, flags, strict=True) if not flag],
    )


def _list(title: str, names: tuple[list[str], list[str]]) -> str:
    """One sentence, or nothing if there are no names."""
    seen, gone = (", ".join(part) for part in names)
    parts = ([seen] if seen else []) + ([f"out of sight {gone}"] if gone else [])
    return f"{title}: {'; '.join(parts)}." if parts else ""


def _tint(images: Tensor, masks: Tensor) -> Tensor:
    """``images`` in colour, masked pixels mixed with their objects': uint8 (N, 3, S, S)."""
    palette = torch.tensor([ImageColor.getrgb(colour) for colour in COLOURS])
    labels = masks[:, 0].long()
    colours = palette[(labels - 1) % len(COLOURS)].permute(0, 3, 1, 2)  # (N, 3, S, S)
    plain = images.expand(-1, 3, -1, -1)
    mixed = plain.float().lerp(colours.float(), TINT).round().to(torch.uint8)
    return torch.where(labels[:, None] > 0, mixed, plain)


def _draw(
    image: Tensor,
    boxes: list[list[float]],
    points: list[list[float]],
    boxes_seen: list[bool],
    points_seen: list[bool],
) -> Tensor:
    """One image (3, S, S) with boxes and points drawn on it."""
    side = image.shape[-1]
    picture = Image.fromarray(image.permute(1, 2, 0).numpy()).convert("RGBA")
    layer = Image.new("RGBA", (side * FINER, side * FINER))
    draw = ImageDraw.Draw(layer)
    line = max(1, round(side * FINER / 150))
    for k, (box, seen) in enumerate(zip(boxes, boxes_seen, strict=True)):
        if seen:
            x0, y0, x1, y1 = (round(edge * FINER) for edge in box)
            colour = COLOURS[k % len(COLOURS)]
            frame = (x0, y0, max(x0, x1 - 1), max(y0, y1 - 1))  # Pillow's last row and column are inside
            draw.rectangle(frame, outline="black", width=line + max(1, line // 2))
            draw.rectangle(frame, outline=colour, width=line)
    radius = max(1.5, side / 75) * FINER
    font = ImageFont.load_default(max(9.0, side / 18) * FINER)
    for number, ((x, y), seen) in enumerate(zip(points, points_seen, strict=True), 1):
        if seen:
            x, y = ((place + 0.5) * FINER - 0.5 for place in (x, y))
            draw.circle((x, y), radius, fill="white", outline="black", width=max(1, line // 2))
            left = x > 0.9 * side * FINER  # no room for a number on the right
            draw.text(
                (x - 1.5 * radius if left else x + 1.5 * radius, y),
                str(number),
                fill="white",
                font=font,
                anchor="rm" if left else "lm",
                stroke_width=FINER,
                stroke_fill="black",
            )
    smooth = layer.reduce(FINER)
    picture.alpha_composite(smooth)
    return torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1).contiguous()
