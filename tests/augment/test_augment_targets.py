"""Masks, boxes and key points against closed forms, against Kornia's matrices, and against what the
pipeline itself does to pictures of them."""

from __future__ import annotations

from itertools import compress
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from core.augment.catalogue import OPERATIONS
from core.augment.check import completed_augment
from core.augment.draws import Draws
from core.augment.pipeline import Pipeline, built
from core.augment.targets import LEAST_SHARE, Targets, apply_to_targets
from core.data.annotated import Annotated, annotated
from core.data.tensors import as_tensors
from core.run.spec import AugmentSpec, OpSpec

SIDE = 96
GEOMETRIC = [name for name, entry in OPERATIONS.items() if entry.group == "geometric"]
INTENSITY = [name for name, entry in OPERATIONS.items() if entry.group == "intensity"]
POLICIES = [name for name in OPERATIONS if name not in (*GEOMETRIC, *INTENSITY)]
PADDED = [
    (name, parameter.name, mode)
    for name in GEOMETRIC
    for parameter in OPERATIONS[name].parameters
    if parameter.name in ("padding_mode", "pad_mode")
    for mode in parameter.options  # type: ignore[union-attr]
]


def draw(*ops: dict[str, Any], seed: int = 0, channels: int = 3, **more: Any) -> tuple[AugmentSpec, Draws]:
    spec = completed_augment(AugmentSpec(ops=tuple(OpSpec(**op) for op in ops), **more), channels)
    return spec, Pipeline(spec, channels=channels, side=SIDE, seed=seed).draw(4, step=0)


def run(spec: AugmentSpec, images: Tensor, draws: Draws) -> Tensor:
    return Pipeline(spec, channels=images.shape[1], side=SIDE, seed=0).apply(images, draws)


def move(spec: AugmentSpec, draws: Draws, sample: Annotated, channels: int = 3) -> Targets:
    images = sample.images[:, :channels].float() / 255
    return apply_to_targets(spec, draws, images, sample.masks, sample.boxes, sample.points)


def assert_moved(targets: Targets, sample: Annotated, x: Any, y: Any) -> None:
    """Each point went to ``x`` and ``y`` of where it was; as did the boxes, whose edges lie half a pixel
    from pixels' middles."""
    for i in range(4):
        before, after = sample.points[i], targets.points[i]
        moved = torch.stack([x(before), y(before)], 1)
        inside = ((moved > -0.5) & (moved < SIDE - 0.5)).all(1)
        assert torch.equal(targets.points_seen[i], inside)
        torch.testing.assert_close(after[inside], moved[inside], atol=2e-3, rtol=0)
        corners = sample.boxes[i].view(-1, 2, 2) - 0.5
        went = torch.stack([x(corners.view(-1, 2)), y(corners.view(-1, 2))], 1).view(-1, 2, 2) + 0.5
        hull = torch.cat([went.amin(1), went.amax(1)], 1)
        clipped = hull.clamp(0, SIDE)
        share = (clipped[:, 2:] - clipped[:, :2]).prod(1) / (hull[:, 2:] - hull[:, :2]).prod(1)
        clear = (share - LEAST_SHARE).abs() > 0.03
        assert torch.equal(targets.boxes_seen[i][clear], (share >= LEAST_SHARE)[clear])
        seen = targets.boxes_seen[i]
        torch.testing.assert_close(targets.boxes[i][seen], clipped[seen], atol=5e-3, rtol=0)
        assert not targets.boxes[i][~seen].any() and not targets.points[i][~inside].any()


def test_a_horizontal_flip_turns_x_round() -> None:
    sample = as_tensors(annotated(SIDE))
    targets = move(*draw({"op": "RandomHorizontalFlip", "p": 1.0}), sample)
    assert_moved(targets, sample, lambda p: SIDE - 1 - p[:, 0], lambda p: p[:, 1])
    assert torch.equal(targets.masks, sample.masks.flip(-1))
    torch.testing.assert_close(targets.boxes[0][:, 0], SIDE - sample.boxes[0][:, 2], atol=1e-3, rtol=0)


def test_a_vertical_flip_turns_y_round() -> None:
    sample = as_tensors(annotated(SIDE))
    targets = move(*draw({"op": "RandomVerticalFlip", "p": 1.0}), sample)
    assert_moved(targets, sample, lambda p: p[:, 0], lambda p: SIDE - 1 - p[:, 1])
    assert torch.equal(targets.masks, sample.masks.flip(-2))


