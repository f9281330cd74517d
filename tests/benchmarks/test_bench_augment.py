"""The augmentation benchmark compares equal things, and its words follow from its numbers."""

import functools
import json

import pytest
import torch

from core.augment.catalogue import OPERATIONS
from core.augment.check import completed_augment
from core.augment.pipeline import built
from core.bench import augment, bench, contenders
from core.bench.contenders import CONTENDERS, installed, ours
from core.run.spec import AugmentSpec, OpSpec

NAMES = installed()
OTHERS = NAMES[1:]


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)  # Kornia's container and the Pillow loop's noise draw from torch's generator


def completed(channels, *ops):
    given = tuple(OpSpec(op=op, p=p, params=params) for op, p, params in ops)
    return completed_augment(AugmentSpec(ops=given), channels).ops


def bells(channels, side, count=3):
    """Smooth pictures, not symmetric, dark at the edges; bytes, every one and every channel another."""
    y, x = torch.meshgrid(*[torch.linspace(0, 1, side)] * 2, indexing="ij")
    bell = torch.exp(-12 * ((x - 0.4) ** 2 + 3 * (y - 0.45) ** 2 + 0.8 * (x - 0.5) * (y - 0.5)))
    height = 0.5 + 0.1 * torch.arange(count)[:, None] + 0.1 * torch.arange(channels)
    return (255 * height[..., None, None] * bell).round().byte()  # (count, channels, side, side)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("pipeline", augment.PIPELINES)
@pytest.mark.parametrize("channels", [1, 3])
def test_each_makes_the_same_kind_of_batch(name, pipeline, channels):
    ops = completed_augment(AugmentSpec(ops=augment.PIPELINES[pipeline]), channels).ops
    images = bells(channels, 16, 1).expand(12, -1, -1, -1).contiguous()
    batch = CONTENDERS[name](ops, images)
    first, second = batch(0), batch(1)
    assert first.shape == images.shape and first.dtype == torch.float32
    assert first.min() >= 0 and first.max() <= 1
    assert not torch.equal(first, second), "every step draws anew"
    assert len(first.flatten(1).unique(dim=0)) > 1, "every image has draws of its own"
    assert torch.equal(images, bells(channels, 16, 1).expand(12, -1, -1, -1)), "the source stays as it was"


# What each does where nothing is left to chance; shifts are whole pixels, which albumentations rounds to.
STILL = {"degrees": [0, 0], "translate": 0, "scale": [1, 1], "shear": [0, 0]}
FIXED = {
    "flip": ("RandomHorizontalFlip", {}),
    "rotation": ("RandomRotation", {"degrees": [20, 20]}),
    "affine, turned": ("RandomAffine", STILL | {"degrees": [20, 20]}),
    "affine, larger": ("RandomAffine", STILL | {"scale": [1.3, 1.3]}),
    "affine, leant": ("RandomAffine", STILL | {"shear": [15, 15]}),
    "shift": ("RandomTranslate", {"translate_x": [0.25, 0.25], "translate_y": [-0.125, -0.125]}),
    "shear": ("RandomShear", {"shear": [15, 15]}),
    "blur": ("RandomGaussianBlur", {"sigma": [1.5, 1.5]}),
    "whole crop": ("RandomResizedCrop", {"scale": [1, 1], "ratio": [1, 1]}),
}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("fixed", FIXED)
@pytest.mark.parametrize("channels", [1, 3])
def test_each_does_what_ours_does(name, fixed, channels):
    op, params = FIXED[fixed]
    ops, images = completed(channels, (op, 1.0, params)), bells(channels, 32)
    expected, found = ours(ops, images)(0), CONTENDERS[name](ops, images)(0)
    inside = (slice(None), slice(None), slice(3, -3), slice(3, -3))  # Pillow's edges are its own
    torch.testing.assert_close(found[inside], expected[inside], atol=0.02, rtol=0)
    assert (found - expected).abs().mean() < 0.004
    changed = (expected - images / 255).abs().max()
    assert changed < 1e-4 if fixed == "whole crop" else changed > 0.05


@pytest.mark.parametrize("name", NAMES)
def test_a_flip_and_tones_are_the_closed_form(name):
    images = bells(3, 32)
    flipped = CONTENDERS[name](completed(3, ("RandomHorizontalFlip", 1.0, {})), images)(0)
    torch.testing.assert_close(flipped, images.flip(3) / 255)
    tones = (
        ("RandomContrast", 1.0, {"contrast": [0.8, 0.8]}),
        ("RandomBrightness", 1.0, {"brightness": [1.1, 1.1]}),
    )
    toned = CONTENDERS[name](completed(3, *tones), images)(0)
    torch.testing.assert_close(toned, 0.8 * images / 255 + 0.1, atol=1.01 / 255, rtol=0)


