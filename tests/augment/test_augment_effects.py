"""More operations against closed forms, and the words that are shown for what they drew."""

import pytest
import torch

from core.augment.check import completed_augment
from core.augment.pipeline import Pipeline
from core.run.spec import AugmentSpec, OpSpec

IMAGES = torch.rand(6, 3, 12, 12, generator=torch.Generator().manual_seed(1))


def run(name: str, images: torch.Tensor = IMAGES, **params) -> tuple[torch.Tensor, list[dict[str, str]]]:
    """The images after one operation with p = 1, and what is shown for each of them."""
    channels, side = images.shape[1], images.shape[3]
    spec = completed_augment(AugmentSpec(ops=(OpSpec(op=name, p=1.0, params=params),)), channels)
    pipeline = Pipeline(spec, channels=channels, side=side, seed=3)
    draws = pipeline.draw(len(images), 0)
    shown = [dict(draws.describe(i)[0].values) for i in range(len(images))]
    return pipeline.apply(images, draws), shown


def value(text: str) -> float:
    """The first number of a text as it is shown to people."""
    return float(text.replace("−", "-").split()[0].strip("×°,"))


@pytest.mark.parametrize(("times", "shown"), [(1, "+90° ↺"), (-1, "−90° ↻"), (2, "+180° ↺")])
def test_quarter_turns(times, shown):
    after, texts = run("RandomRotation90", times=[times, times])
    torch.testing.assert_close(after, IMAGES.rot90(times, (2, 3)), atol=1e-4, rtol=0)
    assert texts[0] == {"angle": shown}


def test_translation_is_to_the_right_and_down():
    after, texts = run("RandomTranslate", translate_x=[0.25, 0.25], translate_y=[-0.5, -0.5])
    expected = torch.zeros_like(IMAGES)
    expected[:, :, :6, 3:] = IMAGES[:, :, 6:, :9]
    torch.testing.assert_close(after, expected, atol=1e-4, rtol=0)
    assert texts[0] == {"shift": "+3.0, −6.0 px"}


@pytest.mark.parametrize("name", ["RandomShear", "RandomAffine"])
def test_a_positive_shear_moves_the_top_to_the_right(name):
    line = torch.zeros(1, 1, 41, 41)
    line[..., 20] = 1
    others = {} if name == "RandomShear" else {"degrees": [0, 0], "scale": [1, 1], "translate": 0}
    after, texts = run(name, line, shear=[45, 45], **others)
    row = torch.arange(11, 30)
    assert torch.equal(after[0, 0].argmax(1)[row], 40 - row)
    assert texts[0]["shear"] == "+45.0°"


def test_gamma_is_a_power():
    after, texts = run("RandomGamma", gamma=[2, 2])
    torch.testing.assert_close(after, IMAGES**2)
    assert texts[0] == {"gamma": "2.00"}


def test_invert_makes_the_negative():
    torch.testing.assert_close(run("RandomInvert")[0], 1 - IMAGES)


def test_solarise_inverts_what_is_above_the_threshold():
    after, texts = run("RandomSolarize", thresholds=[0.7, 0.7], additions=[0, 0])
    torch.testing.assert_close(after, torch.where(IMAGES < 0.7, IMAGES, 1 - IMAGES))
    assert texts[0] == {"threshold": "0.70", "added": "+0.00"}


def test_posterise_leaves_as_many_levels_as_are_shown():
    ramp = torch.linspace(0, 1, 64 * 64).view(1, 1, 64, 64)
    after, texts = run("RandomPosterize", ramp, bits=[3, 3])
    assert texts[0] == {"levels": "8"} and len(after.unique()) == 8


def test_sharpness_one_leaves_the_image_alone():
    torch.testing.assert_close(run("RandomSharpness", sharpness=[1, 1])[0], IMAGES, atol=1e-6, rtol=0)


def test_box_blur_is_the_mean_of_the_neighbourhood():
    after, _ = run("RandomBoxBlur", kernel_size="5")
    padded = torch.nn.functional.pad(IMAGES, (2, 2, 2, 2), mode="reflect")
    torch.testing.assert_close(after, torch.nn.functional.avg_pool2d(padded, 5, 1), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "name", ["RandomLinearIllumination", "RandomLinearCornerIllumination", "RandomGaussianIllumination"]
)
def test_light_reaches_what_is_shown(name):
    grey = torch.full((8, 1, 16, 16), 0.5)
    after, texts = run(name, grey, gain=[0.1, 0.4])
    for image, text in zip(after - grey, texts, strict=True):
        extreme = image.flatten()[image.abs().argmax()].item()
        assert value(text["at most"]) == pytest.approx(extreme, abs=0.006)
    assert {text["at most"][0] for text in texts} == {"+", "−"}


def test_grey_has_three_equal_channels():
    after, _ = run("RandomGrayscale")
    assert torch.equal(after[:, 0], after[:, 1]) and torch.equal(after[:, 1], after[:, 2])
    weighted = (IMAGES * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(1)  # ITU-R BT.601
    torch.testing.assert_close(after[:, 0], weighted, atol=1e-4, rtol=0)


def test_channels_are_shuffled_and_dropped_as_shown():
    index = {"red": 0, "green": 1, "blue": 2}
    shuffled, texts = run("RandomChannelShuffle")
    for before, after, text in zip(IMAGES, shuffled, texts, strict=True):
        assert torch.equal(after, before[[index[name] for name in text["order"].split(", ")]])
    dropped, texts = run("RandomChannelDropout", num_drop_channels=2)
    for before, after, text in zip(IMAGES, dropped, texts, strict=True):
        expected = before.clone()
        expected[[index[name] for name in text["dropped"].split(", ")]] = 0
        assert torch.equal(after, expected)


def test_a_colour_shift_adds_what_is_shown_to_each_channel():
    after, texts = run("RandomRGBShift")
    for before, image, text in zip(IMAGES, after, texts, strict=True):
        added = torch.tensor([value(text[name]) for name in ("red", "green", "blue")]).view(3, 1, 1)
        torch.testing.assert_close(image, (before + added).clamp(0, 1), atol=0.006, rtol=0)