@pytest.mark.parametrize(
    ("times", "x", "y"),
    [
        (1, lambda p: p[:, 1], lambda p: SIDE - 1 - p[:, 0]),
        (2, lambda p: SIDE - 1 - p[:, 0], lambda p: SIDE - 1 - p[:, 1]),
        (3, lambda p: SIDE - 1 - p[:, 1], lambda p: p[:, 0]),
    ],
)
def test_quarter_turns_are_counter_clockwise(times: int, x: Any, y: Any) -> None:
    sample = as_tensors(annotated(SIDE))
    op = {"op": "RandomRotation90", "p": 1.0, "params": {"times": [times, times]}}
    targets = move(*draw(op), sample)
    assert_moved(targets, sample, x, y)
    assert torch.equal(targets.masks, sample.masks.rot90(times, (-2, -1)))


@pytest.mark.parametrize("padding_mode", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("fuse", [True, False])
def test_a_shift_by_whole_pixels_whatever_is_seen_beyond_the_edge(padding_mode: str, fuse: bool) -> None:
    sample = as_tensors(annotated(SIDE))
    params = {"translate_x": [0.125, 0.125], "translate_y": [-0.25, -0.25], "padding_mode": padding_mode}
    targets = move(*draw({"op": "RandomTranslate", "params": params}, fuse=fuse), sample)
    assert_moved(targets, sample, lambda p: p[:, 0] + 12, lambda p: p[:, 1] - 24)
    assert torch.equal(targets.masks[:, :, :-24, 12:], sample.masks[:, :, 24:, :-12])
    beyond = targets.masks[:, :, :-24, :12]
    expected = {
        "zeros": torch.zeros_like(beyond),
        "border": sample.masks[:, :, 24:, :1].expand_as(beyond),
        "reflection": sample.masks[:, :, 24:, 1:13].flip(-1),
    }[padding_mode]
    # Kornia mirrors about pixels' middles or about their edges, one pixel apart.
    agree = (beyond == expected).float().mean()
    assert agree > (0.97 if padding_mode == "reflection" else 0.9999)


def test_what_one_operation_pushed_over_the_edge_the_next_brings_back_only_if_they_are_fused() -> None:
    sample = as_tensors(annotated(SIDE))

    def there_and_back(mode: str, fuse: bool) -> Targets:
        away = {"translate_x": [0.375, 0.375], "translate_y": [0, 0], "padding_mode": mode}  # 36 pixels
        back = {"translate_x": [-0.375, -0.375], "translate_y": [0, 0]}
        ops = [{"op": "RandomTranslate", "params": params} for params in (away, back)]
        return move(*draw(*ops, fuse=fuse), sample)

    fused = there_and_back("zeros", True)
    assert_moved(fused, sample, lambda p: p[:, 0], lambda p: p[:, 1])
    # Edges that are read in two ways keep the two operations apart, fuse or not.
    for chain in (there_and_back("zeros", False), there_and_back("border", True)):
        for seen, points in zip(chain.points_seen, sample.points, strict=True):
            assert torch.equal(seen, points[:, 0] < SIDE - 36.5)


def test_a_crop_shifts_by_whole_pixels() -> None:
    sample = as_tensors(annotated(SIDE))
    spec, draws = draw({"op": "RandomCrop", "params": {"padding": 0.125}})
    targets = move(spec, draws, sample)
    params = draws.ops[0].params
    assert params is not None
    for i in range(4):
        dx, dy = (12 - params["src"][i, 0]).tolist()
        torch.testing.assert_close(
            targets.points[i][targets.points_seen[i]],
            (sample.points[i] + torch.tensor([dx, dy]))[targets.points_seen[i]],
            atol=2e-3,
            rtol=0,
        )
        wide = torch.nn.functional.pad(sample.masks[i], (12, 12, 12, 12))
        x, y = params["src"][i, 0].int().tolist()
        assert torch.equal(targets.masks[i], wide[:, y : y + SIDE, x : x + SIDE])


def test_twice_as_large_about_the_centre() -> None:
    sample = as_tensors(annotated(SIDE))
    params = {"degrees": [0, 0], "translate": 0, "scale": [2, 2]}
    targets = move(*draw({"op": "RandomAffine", "params": params}), sample)
    centre = (SIDE - 1) / 2
    assert_moved(
        targets, sample, lambda p: 2 * (p[:, 0] - centre) + centre, lambda p: 2 * (p[:, 1] - centre) + centre
    )


def test_a_box_nearly_out_of_the_frame_is_out_of_sight() -> None:
    box = torch.tensor([[60.0, 30, 80, 50]])
    image, mask, point = torch.rand(1, 3, SIDE, SIDE), torch.ones(1, 1, SIDE, SIDE), torch.zeros(0, 2)
    for shift, seen in [(32, True), (33, True), (35, False), (40, False)]:  # of 20 pixels, 4, 3, 1, 0 stay
        share = shift / SIDE
        params = {"translate_x": [share, share], "translate_y": [0, 0]}
        spec = completed_augment(AugmentSpec(ops=(OpSpec(op="RandomTranslate", params=params),)), 3)
        draws = Pipeline(spec, channels=3, side=SIDE, seed=0).draw(1, 0)
        moved = apply_to_targets(spec, draws, image, mask, [box], [point])
        assert moved.boxes_seen[0].tolist() == [seen]
        expected = torch.tensor([[60.0 + shift, 30, 96, 50]]) if seen else torch.zeros(1, 4)
        torch.testing.assert_close(moved.boxes[0], expected, atol=5e-3, rtol=0)
        assert moved.points[0].shape == (0, 2) and moved.points_seen[0].shape == (0,)


def blobs(points: Tensor) -> Tensor:
    """A bright round spot at each of ``points`` (K, 2), an image each: (K, S, S)."""
    at = torch.arange(SIDE)
    dx, dy = at - points[:, :1], at - points[:, 1:]
    return torch.exp(-(dx[:, None].square() + dy[:, :, None].square()) / (2 * 1.5**2))


def assert_points_follow_spots(spec: AugmentSpec, draws: Draws, sample: Annotated, within: float) -> None:
    targets = move(spec, draws, sample)
    at = torch.arange(SIDE, dtype=torch.float)
    checked = 0
    for k in range(max(len(points) for points in sample.points)):
        has = [i for i in range(4) if k < len(sample.points[i])]
        spots = torch.zeros(4, 3, SIDE, SIDE)
        for i in has:
            spots[i] = blobs(sample.points[i][k : k + 1])
        moved = run(spec, spots, draws)[:, 0]
        for i in has:
            if not targets.points_seen[i][k]:
                continue
            point = targets.points[i][k]
            x, y = point.round().long().tolist()
            assert moved[i, y, x] > 0.3  # the spot is there at all
            both = torch.cat([point, sample.points[i][k]])
            if both.min() < 8 or both.max() > SIDE - 9:  # cut off by the frame, or beside its mirror image
                continue
            spot = moved[i] * ((at - x).abs() < 9) * ((at - y).abs() < 9)[:, None]
            centre = torch.stack([(spot.sum(0) * at).sum(), (spot.sum(1) * at).sum()]) / spot.sum()
            assert (centre - point).norm() < within
            checked += 1
    assert checked >= 8


def assert_masks_follow_pictures(spec: AugmentSpec, draws: Draws, sample: Annotated) -> None:
    """Each label's region, as a picture, moves to where the label does, but for its outline."""
    targets = move(spec, draws, sample)
    for label in range(1, 5):
        region = (sample.masks == label).float().expand(-1, 3, -1, -1)
        picture = run(spec, region, draws)[:, :1] > 0.5
        differs = (picture != (targets.masks == label)).float()
        thick = -torch.nn.functional.max_pool2d(-differs, 3, 1, 1)  # where 3 × 3 pixels differ
        assert thick.sum() == 0
        outline = 4 * region[:, 0].sum((1, 2)).sqrt() + 60
        assert (differs.sum((1, 2, 3)) <= outline).all()


def assert_boxes_follow_pictures(spec: AugmentSpec, draws: Draws, sample: Annotated, within: float) -> None:
    """A filled box, as a picture, has the moved box for its hull."""
    targets = move(spec, draws, sample)
    for i in range(4):
        for box, moved, seen in zip(sample.boxes[i], targets.boxes[i], targets.boxes_seen[i], strict=True):
            if not seen:
                continue
            x0, y0, x1, y1 = box.round().int().tolist()
            picture = torch.zeros(4, 3, SIDE, SIDE)
            picture[:, :, y0:y1, x0:x1] = 1
            rows, columns = (run(spec, picture, draws)[i, 0] > 0.4).nonzero(as_tuple=True)
            hull = torch.stack([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]).float()
            torch.testing.assert_close(moved, hull, atol=within, rtol=0)


@pytest.mark.parametrize("name", GEOMETRIC)
def test_targets_follow_every_operation(name: str) -> None:
    sample = as_tensors(annotated(SIDE))
    spec, draws = draw({"op": name, "p": 1.0})
    assert_points_follow_spots(spec, draws, sample, 1.5)
    assert_masks_follow_pictures(spec, draws, sample)
    assert_boxes_follow_pictures(spec, draws, sample, 2.5)


@pytest.mark.parametrize(("name", "parameter", "mode"), PADDED)
def test_masks_and_points_agree_with_every_edge(name: str, parameter: str, mode: str) -> None:
    sample = as_tensors(annotated(SIDE))
    spec, draws = draw({"op": name, "p": 1.0, "params": {parameter: mode}}, seed=3)
    assert_masks_follow_pictures(spec, draws, sample)
    assert_points_follow_spots(spec, draws, sample, 1.5)


CHAIN = ("RandomAffine", "RandomGaussianNoise", "RandomRotation", "RandomPerspective", "RandomFisheye")


@pytest.mark.parametrize("fuse", [True, False])
@pytest.mark.parametrize("order", [CHAIN, ("RandomHorizontalFlip", "RandomAffine", "RandomRotation")])
def test_targets_follow_a_chain(order: tuple[str, ...], fuse: bool) -> None:
    sample = as_tensors(annotated(SIDE))
    spec, draws = draw(*({"op": name, "p": 1.0} for name in order), fuse=fuse)
    moving = [op.entry.group == "geometric" for op in draws.ops]
    still = spec.model_copy(update={"ops": tuple(compress(spec.ops, moving))})
    its_draws = Draws(4, tuple(compress(draws.ops, moving)))
    assert_points_follow_spots(still, its_draws, sample, 1.5)
    assert_masks_follow_pictures(still, its_draws, sample)
    with_noise, without = move(spec, draws, sample), move(still, its_draws, sample)
    for a, b in zip(with_noise.points, without.points, strict=True):
        torch.testing.assert_close(a, b, atol=0.05, rtol=0)


@given(
    angle=st.floats(-180, 180),
    scale=st.floats(0.5, 2),
    shear=st.floats(-30, 30),
    seed=st.integers(0, 99),
)
@settings(max_examples=15, deadline=None)
def test_points_agree_with_kornias_matrix(angle: float, scale: float, shear: float, seed: int) -> None:
    sample = as_tensors(annotated(SIDE))
    params = {"degrees": [angle, angle], "scale": [scale, scale], "shear": [shear, shear], "translate": 0.3}
    spec, draws = draw({"op": "RandomAffine", "params": params}, seed=seed)
    targets = move(spec, draws, sample)
    module = built(OPERATIONS["RandomAffine"], spec.ops[0].params, 1.0, SIDE)
    drawn = draws.ops[0].params
    assert drawn is not None
    module(torch.zeros(4, 3, SIDE, SIDE), params=drawn)
    for i, matrix in enumerate(module.transform_matrix):
        points = torch.cat([sample.points[i], torch.ones(len(sample.points[i]), 1)], 1) @ matrix.T
        points = points[:, :2]
        edge = torch.minimum(points, SIDE - 1 - points).amin(1) + 0.5  # how far inside the frame
        sure = edge.abs() > 0.05
        assert torch.equal(targets.points_seen[i][sure], (edge > 0)[sure])
        both = targets.points_seen[i] & (edge > 0)
        torch.testing.assert_close(targets.points[i][both], points[both], atol=0.01, rtol=0)


def test_grey_images_move_their_targets_alike() -> None:
    sample = as_tensors(annotated(SIDE))
    ops = [{"op": name, "p": 1.0} for name in ("RandomAffine", "RandomThinPlateSpline", "RandomCrop")]
    spec, draws = draw(*ops, channels=1)
    grey, colour = move(spec, draws, sample, 1), move(*draw(*ops), sample)
    assert grey.images.shape == (4, 1, SIDE, SIDE)
    assert torch.equal(grey.masks, colour.masks)
    assert all(torch.equal(a, b) for a, b in zip(grey.points, colour.points, strict=True))


@pytest.mark.parametrize("name", INTENSITY)
def test_targets_stay_when_only_values_change(name: str) -> None:
    sample = as_tensors(annotated(SIDE))
    spec, draws = draw({"op": name, "p": 1.0})
    assert_untouched(move(spec, draws, sample), sample)


def test_targets_stay_where_nothing_fired() -> None:
    sample = as_tensors(annotated(SIDE))
    assert_untouched(move(*draw({"op": "RandomHorizontalFlip", "p": 0.0}), sample), sample)
    assert_untouched(move(*draw({"op": "RandomAffine", "enabled": False}), sample), sample)
    assert_untouched(move(*draw(), sample), sample)
    spec, draws = draw({"op": "RandomRotation", "p": 0.5}, seed=1)
    fired = [draws.ops[0].fired(i) for i in range(4)]
    assert any(fired) and not all(fired)
    targets = move(spec, draws, sample)
    for i in range(4):
        assert torch.equal(targets.points[i], sample.points[i]) != fired[i]
        assert torch.equal(targets.masks[i], sample.masks[i]) != fired[i]


def assert_untouched(targets: Targets, sample: Annotated) -> None:
    assert torch.equal(targets.masks, sample.masks)
    for i in range(4):
        assert torch.equal(targets.boxes[i], sample.boxes[i]) and targets.boxes_seen[i].all()
        assert torch.equal(targets.points[i], sample.points[i]) and targets.points_seen[i].all()


def test_images_are_those_of_the_pipeline() -> None:
    sample = as_tensors(annotated(SIDE))
    spec, draws = draw({"op": "RandomAffine"}, {"op": "RandomGaussianNoise", "p": 1.0})
    images = sample.images.float() / 255
    assert torch.equal(move(spec, draws, sample).images, run(spec, images, draws))


def test_choosing_some_operations_moves_targets_by_those_only() -> None:
    sample = as_tensors(annotated(SIDE))
    ops = [{"op": "RandomHorizontalFlip", "p": 1.0}, {"op": "RandomVerticalFlip", "p": 1.0}]
    spec, draws = draw(*ops, choose=1)
    across = draws.ops[0].params is not None
    targets = move(spec, draws, sample)
    assert torch.equal(targets.masks, sample.masks.flip(-1 if across else -2))


MOVES = ("rotation", "shear across", "shear down", "shift right", "shift down")


@pytest.mark.parametrize("name", POLICIES)
def test_targets_follow_what_a_policy_moves_and_nothing_else(name: str) -> None:
    sample = as_tensors(annotated(SIDE))
    spec, _ = draw({"op": name})
    pipeline = Pipeline(spec, channels=3, side=SIDE, seed=0)
    stayed = shifted = 0
    for step in range(12):
        draws = pipeline.draw(4, step)
        targets = move(spec, draws, sample)
        for i in range(4):
            values = dict(draws.describe(i)[0].values)
            moves = [label for label in values if label in MOVES]
            if not moves:
                stayed += 1
                assert torch.equal(targets.points[i], sample.points[i])
                assert torch.equal(targets.masks[i], sample.masks[i])
            elif all(label.startswith("shift") for label in moves):
                shifted += 1
                shift = [pixels(values.get(label, "0")) for label in MOVES[-2:]]
                expected = sample.points[i] + torch.tensor(shift)
                seen = targets.points_seen[i]
                torch.testing.assert_close(targets.points[i][seen], expected[seen], atol=0.06, rtol=0)
                inside = torch.minimum(expected, SIDE - 1 - expected).amin(1)
                assert seen[inside > 0].all() and not seen[inside < -1].any()
    assert stayed >= 3 and shifted >= (
        0 if name == "AutoAugment" else 3
    )  # its policy for photographs has none


def pixels(shown: str) -> float:
    return float(shown.replace("−", "-").removesuffix(" px"))


def test_what_is_painted_beyond_the_edge_is_no_target() -> None:
    sample = as_tensors(annotated(SIDE))
    for value in (0.0, 0.4, 1.0):
        params = {"size": 1.5, "pad_value": value}
        targets = move(*draw({"op": "PadTo", "p": 1.0, "params": params}), sample)
        assert not targets.masks[:, :, 66:].any() and not targets.masks[..., 66:].any()
        for points, before in zip(targets.points, sample.points, strict=True):
            torch.testing.assert_close(points, (before + 0.5) / 1.5 - 0.5, atol=0.05, rtol=0)


def test_defaults_show_nothing_beyond_the_edge_and_mix_between_pixels() -> None:
    for entry in OPERATIONS.values():
        for parameter in entry.parameters:
            if parameter.name in ("padding_mode", "pad_mode", "pad_value"):
                assert parameter.default in ("zeros", "constant", 0)
            elif parameter.name == "resample" and entry.group == "geometric":
                assert parameter.default == "bilinear"
