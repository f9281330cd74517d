"""A filmstrip's frames are previews, and only the swept parameter changes."""

from itertools import pairwise

import pytest
import torch

from core.augment.catalogue import OPERATIONS
from core.catalogue import Choice, Flag, Number, Range
from core.preview.results import preview
from core.preview.sweep import label, sweep, values
from core.run.errors import SpecError
from core.run.spec import AugmentSpec, OpSpec

IMAGE = torch.randint(0, 256, (3, 24, 24), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def of(*ops: OpSpec, **fields) -> AugmentSpec:
    return AugmentSpec(ops=ops, **fields)


@pytest.mark.parametrize(
    ("op", "parameter", "sign"), [("RandomBrightness", "brightness", 1), ("RandomGamma", "gamma", -1)]
)
def test_the_mean_follows_the_parameter(op, parameter, sign):
    frames = sweep(of(OpSpec(op=op, p=0.0)), 0, parameter, IMAGE, seed=1, step=2)
    means = [sign * float(frame.image.double().mean()) for frame in frames]
    assert len(frames) == 8 and all(a < b for a, b in pairwise(means))


def test_brightness_adds_what_the_label_says():
    grey = torch.full((1, 8, 8), 100, dtype=torch.uint8)
    frames = sweep(of(OpSpec(op="RandomBrightness")), 0, "brightness", grey, steps=5, seed=0, step=0)
    assert [frame.label for frame in frames] == ["0", "0.5", "1", "1.5", "2"]
    for frame, expected in zip(frames, (0, 0, 100, 227.5, 255), strict=True):
        assert frame.image.dtype == torch.uint8 and frame.image.shape == (1, 8, 8)
        assert (frame.image.double() - expected).abs().max() <= 0.5


@pytest.mark.parametrize("whole", [False, True])
def test_a_frame_is_the_preview_at_that_value(whole):
    ops = (
        OpSpec(op="RandomAffine", p=0.5),
        OpSpec(op="RandomGaussianNoise", p=1.0),
        OpSpec(op="RandomContrast", enabled=False),
    )
    frames = sweep(of(*ops), 1, "std", IMAGE, steps=4, seed=3, step=5, whole=whole)
    std = next(each for each in OPERATIONS["RandomGaussianNoise"].parameters if each.name == "std")
    for k, frame in enumerate(frames):
        value = round(std.low + (std.high - std.low) * k / 3, 6)
        noise = ops[1].model_copy(update={"params": {"std": value}})
        spec = of(ops[0], noise, ops[2]) if whole else of(noise)
        expected = preview(spec, IMAGE[None], seed=3, step=5).results[0]
        assert torch.equal(frame.image, expected)


def test_the_place_stays_when_the_paint_changes():
    """The erased box: its own grey in every frame, and nothing else is touched."""
    frames = sweep(of(OpSpec(op="RandomErasing")), 0, "value", IMAGE, steps=6, seed=4, step=0)
    box = (frames[0].image != frames[-1].image).any(0)
    assert 0 < int(box.sum()) < box.numel()
    for k, frame in enumerate(frames):
        assert bool((frame.image[:, box] == 51 * k).all())
        assert torch.equal(frame.image[:, ~box], IMAGE[:, ~box])


def test_shift_and_scale_stay_when_the_angle_changes():
    """−180° and 180° are one angle, so one image, if nothing else was drawn anew; 0° is another."""
    op = OpSpec(op="RandomAffine", params={"translate": 0.3, "scale": [0.5, 1.5]})
    first, middle, last = (
        frame.image.double() for frame in sweep(of(op), 0, "degrees", IMAGE, steps=3, seed=4, step=0)
    )
    assert (first - last).abs().max() <= 1 < 20 < (first - middle).abs().mean()


def test_a_stream_draws_what_it_draws_in_its_pipeline():
    first, second = of(OpSpec(op="RandomErasing"), OpSpec(op="RandomErasing")).ops
    alone = sweep(of(first, second), 1, "value", IMAGE, steps=2, seed=4, step=0)
    black = second.model_copy(update={"p": 1.0, "params": {"value": 0.0}})
    expected = preview(of(black), IMAGE[None], seed=4, step=0).results[0]
    assert torch.equal(alone[0].image, expected)
    assert not torch.equal(
        alone[0].image, sweep(of(first, second), 0, "value", IMAGE, steps=2, seed=4, step=0)[0].image
    )


def test_the_others_stand_around_it_if_asked():
    spec = of(OpSpec(op="RandomInvert", p=1.0), OpSpec(op="RandomContrast", p=0.0), choose=1)
    alone = sweep(spec, 1, "contrast", IMAGE, steps=5, seed=0, step=0)
    whole = sweep(spec, 1, "contrast", IMAGE, steps=5, seed=0, step=0, whole=True)
    assert alone[0].image.max() == whole[0].image.max() == 0 and alone[1].label == "×1"
    assert torch.equal(alone[1].image, IMAGE)
    assert torch.equal(whole[1].image, 255 - IMAGE)


def test_eight_bits_change_nothing_and_words_are_swept_in_order():
    frames = sweep(of(OpSpec(op="RandomPosterize")), 0, "bits", IMAGE, seed=0, step=0)
    assert [frame.label.split()[0] for frame in frames] == list("12345678")
    assert torch.equal(frames[-1].image, IMAGE)
    words = sweep(of(OpSpec(op="RandomRotation")), 0, "resample", IMAGE, seed=0, step=0)
    assert [frame.label for frame in words] == ["bilinear", "nearest"]
    assert not torch.equal(words[0].image, words[1].image)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_parameter_of_every_operation_can_be_swept(name):
    for parameter in OPERATIONS[name].parameters:
        frames = sweep(of(OpSpec(op=name)), 0, parameter.name, IMAGE, steps=3, seed=0, step=0)
        assert len({frame.label for frame in frames}) == len(frames) >= 2
        assert all(frame.image.shape == IMAGE.shape for frame in frames)


def test_values_are_spaced_as_the_slider_is():
    linear = values(Range("angle", (-1, 1), -180, 180, ""), 5)
    assert linear == [-180, -90, 0, 90, 180]
    low, *between, high = values(Number("rate", 1, 1e-4, 1, "", scale="log"), 5)
    assert (low, high) == (1e-4, 1) and between == pytest.approx([1e-3, 1e-2, 1e-1])
    assert values(Number("count", 1, 1, 3, "", integer=True), 8) == [1, 2, 3]
    assert values(Flag("on", True, ""), 8) == [False, True]
    assert values(Choice("word", "a", ("b", "a"), ""), 2) == ["b", "a"]
    third = values(Number("third", 0, -1 / 3, 1 / 3, ""), 4)
    assert third[0] == -1 / 3 and third[-1] == 1 / 3  # a rounded end would be out of bounds


def test_labels_have_units():
    def written(unit, value):
        return label(Number("n", 0, -1000, 1000, "", unit), value)

    assert written("°", -15.0) == "−15°"
    assert written("×", 1.25) == "×1.25"
    assert written("of the side", 0.1) == "0.1 of the side"
    assert written("", 0.285714) == "0.286"
    assert [label(Flag("on", True, ""), value) for value in (True, False)] == ["on", "off"]


def test_what_a_preview_refuses_a_sweep_refuses():
    with pytest.raises(SpecError, match="one channel"):
        sweep(of(OpSpec(op="RandomHue")), 0, "hue", IMAGE[:1], seed=0, step=0)