@pytest.mark.parametrize("name", NAMES)
def test_ranges_and_probabilities_are_the_same(name):
    build, grey = CONTENDERS[name], torch.full((256, 1, 16, 16), 128, dtype=torch.uint8)
    tones = (
        ("RandomContrast", 1.0, {"contrast": [1, 1]}),
        ("RandomBrightness", 1.0, {"brightness": [0.7, 1.3]}),
    )
    means = build(completed(1, *tones), grey)(0).mean((1, 2, 3)) - 128 / 255
    assert -0.31 < means.min() < -0.27 and 0.27 < means.max() < 0.31

    noise = build(completed(1, ("RandomGaussianNoise", 1.0, {"std": 0.1, "mean": 0.1})), grey)(0) - 128 / 255
    assert abs(noise.mean() - 0.1) < 0.005 and abs(noise.std() - 0.1) < 0.005

    square = {"scale": [0.25, 0.25], "ratio": [1, 1], "value": 1}
    erased = build(completed(1, ("RandomErasing", 0.5, square)), grey)(0) > 0.9
    share = erased.float().mean((1, 2, 3))
    assert 0.4 < (share > 0).float().mean() < 0.6
    assert abs(share[share > 0].mean() - 0.25) < 0.05

    batch = bells(1, 16, 1).expand(256, -1, -1, -1)
    flipped = build(completed(1, ("RandomHorizontalFlip", 0.5, {})), batch)(0)
    assert 0.4 < (flipped != batch / 255).any(3).any(2).float().mean() < 0.6


def test_kornia_runs_its_own_modules():
    for op in (
        op for ops in augment.PIPELINES.values() for op in completed_augment(AugmentSpec(ops=ops), 1).ops
    ):
        module = built(OPERATIONS[op.op], op.params, 1.0, 16)
        assert type(module).__module__.startswith("kornia.")


def test_every_round_runs_each_once_and_another_goes_first(monkeypatch):
    ran = []

    def contender(name):
        return lambda ops, images: lambda step: ran.append((name, step)) or images

    fakes = {name: contender(name) for name in ("ours", "b", "c")}
    monkeypatch.setattr(augment, "CONTENDERS", fakes)
    monkeypatch.setattr(augment, "installed", lambda: list(fakes))
    rates = augment._rates((), torch.zeros(4, 1, 8, 8), rounds=3, seconds=0)
    assert [len(each) for each in rates.values()] == [3, 3, 3]
    warm, rounds = ran[:3], [name for name, _ in ran[3:]]
    assert warm == [("ours", 0), ("b", 0), ("c", 0)]
    assert rounds == ["ours", "b", "c", "b", "c", "ours", "c", "ours", "b"]


def row(shape, pipeline, ours_rates, **others):
    return augment._row(shape, pipeline, {"ours": ours_rates, **others})


def test_ratios_are_paired_within_a_round():
    measured = row("1×28×28", "affine", [10, 40, 60], them=[20, 10, 30])
    assert measured["images_per_second"] == {"ours": 40, "them": 20}
    assert measured["ours_ratio_to"] == {"them": 2}  # of 0.5, 4 and 2


def test_the_verdict_names_every_loss():
    rows = [
        row("1×28×28", "affine", [200], them=[100]),
        row("1×28×28", "flip", [104], them=[100]),
        row("1×28×28", "blur", [96], them=[100]),
        row("3×224×224", "affine", [50], them=[100]),
        row("3×224×224", "blur", [90], them=[100]),
    ]
    assert augment.verdict(rows, "them") == (
        "Faster than them in 1 of 5, within 5 % in 2, slower in 2 (at 3×224×224 affine 0.50, blur 0.90)."
    )
    assert augment.verdict(rows[:1], "them") == "Faster than them in 1 of 1, within 5 % in 0, slower in 0."


tiny = functools.partial(
    augment.measure,
    batch_size=2,
    shapes=((1, 8), (3, 8)),
    pipelines={"flip": (OpSpec(op="RandomHorizontalFlip", p=1.0),)},
    seconds=0,
)


def test_the_table_has_all_numbers_and_says_what_is_not_installed(monkeypatch):
    monkeypatch.setattr(contenders, "find_spec", lambda name: None)
    threads = torch.get_num_threads()
    measured = tiny(2)
    assert torch.get_num_threads() == threads
    text = augment.table(measured)
    for each in measured["rows"]:
        assert each["shape"] in text
        for number in each["images_per_second"].values():
            assert f"{number:,.0f}" in text
        for number in each["ours_ratio_to"].values():
            assert f"{number:.2f}" in text
    assert text.splitlines()[-1] == "albumentations: not installed; pip install -r requirements-bench.txt"
    assert "Faster than Kornia in" in text and "Faster than Pillow in" in text
    assert "Faster than albumentations" not in text
    assert max(map(len, text.splitlines())) <= augment.WIDTH


def test_the_command_prints_json_of_the_part_asked_for(monkeypatch, capsys):
    monkeypatch.setattr(augment, "measure", tiny)
    assert bench(as_json=True, only="augment", rounds=1) == 0
    measured = json.loads(capsys.readouterr().out)
    assert list(measured) == ["augment"] and measured["augment"]["rounds"] == 1
    assert [each["shape"] for each in measured["augment"]["rows"]] == ["1×8×8", "3×8×8"]
    rates = measured["augment"]["rows"][0]["rates"]
    assert list(rates) == NAMES and all(len(each) == 1 for each in rates.values())
