"""Labels that geometry turns into others: directions by trigonometry, images by exact turns."""

import math

import pytest
import torch

from core.data.catalogue import load_dataset
from core.data.dataset import Dataset
from core.preview.label_changes import examples, reads_as
from core.run.spec import AugmentSpec, DataSpec, OpSpec

CLOCKWISE = ("up", "right", "down", "left")


def of(op, **params):
    return AugmentSpec(ops=(OpSpec(op=op, p=0.0, params=params),))


@pytest.mark.parametrize("start", range(4))
@pytest.mark.parametrize("degrees", range(-360, 361, 15))
def test_a_turned_arrow_reads_as_the_nearest_direction_or_is_left_alone(start, degrees):
    angle = math.radians(degrees)  # clockwise, as y points down
    up, right = (math.sin(angle), -math.cos(angle)), (math.cos(angle), math.sin(angle))
    quarters, rest = divmod(degrees + 45, 90)
    clear = abs(rest - 45) < 30
    expected = CLOCKWISE[(start + quarters) % 4] if clear else CLOCKWISE[start]
    if abs(abs(rest - 45) - 30) > 1:
        assert reads_as(CLOCKWISE[start], up, right) == expected


def test_half_a_turn_makes_a_six_a_nine_and_a_mirror_does_not():
    assert reads_as("6", (0, 1), (-1, 0)) == "9" and reads_as("9", (0, 2), (-2, 0)) == "6"
    assert reads_as("6", (0, 1), (1, 0)) == "6"  # upside down, but mirrored
    assert reads_as("6", (0, -1), (1, 0)) == reads_as("6", (1, 0), (0, 1)) == "6"


def test_what_can_not_be_seen_is_not_judged():
    assert reads_as("up", (0, 0), (0, 0)) == "up" and reads_as("6", (0, 0), (0, 0)) == "6"


@pytest.mark.parametrize(
    ("op", "axis", "swapped"),
    [("RandomHorizontalFlip", 2, {"left", "right"}), ("RandomVerticalFlip", 1, {"up", "down"})],
)
def test_a_flip_swaps_two_arrows_and_spares_the_others(op, axis, swapped):
    changes = examples(of(op), load_dataset(DataSpec(name="arrows")), seed=0, count=64)
    assert len(changes) == 32  # of 64 arrows, 16 of each direction
    for change in changes:
        assert {change.label, change.reads_as} == swapped
        assert torch.equal(change.after, change.before.flip(axis))
    assert len(examples(of(op), load_dataset(DataSpec(name="arrows")), seed=0, count=3)) == 3


def test_small_turns_and_bends_do_not_lie():
    arrows = load_dataset(DataSpec(name="arrows"))
    spec = AugmentSpec(
        ops=(
            OpSpec(op="RandomRotation", params={"degrees": [-20, 20]}),
            OpSpec(op="RandomAffine"),
            OpSpec(op="RandomCrop"),
            OpSpec(op="RandomInvert"),
            OpSpec(op="RandomHorizontalFlip", enabled=False),
        )
    )
    assert examples(spec, arrows, seed=0) == []


@pytest.mark.parametrize(("op", "clockwise"), [("RandomRotation", -1), ("RandomAffine", 1)])
def test_quarter_turns_go_the_way_the_image_went(op, clockwise):
    params = {"degrees": [90, 90]} | ({"translate": 0, "scale": [1, 1]} if op == "RandomAffine" else {})
    changes = examples(of(op, **params), load_dataset(DataSpec(name="arrows")), seed=0, count=64)
    assert len(changes) == 64
    for change in changes:
        assert CLOCKWISE.index(change.reads_as) == (CLOCKWISE.index(change.label) + clockwise) % 4
        turned = change.before.rot90(-clockwise, (1, 2)).double()
        assert (change.after.double() - turned).abs().max() <= 1


def test_digits():
    digits = load_dataset(DataSpec(name="mnist5k"))
    changes = examples(of("RandomRotation", degrees=[180, 180]), digits, seed=0, count=5)
    assert len(changes) == 5
    for change in changes:
        assert (change.label, change.reads_as) in (("6", "9"), ("9", "6"))
        assert (change.after.double() - change.before.flip((1, 2)).double()).abs().max() <= 1
    assert examples(of("RandomVerticalFlip"), digits, seed=0) == []


def test_names_that_say_nothing_give_no_examples():
    images = torch.zeros(4, 1, 16, 16, dtype=torch.uint8)
    cats = Dataset(images, torch.tensor([0, 1, 0, 1]), ("cat", "left"))
    assert examples(of("RandomHorizontalFlip"), cats, seed=0) == []  # there is no "right" to be read as
    cats = Dataset(images, torch.tensor([0, 1, 0, 1]), ("cat", "dog"))
    assert examples(of("RandomHorizontalFlip"), cats, seed=0) == []
