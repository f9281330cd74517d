"""What is drawn, pixel by pixel where that is plain, and what is said of it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from core.data.annotated import annotated
from core.data.tensors import as_tensors
from core.preview.overlay import COLOURS, TINT, describe, overlay

SIDE = 224
NONE = torch.zeros(0, 4), torch.zeros(0, 2)
EMPTY = torch.zeros(1, 1, SIDE, SIDE, dtype=torch.uint8)


def rgb(colour: str) -> Tensor:
    return torch.tensor([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=torch.uint8)


def grey(value: int, channels: int = 3) -> Tensor:
    return torch.full((1, channels, SIDE, SIDE), value, dtype=torch.uint8)


@pytest.mark.parametrize("channels", [1, 3])
def test_nothing_to_draw_leaves_the_image(channels: int) -> None:
    image = torch.randint(0, 256, (1, channels, SIDE, SIDE), dtype=torch.uint8)
    drawn = overlay(image, EMPTY, [NONE[0]], [NONE[1]])
    assert drawn.shape == (1, 3, SIDE, SIDE) and drawn.dtype == torch.uint8
    assert torch.equal(drawn, image.expand(-1, 3, -1, -1))


def test_a_mask_tints_its_own_pixels_with_its_objects_colour() -> None:
    masks = EMPTY.clone()
    masks[0, 0, 10:20, 30:50] = 1
    masks[0, 0, 100:120, 30:50] = 9  # as the second: there are seven colours
    image = grey(100)
    drawn = overlay(image, masks, [NONE[0]], [NONE[1]])
    for label, colour in ((1, COLOURS[0]), (9, COLOURS[1])):
        expected = (100 + TINT * (rgb(colour).float() - 100)).round()
        where = masks[0, 0] == label
        torch.testing.assert_close(drawn[0, :, where].float(), expected[:, None].expand(-1, int(where.sum())))
    assert (drawn[0, :, masks[0, 0] == 0] == 100).all()
    assert (image == 100).all()  # drawn on a copy


def test_a_box_is_framed_inside_its_edges_in_the_colour_of_its_mask() -> None:
    boxes = torch.tensor([[0.0, 0, SIDE, SIDE], [40, 60, 100, 160]])
    drawn = overlay(grey(100), EMPTY, [boxes], [NONE[1]])[0]
    for x, y in ((0, 0), (SIDE - 1, SIDE - 1), (0, 100), (150, SIDE - 1)):
        assert torch.equal(drawn[:, y, x], rgb(COLOURS[0]))
    for x, y in ((40, 60), (99, 159), (40, 100), (99, 100), (70, 60), (70, 159)):
        assert torch.equal(drawn[:, y, x], rgb(COLOURS[1]))
    assert (drawn[:, 65:155, 45:95] == 100).all() and (drawn[:, 10:55, 10:200] == 100).all()
    assert (drawn[:, 100, [39, 100]] == 100).all()  # the pixels outside its edges


def test_a_point_is_a_white_dot_with_its_number_beside_it() -> None:
    point = torch.tensor([[100.0, 80]])
    drawn = overlay(grey(100), EMPTY, [NONE[0]], [point])[0]
    assert (drawn[:, 80, 100] == 255).all()
    changed = (drawn != 100).any(0)
    dot = changed[:, :104].nonzero()
    # Half a pixel each for where the smoothing falls.
    assert (dot.float().mean(0) - torch.tensor([80.0, 100])).abs().max() < 0.6
    assert changed[:, 104:].any() and not changed[:, 120:].any()  # the number
    assert not torch.equal(
        overlay(grey(100), EMPTY, [NONE[0]], [torch.cat([point, point])])[0], drawn
    )  # 1, 2


def test_a_number_at_the_right_edge_is_on_the_left() -> None:
    drawn = overlay(grey(100), EMPTY, [NONE[0]], [torch.tensor([[SIDE - 4.0, 80]])])[0]
    columns = (drawn != 100).any(0).any(0).nonzero()
    assert columns.min() < SIDE - 12


def test_what_is_out_of_sight_is_not_drawn() -> None:
    boxes, points = torch.tensor([[10.0, 10, 50, 50]]), torch.tensor([[100.0, 100]])
    off = [torch.tensor([False])]
    drawn = overlay(grey(100), EMPTY, [boxes], [points], off, off)
    assert (drawn == 100).all()
    on = [torch.tensor([True])]
    seen = overlay(grey(100), EMPTY, [boxes], [points], on, on)
    assert torch.equal(seen, overlay(grey(100), EMPTY, [boxes], [points]))


def test_the_bundled_sample_is_drawn_at_any_side() -> None:
    for side in (32, 224):
        sample = as_tensors(annotated(side))
        drawn = overlay(sample.images, sample.masks, sample.boxes, sample.points)
        assert drawn.shape == sample.images.shape
        assert (drawn != sample.images).any(1).float().mean((1, 2)).min() > 0.03


def test_what_was_drawn_is_said() -> None:
    said = describe(
        [("cup", "spoon"), (), ("cat",)],
        [("rim", "tip", "end"), (), ()],
        [torch.tensor([True, False]), torch.zeros(0, dtype=torch.bool), torch.tensor([True])],
        [torch.tensor([True, False, True]), *[torch.zeros(0, dtype=torch.bool)] * 2],
    )
    assert said == (
        "Objects: cup; out of sight spoon. Points: 1 rim, 3 end; out of sight 2 tip.",
        "",
        "Objects: cat.",
    )
