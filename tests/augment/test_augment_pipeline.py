"""Whose draws depend on what, and what the operations do, against closed forms."""

import math
import threading

import kornia.augmentation as K
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.augment.catalogue import OPERATIONS
from core.augment.check import completed_augment
from core.augment.draws import Draws
from core.augment.pipeline import Pipeline
from core.randomness import derive
from core.run.spec import AugmentSpec, OpSpec

IMAGES = torch.rand(6, 3, 12, 12, generator=torch.Generator().manual_seed(0))


def build(*ops: OpSpec, channels: int = 3, side: int = 12, seed: int = 5, **fields) -> Pipeline:
    spec = completed_augment(AugmentSpec(ops=ops, **fields), channels)
    return Pipeline(spec, channels=channels, side=side, seed=seed)


def same(a: Draws, i: int, b: Draws, j: int) -> bool:
    """Whether operation ``i`` of ``a`` drew, bit for bit, what operation ``j`` of ``b`` did."""
    first, second = a.ops[i].params, b.ops[j].params
    if first is None or second is None:
        return first is second
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


@st.composite
def pipelines(draw):
    """Two to six operations, with repetitions, their streams numbered as a spec numbers them."""
    names = draw(st.lists(st.sampled_from(sorted(OPERATIONS)), min_size=2, max_size=6))
    return AugmentSpec(ops=tuple(OpSpec(op=name) for name in names)).ops


@given(ops=pipelines(), data=st.data())
@settings(max_examples=25, deadline=None)
def test_changing_one_operation_leaves_the_others_draws_alone(ops, data):
    step = data.draw(st.integers(0, 10**6))
    whole = build(*ops).draw(4, step)
    victim = data.draw(st.integers(0, len(ops) - 1))
    others = [i for i in range(len(ops)) if i != victim]

    removed = build(*(ops[i] for i in others)).draw(4, step)
    off = ops[victim].model_copy(update={"enabled": False})
    switched_off = build(*ops[:victim], off, *ops[victim + 1 :]).draw(4, step)
    for place, i in enumerate(others):
        assert same(whole, i, removed, place) and same(whole, i, switched_off, place)

    order = data.draw(st.permutations(range(len(ops))))
    moved = build(*(ops[i] for i in order)).draw(4, step)
    assert all(same(whole, i, moved, place) for place, i in enumerate(order))

    added = build(OpSpec(op="RandomAffine", stream=999), *ops).draw(4, step)
    assert all(same(whole, i, added, i + 1) for i in range(len(ops)))


