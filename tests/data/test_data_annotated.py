"""The annotations against geometry worked out by hand, and against the colours of the photographs."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from core.data.annotated import Annotated
from core.data.annotated import annotated as annotated_arrays
from core.data.photos import PHOTOS, photos
from core.data.tensors import as_tensors

SIDES = [64, 224]


def annotated(side: int) -> Annotated[Tensor]:
    return as_tensors(annotated_arrays(side))


def index(names: tuple[str, ...], name: str) -> int:
    return names.index(name)


@pytest.mark.parametrize("side", SIDES)
def test_shapes_types_and_bounds(side: int) -> None:
    sample = annotated(side)
    count = len(PHOTOS)
    assert annotated_arrays(side).images is photos(side)[0]
    assert sample.images.shape == (count, 3, side, side) and sample.images.dtype == torch.uint8
    assert sample.masks.shape == (count, 1, side, side) and sample.masks.dtype == torch.uint8
    for i in range(count):
        boxes, points = sample.boxes[i], sample.points[i]
        assert boxes.shape == (len(sample.object_names[i]), 4) and len(boxes) >= 1
        assert points.shape == (len(sample.point_names[i]), 2) and 3 <= len(points) <= 8
        assert len(set(sample.point_names[i])) == len(points)
        assert (boxes >= 0).all() and (boxes <= side).all() and (boxes[:, :2] + 2 < boxes[:, 2:]).all()
        assert (points >= 0).all() and (points <= side - 1).all()


@pytest.mark.parametrize("side", SIDES)
def test_each_box_is_the_hull_of_its_object_where_nothing_hides_it(side: int) -> None:
    sample = annotated(side)
    for i in range(len(PHOTOS)):
        for k, box in enumerate(sample.boxes[i], 1):
            rows, columns = torch.nonzero(sample.masks[i, 0] == k, as_tuple=True)
            hull = torch.stack([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
            # No object's extreme is behind another; half a pixel each for the edge and the sampling.
            torch.testing.assert_close(hull.float(), box, atol=1.3, rtol=0)


def test_the_same_annotations_at_every_side() -> None:
    small, large = annotated(64), annotated(256)
    for a, b in zip(small.boxes, large.boxes, strict=True):
        torch.testing.assert_close(4 * a, b)
    for a, b in zip(small.points, large.points, strict=True):
        torch.testing.assert_close(4 * (a + 0.5), b + 0.5)
    # The middle 2 × 2 of each block of 4 × 4 finer pixels has its label, away from outlines.
    assert (large.masks[..., 2::4, 2::4] == small.masks).float().mean() > 0.99


def around(sample_images: Tensor, i: int, point: Tensor, radius: int) -> Tensor:
    """The mean colour (3,) about a point."""
    x, y = point.round().long().tolist()
    return sample_images[i, :, y - radius : y + radius + 1, x - radius : x + radius + 1].float().mean((1, 2))


def test_the_points_lie_on_what_they_name() -> None:
    sample = annotated(256)
    cat, rocket = 1, 3
    for name in ("right pupil", "left pupil"):  # black
        at = sample.points[cat][index(sample.point_names[cat], name)]
        assert around(sample.images, cat, at, 2).max() < 70
    for name in ("left lamp", "right lamp"):  # blinding
        at = sample.points[rocket][index(sample.point_names[rocket], name)]
        assert around(sample.images, rocket, at, 1).mean() > 200


def test_the_masks_cover_what_they_name() -> None:
    sample = annotated(256)

    def colour(photo: int, name: str) -> Tensor:
        label = index(sample.object_names[photo], name) + 1
        return sample.images[photo, :, sample.masks[photo, 0] == label].float().mean(1)

    red, green, blue = colour(1, "nose")
    assert red > 1.4 * green and red > 1.4 * blue
    red, green, blue = colour(1, "left eye")
    assert green > 1.3 * blue
    red, green, blue = colour(2, "saucer")
    assert red > 2 * green
    red, green, blue = colour(0, "patch")
    assert blue > red
    sky = sample.images[3, :, sample.masks[3, 0] == 0].float().mean()
    assert colour(3, "rocket").mean() > 1.5 * sky
