"""Sizes, tiles, weather, shadows, lamps and files against closed forms or another library."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_image

from core.augment.check import completed_augment
from core.augment.pipeline import Pipeline
from core.run.spec import AugmentSpec, OpSpec

IMAGES = torch.rand(6, 3, 12, 12, generator=torch.Generator().manual_seed(1))
PHOTO = (
    torch.from_numpy(load_sample_image("flower.jpg")[100:196, 200:296].copy()).permute(2, 0, 1)[None] / 255
)


def build(name: str, images: torch.Tensor = IMAGES, p: float = 1.0, **params) -> Pipeline:
    channels, side = images.shape[1], images.shape[3]
    spec = completed_augment(AugmentSpec(ops=(OpSpec(op=name, p=p, params=params),)), channels)
    return Pipeline(spec, channels=channels, side=side, seed=3)


def run(name: str, images: torch.Tensor = IMAGES, **params) -> tuple[torch.Tensor, list[dict[str, str]]]:
    """The images after one operation with p = 1, and what is shown for each of them."""
    pipeline = build(name, images, **params)
    draws = pipeline.draw(len(images), 0)
    shown = [dict(draws.describe(i)[0].values) for i in range(len(images))]
    return pipeline.apply(images, draws), shown


def enlarged(images: torch.Tensor, times: int) -> torch.Tensor:
    return images.repeat_interleave(times, 2).repeat_interleave(times, 3)


def test_a_centre_crop_is_the_middle_enlarged():
    after, _ = run("CenterCrop", size=0.5, resample="nearest")
    assert torch.equal(after, enlarged(IMAGES[:, :, 3:9, 3:9], 2))


def test_padding_puts_the_image_at_the_top_left():
    white = torch.ones(2, 3, 12, 12)
    after, _ = run("PadTo", white, size=2)
    torch.testing.assert_close(after[:, :, :5, :5], white[:, :, :5, :5])
    assert after[:, :, 7:].max() == 0 and after[..., 7:].max() == 0
    after, _ = run("PadTo", white, size=1.5, pad_value=0.25)
    torch.testing.assert_close(after[:, :, 9:], torch.full((2, 3, 3, 12), 0.25))
    mirrored, _ = run("PadTo", size=2, pad_mode="reflect")
    assert mirrored.std() > 0.1 and mirrored.min() > 0


@pytest.mark.parametrize(("name", "size"), [("CenterCrop", 0.6), ("PadTo", 1.5)])
def test_crop_and_padding_move_points_as_their_matrices_say(name, size):
    """Masks, boxes and key points follow the matrix: a blot's centre must too."""
    x, y = torch.arange(40.0), torch.arange(40.0)[:, None]
    blot = torch.exp(-((x - 16.5) ** 2 + (y - 21.2) ** 2) / 8)[None, None]
    pipeline = build(name, blot, size=size)
    after = pipeline(blot, 0)[0, 0]
    matrix = pipeline.ops[0].module.transform_matrix[0]
    centre = torch.stack([(after.sum(0) * x).sum(), (after.sum(1) * x).sum()]) / after.sum()
    torch.testing.assert_close(centre, (matrix @ torch.tensor([16.5, 21.2, 1]))[:2], atol=0.05, rtol=0)


@pytest.mark.parametrize("name", ["CenterCrop", "PadTo", "Resize"])
def test_sizes_are_changed_for_some_images_and_not_for_others(name):
    pipeline = build(name, p=0.5)
    draws = pipeline.draw(6, 1)
    changed = (pipeline.apply(IMAGES, draws) != IMAGES).flatten(1).any(1).tolist()
    assert changed == [draws.describe(i)[0].fired for i in range(6)] and 0 < sum(changed) < 6


def test_low_resolution_is_blocks_of_means_and_keeps_what_is_even():
    after, _ = run("Resize", size=0.5, resample="nearest", antialias=False)
    means = IMAGES.unfold(2, 2, 2).unfold(3, 2, 2).mean((-2, -1))
    torch.testing.assert_close(after, enlarged(means, 2))
    even = torch.full((1, 1, 12, 12), 0.3)
    torch.testing.assert_close(run("Resize", even, size=0.3)[0], even)