@given(ops=pipelines(), step=st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_a_step_can_be_repeated_whatever_came_before(ops, step):
    first, second = build(*ops), build(*ops)
    second(IMAGES, step + 1)
    state = torch.get_rng_state()
    expected = first(IMAGES, step)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(step)
    assert torch.equal(second(IMAGES, step), expected)
    draws = second.draw(len(IMAGES), step)
    after = second.step_by_step(IMAGES, draws)
    assert len(after) == len(ops) and torch.equal(after[-1], expected)


def test_steps_seeds_and_streams_differ():
    op = OpSpec(op="RandomRotation")
    angles = [
        build(op, seed=seed).draw(6, step).ops[0].params["degrees"] for seed in (5, 6) for step in (0, 1)
    ]
    first, second = build(op, op).draw(6, 0).ops
    angles.append(second.params["degrees"])
    assert torch.equal(first.params["degrees"], angles[0])
    assert all(not torch.equal(a, b) for i, a in enumerate(angles) for b in angles[:i])


def test_the_seed_of_an_operation_is_what_the_documentation_says():
    torch.manual_seed(derive(5, "augment", "RandomRotation", 0, 17))
    expected = torch.rand(6) * 30 - 15
    draws = build(OpSpec(op="RandomRotation", p=1.0)).draw(6, 17)
    torch.testing.assert_close(draws.ops[0].params["degrees"], expected)


def test_two_threads_at_once_give_what_each_gives_alone():
    ops = tuple(OpSpec(op=name) for name in OPERATIONS)[:32]
    alone = {seed: [build(*ops, seed=seed)(IMAGES, step) for step in range(3)] for seed in (1, 2)}
    together: dict[int, list[torch.Tensor]] = {}
    start = threading.Barrier(2)

    def work(seed: int) -> None:
        pipeline = build(*ops, seed=seed)
        start.wait()
        together[seed] = [pipeline(IMAGES, step) for step in range(3)]

    threads = [threading.Thread(target=work, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed, results in alone.items():
        assert all(torch.equal(a, b) for a, b in zip(results, together[seed], strict=True))


def test_choose_runs_that_many_in_order_and_each_as_often():
    ops = tuple(OpSpec(op=name, p=1.0) for name in ("RandomRotation", "RandomAffine", "RandomErasing"))
    everything, some = build(*ops), build(*ops, choose=2)
    counts = [0, 0, 0]
    for step in range(60):
        all_draws, draws = everything.draw(2, step), some.draw(2, step)
        ran = [i for i in range(3) if draws.ops[i].params is not None]
        assert len(ran) == 2
        assert all(same(all_draws, i, draws, i) for i in ran)
        assert [op.fired for op in draws.describe(0)] == [i in ran for i in range(3)]
        for i in ran:
            counts[i] += 1
    assert min(counts) > 25  # 40 expected, deviation 3.7
    skipped = next(i for i in range(3) if draws.ops[i].params is None)
    after = some.step_by_step(IMAGES[:2], draws)
    before = IMAGES[:2] if skipped == 0 else after[skipped - 1]
    assert torch.equal(after[skipped], before)


def test_no_operations_give_the_images_back():
    pipeline = build(OpSpec(op="RandomErasing", enabled=False))
    assert pipeline(IMAGES, 0) is IMAGES and pipeline.draw(6, 0).describe(0) == []


def test_a_network_can_be_trained_on_the_result():
    weight = torch.ones(1, 3, 3, 3, requires_grad=True)
    images = build(OpSpec(op="RandomAffine"))(IMAGES.clone().requires_grad_(), 0)
    assert not images.requires_grad
    torch.nn.functional.conv2d(images, weight).sum().backward()
    assert weight.grad is not None


def test_p_is_the_share_that_fires():
    draws = build(OpSpec(op="RandomHorizontalFlip", p=0.3)).draw(4000, 0)
    share = sum(draws.describe(i)[0].fired for i in range(4000)) / 4000
    assert math.isclose(share, 0.3, abs_tol=0.03)  # 4 deviations


@pytest.mark.parametrize(("name", "axis"), [("RandomHorizontalFlip", 3), ("RandomVerticalFlip", 2)])
def test_flips_are_flips(name, axis):
    pipeline = build(OpSpec(op=name, p=0.5))
    draws = pipeline.draw(6, 1)
    fired = [op.fired for i in range(6) for op in draws.describe(i)]
    after = pipeline.apply(IMAGES, draws)
    assert 0 < sum(fired) < 6
    for i in range(6):
        assert torch.equal(after[i], IMAGES[i].flip(axis - 1) if fired[i] else IMAGES[i])


@pytest.mark.parametrize(
    ("name", "degrees", "shown", "quarters"),
    [
        ("RandomRotation", 90, "+90.0° ↺", 1),
        ("RandomRotation", -90, "−90.0° ↻", -1),
        ("RandomAffine", 90, "+90.0° ↺", 1),
        ("RandomAffine", -90, "−90.0° ↻", -1),
    ],
)
def test_an_angle_is_shown_with_the_way_the_image_turned(name, degrees, shown, quarters):
    """`torch.rot90` by one quarter takes the first axis, down, to the second, right: counter-clockwise."""
    params = {"degrees": [degrees, degrees]}
    if name == "RandomAffine":
        params |= {"translate": 0, "scale": [1, 1]}
    pipeline = build(OpSpec(op=name, p=1.0, params=params))
    draws = pipeline.draw(6, 0)
    after = pipeline.apply(IMAGES, draws)
    torch.testing.assert_close(after, IMAGES.rot90(quarters, (2, 3)), atol=1e-4, rtol=0)
    assert draws.describe(0)[0].values[0] == (
        ("angle", shown) if name == "RandomRotation" else ("rotation", shown)
    )


def test_wart_kornia_4408_a_positive_angle_turns_two_ways():
    """Kornia's own directions. An upgrade that mends them shows here: `_affine_arguments` must follow."""
    for module, quarters in ((K.RandomRotation((90, 90), p=1.0), 1), (K.RandomAffine((90, 90), p=1.0), -1)):
        torch.testing.assert_close(module(IMAGES), IMAGES.rot90(quarters, (2, 3)), atol=1e-4, rtol=0)


def test_the_drawn_angle_is_in_the_range_that_was_set():
    """Also where it is not symmetric: what is shown never leaves it, at any strength."""
    for strength in (0.5, 1.0):
        op = OpSpec(op="RandomAffine", p=1.0, params={"degrees": [-10, 40]})
        spec = completed_augment(AugmentSpec(ops=(op,), strength=strength), 3)
        draws = Pipeline(spec, channels=3, side=9, seed=0).draw(200, 0)
        shown = [dict(draws.describe(i)[0].values)["rotation"] for i in range(200)]
        angles = [float(text.split("°")[0].replace("−", "-")) for text in shown]
        assert -10 * strength <= min(angles) < -7 * strength and 37 * strength < max(angles) <= 40 * strength
        assert all(("↺" in text) == (angle > 0) for text, angle in zip(shown, angles, strict=True) if angle)


def test_a_positive_shear_moves_the_top_to_the_right_in_every_operation():
    column = torch.zeros(1, 3, 21, 21)
    column[..., 10] = 1
    still = {"degrees": [0, 0], "translate": 0, "scale": [1, 1]}
    for name, more in (("RandomShear", {}), ("RandomAffine", still)):
        op = OpSpec(op=name, p=1.0, params={"shear": [20, 20], **more})
        spec = completed_augment(AugmentSpec(ops=(op,)), 3)
        after = Pipeline(spec, channels=3, side=21, seed=0)(column, 0)[0, 0]
        assert after[4].argmax() > 10 > after[16].argmax()


def test_a_shift_is_shown_to_the_right_and_down():
    """One bright pixel lands where the shift that is shown says."""
    images = torch.zeros(8, 1, 41, 41)
    images[:, 0, 20, 20] = 1
    ops = OpSpec(op="RandomAffine", p=1.0, params={"degrees": [0, 0], "scale": [1, 1], "translate": 0.4})
    pipeline = build(ops, channels=1, side=41)
    draws = pipeline.draw(8, 0)
    after = pipeline.apply(images, draws)[:, 0]
    grid = torch.arange(41.0)
    for i in range(8):
        x, y = (after[i].sum(0) @ grid).item() - 20, (after[i].sum(1) @ grid).item() - 20
        shown = dict(draws.describe(i)[0].values)["shift"].removesuffix(" px").replace("−", "-")
        assert [float(part) for part in shown.split(", ")] == pytest.approx([x, y], abs=0.06)


def test_a_crop_is_a_shift_by_the_whole_pixels_that_are_shown():
    pipeline = build(OpSpec(op="RandomCrop", params={"padding": 0.25}))  # 3 of 12 pixels
    draws = pipeline.draw(6, 0)
    after = pipeline.apply(IMAGES, draws)
    shifts = set()
    for i in range(6):
        shown = draws.describe(i)[0].values[0][1].removesuffix(" px").replace("−", "-")
        right, down = (int(part) for part in shown.split(", "))
        shifts |= {right, down}
        padded = torch.nn.functional.pad(IMAGES[i], (3, 3, 3, 3))
        assert torch.equal(after[i], padded[:, 3 - down : 15 - down, 3 - right : 15 - right])
    assert len(shifts) > 3 and max(map(abs, shifts)) <= 3


def test_a_resized_crop_enlarges_the_box_that_is_shown():
    pipeline = build(OpSpec(op="RandomResizedCrop", params={"scale": [0.2, 0.8]}))
    draws = pipeline.draw(6, 0)
    after = pipeline.apply(IMAGES, draws)
    for i in range(6):
        size, place = draws.describe(i)[0].values[0][1].split(" px at ")
        width, height = map(int, size.split("×"))
        left, top = map(int, place.strip("()").split(", "))
        box = IMAGES[i : i + 1, :, top : top + height, left : left + width]
        expected = torch.nn.functional.interpolate(box, (12, 12), mode="bilinear", align_corners=True)
        torch.testing.assert_close(after[i : i + 1], expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("ratio", [[0.3, 3.3], [0.9999999999999999, 3.0], [0.1, 1.0000000000000002]])
def test_erasing_paints_the_box_that_is_shown_and_nothing_else(ratio):
    pipeline = build(OpSpec(op="RandomErasing", p=1.0, params={"value": 0.25, "ratio": ratio}))
    draws = pipeline.draw(6, 0)
    after = pipeline.apply(IMAGES, draws)
    for i in range(6):
        size, place = draws.describe(i)[0].values[0][1].split(" px at ")
        width, height = map(int, size.split("×"))
        left, top = map(int, place.strip("()").split(", "))
        expected = IMAGES[i].clone()
        expected[:, top : top + height, left : left + width] = 0.25
        assert torch.equal(after[i], expected)


def test_brightness_adds_and_contrast_multiplies():
    def shown(draws: Draws) -> torch.Tensor:
        texts = [draws.describe(i)[0].values[0][1] for i in range(6)]
        return torch.tensor([float(t.replace("−", "-").strip("×")) for t in texts]).view(6, 1, 1, 1)

    brightness, contrast = (build(OpSpec(op=op, p=1.0)) for op in ("RandomBrightness", "RandomContrast"))
    draws = brightness.draw(6, 0)
    expected = (IMAGES + shown(draws)).clamp(0, 1)
    torch.testing.assert_close(brightness.apply(IMAGES, draws), expected, atol=0.006, rtol=0)
    draws = contrast.draw(6, 0)
    expected = (IMAGES * shown(draws)).clamp(0, 1)
    torch.testing.assert_close(contrast.apply(IMAGES, draws), expected, atol=0.006, rtol=0)


def test_hue_turns_red_to_green_by_a_third_of_a_turn():
    red = torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1).expand(1, 3, 12, 12)
    pipeline = build(OpSpec(op="RandomHue", p=1.0, params={"hue": [1 / 3, 1 / 3]}))
    draws = pipeline.draw(1, 0)
    green = torch.tensor([0, 1.0, 0]).view(1, 3, 1, 1).expand(1, 3, 12, 12)
    torch.testing.assert_close(pipeline.apply(red, draws), green, atol=1e-4, rtol=0)
    assert draws.describe(0)[0].values == (("hue", "+120°"),)


def test_noise_has_the_mean_and_deviation_that_were_asked_for_and_that_are_shown():
    grey = torch.full((4, 1, 64, 64), 0.5)
    op = OpSpec(op="RandomGaussianNoise", p=1.0, params={"std": 0.05, "mean": 0.1})
    pipeline = build(op, channels=1, side=64)
    draws = pipeline.draw(4, 0)
    noise = pipeline.apply(grey, draws) - grey
    assert noise.std().item() == pytest.approx(0.05, rel=0.03)
    for i in range(4):
        values = dict(draws.describe(i)[0].values)
        assert float(values["mean"]) == pytest.approx(noise[i].mean().item(), abs=6e-4)
        assert float(values["deviation"]) == pytest.approx(noise[i].std().item(), abs=6e-4)


def test_salt_and_pepper_are_counted():
    grey = torch.full((4, 3, 64, 64), 0.5)
    pipeline = build(OpSpec(op="RandomSaltAndPepperNoise", p=1.0), side=64)
    draws = pipeline.draw(4, 0)
    after = pipeline.apply(grey, draws)
    for i in range(4):
        values = dict(draws.describe(i)[0].values)
        assert values == {
            "salt": f"{(after[i, 0] == 1).sum()} px",
            "pepper": f"{(after[i, 0] == 0).sum()} px",
        }
        assert torch.equal(after[i, 0], after[i, 2])


def test_blur_spreads_one_pixel_as_a_gaussian():
    image = torch.zeros(1, 1, 41, 41)
    image[0, 0, 20, 20] = 1
    pipeline = build(OpSpec(op="RandomGaussianBlur", p=1.0, params={"sigma": [2, 2]}), channels=1, side=41)
    draws = pipeline.draw(1, 0)
    offsets = torch.arange(-20.0, 21) ** 2
    expected = torch.exp(-(offsets[:, None] + offsets) / 8) / (8 * math.pi)
    torch.testing.assert_close(pipeline.apply(image, draws)[0, 0], expected, atol=3e-4, rtol=0)
    assert draws.describe(0)[0].values == (("deviation", "2.00 px"),)
