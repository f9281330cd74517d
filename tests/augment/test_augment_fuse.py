"""One warp does what the chain does: to known points exactly, to images as well as both interpolate."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.augment.check import completed_augment
from core.augment.draws import Draws
from core.augment.fast import fuse
from core.augment.pipeline import Pipeline
from core.run.spec import AugmentSpec, OpSpec

SIDE = 64
# Two waves, the shorter over 64 pixels: interpolation in a pixel's middle errs by (π/32)²/8 = 0.0012 at most.
ACROSS = torch.arange(SIDE) * 2 * math.pi / SIDE
SMOOTH = (0.5 + 0.25 * (ACROSS.sin() + ACROSS.cos().view(-1, 1))).expand(4, 2, SIDE, SIDE).clone()
SMOOTH[:, 1] = 0.5 + 0.4 * (0.7 * ACROSS + 0.3 * ACROSS.view(-1, 1)).sin()

GENTLE = {
    "RandomHorizontalFlip": {},
    "RandomVerticalFlip": {},
    "RandomRotation90": {},
    "RandomRotation": {"degrees": [-20, 20]},
    "RandomAffine": {"translate": 0.05, "shear": [-8, 8]},
    "RandomTranslate": {"translate_x": [-0.06, 0.06], "translate_y": [-0.06, 0.06]},
    "RandomShear": {"shear": [-10, 10]},
    "RandomPerspective": {"distortion_scale": 0.15},
    "RandomCrop": {"padding": 0.05},
    "RandomResizedCrop": {"scale": [0.7, 1]},
}


def build(*ops: OpSpec | str, channels: int = 3, side: int = SIDE, seed: int = 5, **fields) -> Pipeline:
    named = tuple(OpSpec(op=op, p=1.0, params=GENTLE[op]) if isinstance(op, str) else op for op in ops)
    spec = completed_augment(AugmentSpec(ops=named, **fields), channels)
    return Pipeline(spec, channels=channels, side=side, seed=seed)


def both(
    ops: tuple[OpSpec | str, ...], images: torch.Tensor, step: int = 0
) -> tuple[torch.Tensor, torch.Tensor]:
    """The images after the chain, and after as few warps as there can be."""
    chain, fused = (
        build(*ops, channels=images.shape[1], side=images.shape[2], fuse=f) for f in (False, True)
    )
    draws = fused.draw(len(images), step)
    assert same(draws, chain.draw(len(images), step))
    return chain.apply(images, draws), fused.apply(images, draws)


def same(one: Draws, other: Draws) -> bool:
    return all(
        torch.equal(a.params[key], b.params[key])
        for a, b in zip(one.ops, other.ops, strict=True)
        for key in a.params
    )


def coloured(smooth: torch.Tensor) -> torch.Tensor:
    """Two smooth channels, and a third of ones, which shows where a warp saw the image."""
    return torch.cat([smooth, torch.ones_like(smooth[:, :1])], 1)


names = st.lists(st.sampled_from(sorted(GENTLE)), min_size=2, max_size=4)


@given(names=names, p=st.sampled_from([0.5, 1]), step=st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_where_both_see_the_image_they_agree(names, p, step):
    """To 0.004 at most and 0.001 on average, of values in 0 to 1; what a chain lost is black."""
    fixed = {"RandomCrop", "RandomResizedCrop"}
    ops = tuple(OpSpec(op=name, p=1.0 if name in fixed else p, params=GENTLE[name]) for name in names)
    chain, fused = both(ops, coloured(SMOOTH), step)
    seen = (chain[:, 2:] > 0.999) & (fused[:, 2:] > 0.999)
    assert seen.float().mean() > 0.4
    error = (chain - fused).abs()[:, :2] * seen
    assert error.max() < 0.004 and error.mean() < 0.001
    # The chain can only lose: what it sees, one warp sees, but for the half pixel beyond an edge.
    lost = (chain[:, 2] > 0.999) & (fused[:, 2] < 0.5)
    assert not lost.any()


PADDED = ("RandomAffine", "RandomTranslate", "RandomShear")
ALONE = [(name, {}) for name in GENTLE] + [
    (name, {"padding_mode": mode}) for name in PADDED for mode in ("border", "reflection")
]


@pytest.mark.parametrize(("name", "more"), [*ALONE, ("RandomCrop", {"padding_mode": "replicate"})])
def test_one_warp_alone_is_kornias_own(name, more):
    """The very convention of each operation, edges included; 1e-4 is what float32 leaves."""
    params = GENTLE[name] | more
    images = torch.rand(4, 3, 23, 23, generator=torch.Generator().manual_seed(0))
    pipeline = build(OpSpec(op=name, params=params, p=1.0), side=23)
    draws = pipeline.draw(4, 0)
    expected = pipeline.apply(images, draws)
    after = fuse.apply([(pipeline.ops[0].module, draws.ops[0].params)], images)
    torch.testing.assert_close(after, expected, atol=1e-4, rtol=0)


def test_a_resized_crop_of_one_pixel_still_fills_the_image():
    ops = OpSpec(op="RandomResizedCrop", params={"scale": [0.05, 0.05], "ratio": [4, 4]})
    images = torch.rand(8, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    chain, fused = both((ops, OpSpec(op="RandomHorizontalFlip", p=1.0)), images)
    torch.testing.assert_close(fused, chain, atol=1e-4, rtol=0)


@given(step=st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_a_point_lands_where_the_drawn_numbers_say(step):
    """Rotation about the centre, a shift, a mirror: in closed form, in pixels."""
    pipeline = build("RandomRotation", "RandomTranslate", "RandomHorizontalFlip")
    draws = pipeline.draw(4, step)
    parts = [(op.module, drawn.params) for op, drawn in zip(pipeline.ops, draws.ops, strict=True)]
    back = torch.eye(3, dtype=torch.float64)
    for module, drawn in parts:
        back = back @ fuse.way_back(module, drawn, torch.Size((4, 3, SIDE, SIDE)))
    forth = torch.linalg.inv(back)
    x, y, middle = 10.0, 20.0, (SIDE - 1) / 2
    for i in range(4):
        turn = math.radians(float(parts[0][1]["degrees"][i]))  # counter-clockwise; y points down
        across, down = x - middle, y - middle
        moved_x = middle + math.cos(turn) * across + math.sin(turn) * down
        moved_y = middle - math.sin(turn) * across + math.cos(turn) * down
        moved_x += float(parts[1][1]["translate_x"][i])
        moved_y += float(parts[1][1]["translate_y"][i])
        expected = torch.tensor([SIDE - 1 - moved_x, moved_y, 1], dtype=torch.float64)
        point = forth[i] @ torch.tensor([x, y, 1], dtype=torch.float64)
        torch.testing.assert_close(point, expected, atol=1e-4, rtol=0)


def test_one_warp_keeps_what_a_chain_loses_at_the_edge():
    """There and back again: the chain has cut off a quarter of the image, one warp none of it."""
    there, back = (
        OpSpec(op="RandomTranslate", p=1.0, params={"translate_x": [x, x], "translate_y": [0, 0]})
        for x in (0.25, -0.25)
    )
    chain, fused = both((there, back), SMOOTH)
    torch.testing.assert_close(fused, SMOOTH, atol=1e-5, rtol=0)
    assert torch.equal(chain[..., -16:], torch.zeros_like(chain[..., -16:]))


def test_flips_alone_and_spared_images_are_exact():
    images = torch.rand(16, 3, 9, 9, generator=torch.Generator().manual_seed(0))
    flips = build(OpSpec(op="RandomHorizontalFlip", p=1.0), OpSpec(op="RandomVerticalFlip", p=1.0), side=9)
    assert flips.groups == ((0,), (1,)) and torch.equal(flips(images, 0), images.flip(2, 3))

    ops = [OpSpec(op=name, p=0.3) for name in ("RandomRotation", "RandomHorizontalFlip", "RandomPerspective")]
    pipeline = build(*ops, side=9)
    assert pipeline.groups == ((0, 1, 2),)
    draws = pipeline.draw(16, 0)
    spared = [i for i in range(16) if not any(op.fired(i) for op in draws.ops)]
    assert len(spared) > 2 and torch.equal(pipeline.apply(images, draws)[spared], images[spared])
    assert torch.equal(build(*(op.model_copy(update={"p": 0.0}) for op in ops), side=9)(images, 0), images)


def test_quarter_turns_and_a_flip_are_whole_pixels():
    images = torch.rand(6, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    quarter = OpSpec(op="RandomRotation90", p=1.0, params={"times": [1, 1]})
    pipeline = build(quarter, OpSpec(op="RandomHorizontalFlip", p=1.0), side=12)
    expected = images.rot90(1, (2, 3)).flip(3)
    assert pipeline.groups == ((0, 1),)
    torch.testing.assert_close(pipeline(images, 0), expected, atol=1e-5, rtol=0)


def groups(*ops: OpSpec | str, **fields) -> tuple[tuple[int, ...], ...]:
    return build(*ops, **fields).groups


def test_neighbours_that_read_alike_are_fused():
    border = OpSpec(op="RandomShear", params={"padding_mode": "border"})
    nearest = OpSpec(op="RandomRotation", params={"resample": "nearest"})
    noise, bend = OpSpec(op="RandomGaussianNoise"), OpSpec(op="RandomThinPlateSpline")
    mirrored = OpSpec(op="RandomCrop", params={"padding_mode": "reflect"})
    replicated = OpSpec(op="RandomCrop", params={"padding_mode": "replicate"})
    rotation, affine, shear, flip = "RandomRotation", "RandomAffine", "RandomShear", "RandomHorizontalFlip"

    assert groups(rotation, "RandomTranslate", shear) == ((0, 1, 2),)
    assert groups(rotation, affine, fuse=False) == ((0,), (1,))
    assert groups(rotation, noise, affine, shear) == ((0,), (1,), (2, 3))
    assert groups(flip, bend, bend, flip) == ((0,), (1,), (2,), (3,))
    assert groups(rotation, border, shear) == ((0,), (1,), (2,))
    assert groups(rotation, nearest, nearest) == ((0,), (1, 2))
    assert groups(flip, border, flip, rotation) == ((0, 1, 2), (3,))
    assert groups(mirrored, rotation) == ((0,), (1,))
    assert groups(replicated, border) == ((0, 1),) and groups(replicated, rotation) == ((0,), (1,))
    assert groups(flip, "RandomCrop", flip) == ((0,), (1,), (2,))
    off = OpSpec(op="RandomGaussianNoise", enabled=False)
    assert groups(rotation, off, shear) == ((0, 1),)


def test_choosing_runs_only_the_chosen_of_a_group():
    pipeline = build("RandomRotation", "RandomTranslate", "RandomShear", choose=2)
    for step in range(6):
        draws = pipeline.draw(4, step)
        ran = [name for name, op in zip(pipeline.ops, draws.ops, strict=True) if op.params is not None]
        parts = [(op.module, d.params) for op, d in zip(pipeline.ops, draws.ops, strict=True) if d.params]
        images = coloured(SMOOTH)
        assert len(ran) == 2 and torch.equal(
            pipeline.apply(images, draws), fuse.apply(parts, images).clamp(0, 1)
        )


def test_each_step_is_one_warp_by_the_operations_so_far():
    pipeline = build("RandomRotation", "RandomTranslate", OpSpec(op="RandomGamma"), "RandomShear")
    images = coloured(SMOOTH)
    draws = pipeline.draw(4, 0)
    after = pipeline.step_by_step(images, draws)
    assert torch.equal(after[-1], pipeline.apply(images, draws)) and len(after) == 4
    for count in range(1, 5):
        shorter = build("RandomRotation", "RandomTranslate", OpSpec(op="RandomGamma"), "RandomShear")
        shorter.groups = tuple(
            group for group in (tuple(i for i in g if i < count) for g in shorter.groups) if group
        )
        assert torch.equal(after[count - 1], shorter.apply(images, draws))