@pytest.mark.parametrize(("side", "grid"), [(12, 4), (13, 4), (15, 8)])
def test_a_jigsaw_puts_every_tile_somewhere(side, grid):
    images = torch.rand(5, 2 + 1, side, side, generator=torch.Generator().manual_seed(0))
    after, texts = run("RandomJigsaw", images, grid=grid)
    size, start = side // grid, side % grid // 2
    inside = slice(start, start + size * grid)

    def tiles(image: torch.Tensor) -> list[bytes]:
        parts = image[:, inside, inside].unfold(1, size, size).unfold(2, size, size)
        return [parts[:, i, j].numpy().tobytes() for i in range(grid) for j in range(grid)]

    for before, image, text in zip(images, after, texts, strict=True):
        old, new = tiles(before), tiles(image)
        assert sorted(old) == sorted(new)
        moved = sum(a != b for a, b in zip(old, new, strict=True))
        assert moved > 0 and text["tiles moved"] == f"{moved} of {grid**2}"
    border = torch.ones(side, side, dtype=torch.bool)
    border[inside, inside] = False
    assert torch.equal(after[..., border], images[..., border])


def test_an_elastic_bend_moves_pixels_as_far_as_it_says_and_neighbours_alike():
    """On a ramp, how far a value moved is how much it changed."""
    side = 100
    ramp = torch.linspace(0, 1, side).expand(8, 1, side, side)
    after, _ = run("RandomElasticTransform", ramp, alpha=0.03, sigma=0.05)
    moved = (after - ramp)[:, :, 20:-20, 20:-20]  # in sides
    assert moved.square().mean().sqrt().item() == pytest.approx(0.03, rel=0.1)
    assert moved.diff(dim=2).abs().max() < 0.03  # one pixel further down, 0.01 sides


@pytest.mark.parametrize(("slant", "height"), [(0.1, 0.25), (-0.1, 0.25), (0.0, 0.1)])
def test_rain_is_light_grey_lines(slant, height):
    black = torch.zeros(4, 3, 40, 40)
    shape = {"drop_height": [height, height], "drop_width": [slant, slant]}
    after, texts = run("RandomRain", black, number_of_drops=[0.1, 0.1], **shape)
    assert after.unique().tolist() == [0, pytest.approx(200 / 255)]
    drops = round(0.1 * 40 * 40 / (40 * height))
    for image, text in zip(after, texts, strict=True):
        assert text["drops"] == str(drops)
        assert 0.06 < (image[0] > 0).float().mean() <= 0.1  # some cross
    one, texts = run(
        "RandomRain", black, number_of_drops=[1 / 1600 * 40 * height, 1 / 1600 * 40 * height], **shape
    )
    rows, columns = one[0, 0].nonzero().unbind(1)
    down, right = int(rows.max() - rows.min()) + 1, int(columns.max() - columns.min()) + 1
    width = f"{round(40 * slant):+d}".replace("-", "−") if slant else "+0"
    assert texts[0] == {"drops": "1", "each": f"{down} px down, {width} px to the right"}
    assert down == 40 * height and right == max(1, abs(40 * slant))


def test_snow_lightens_what_is_dark_and_nothing_else():
    after, texts = run("RandomSnow", snow_coefficient=[0.5, 0.5], brightness=[1.5, 1.5])
    lightness = (IMAGES.amax(1) + IMAGES.amin(1)) / 2  # of HLS
    dark = lightness < 0.5
    assert 0.2 < dark.float().mean() < 0.8
    after_lightness = (after.amax(1) + after.amin(1)) / 2
    expected = torch.where(dark, 1.5 * lightness, lightness).clamp(0, 1)
    torch.testing.assert_close(after_lightness, expected, atol=1e-4, rtol=0)
    assert texts[0] == {"below": "0.50", "lightness": "×1.50"}


@pytest.mark.parametrize("name", ["RandomSnow", "RandomJPEG"])
def test_grey_images_are_treated_as_colour_ones_without_colour(name):
    grey = IMAGES[:, :1]
    pipelines = build(name, grey), build(name)
    one, three = (
        pipeline.apply(images, pipeline.draw(6, 0))
        for pipeline, images in zip(pipelines, (grey, grey.expand(-1, 3, -1, -1)), strict=True)
    )
    torch.testing.assert_close(one.expand(-1, 3, -1, -1), three, atol=0.006, rtol=0)  # JPEG rounds colours


def test_a_shadow_takes_what_is_shown_from_one_part_of_every_channel():
    white = torch.ones(8, 3, 32, 32)
    after, texts = run("RandomPlasmaShadow", white)
    for image, text in zip(after, texts, strict=True):
        shade = float(text["added"].replace("−", "-"))
        assert image.min().item() == pytest.approx(1 + shade, abs=0.006)
        assert len(image.unique()) == 2 and torch.equal(image[0], image[2])


def test_cloudy_contrast_multiplies_by_what_is_shown():
    light = torch.full((4, 1, 32, 32), 0.55)
    after, texts = run("RandomPlasmaContrast", light)
    for image, text in zip(after, texts, strict=True):
        least, most = (float(part.strip("×")) for part in text["contrast"].split(" to "))
        factors = (image - 0.5) / 0.05
        assert factors.min().item() == pytest.approx(least, abs=0.01)
        assert factors.max().item() == pytest.approx(most, abs=0.01)


@pytest.mark.parametrize(("mode", "lamps"), [("blackbody", 25), ("cied", 23)])
def test_another_lamp_scales_red_and_blue(mode, lamps):
    grey = torch.full((64, 3, 8, 8), 0.3)
    after, texts = run("RandomPlanckianJitter", grey, mode=mode)
    assert torch.equal(after[:, 1], grey[:, 1])
    assert {int(text["illuminant"].removeprefix("no. ")) for text in texts} <= set(range(1, lamps + 1))
    first = [i for i, text in enumerate(texts) if text["illuminant"] in ("no. 1", "no. 2")]  # the warmest
    assert first and all(after[i, 0].min() > 0.3 > after[i, 2].max() for i in first)


def test_local_equalising_raises_a_low_contrast_up_to_its_limit():
    faint = 0.4 + 0.2 * PHOTO
    spread = [run("RandomClahe", faint, clip_limit=[limit, limit])[0].std().item() for limit in (1, 2, 4, 40)]
    assert faint.std().item() < spread[0] < spread[1] < spread[2] < spread[3]


def test_a_median_removes_a_speck_and_keeps_an_edge():
    image = torch.zeros(1, 1, 12, 12)
    image[..., 6:] = 1
    clean = image.clone()
    image[..., 3, 2], image[..., 8, 9] = 1, 0
    assert torch.equal(run("RandomMedianBlur", image, kernel_size="3")[0], clean)
    after, _ = run("RandomMedianBlur", kernel_size="5")
    windows = IMAGES.unfold(2, 5, 1).unfold(3, 5, 1).flatten(-2)
    assert torch.equal(after[..., 2:-2, 2:-2], windows.median(-1).values)


@pytest.mark.parametrize("quality", [5, 25, 90])
def test_jpeg_is_what_pillow_writes(quality):
    """Pillow rounds to whole numbers on the way, and smooths the colours as it enlarges them."""
    after, texts = run("RandomJPEG", PHOTO, jpeg_quality=[quality, quality])
    file = io.BytesIO()
    Image.fromarray((PHOTO[0].permute(1, 2, 0) * 255).byte().numpy()).save(file, "JPEG", quality=quality)
    pillows = torch.from_numpy(np.array(Image.open(file))).permute(2, 0, 1)[None] / 255
    lost = (pillows - PHOTO).abs().mean()
    assert (after - pillows).abs().mean() < 0.5 * lost + 0.002
    assert (after - PHOTO).abs().mean().item() == pytest.approx(lost.item(), rel=0.25)
    assert texts[0] == {"quality": str(quality)}


def test_colour_jitter_multiplies_and_stretches_around_the_mean_grey():
    still = {"brightness": [1, 1], "contrast": [1, 1], "saturation": [1, 1], "hue": [0, 0]}
    after, texts = run("ColorJitter", **still | {"brightness": [0.6, 0.6]})
    torch.testing.assert_close(after, 0.6 * IMAGES)
    assert texts[0]["brightness"] == "×0.60"
    after, _ = run("ColorJitter", **still | {"contrast": [0.5, 0.5]})
    grey = (IMAGES * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(1, keepdim=True)  # BT.601
    mean = grey.mean((2, 3), keepdim=True)
    torch.testing.assert_close(after, mean + 0.5 * (IMAGES - mean), atol=2e-3, rtol=0)
