"""What the catalogue's texts claim of an operation, seen on pixels."""

import pytest
import torch

from core.augment.catalogue import OPERATIONS
from core.augment.pipeline import built
from core.catalogue import completed_params


def after(name, images, **params):
    entry = OPERATIONS[name]
    torch.manual_seed(0)
    return built(entry, completed_params(entry, params, "x"), 1.0, images.shape[-1])(images)


def test_with_one_bit_left_the_darker_half_is_black_and_the_lighter_half_one_grey():
    ramp = torch.linspace(0, 1, 32).expand(2, 1, 32, 32)
    values = after("RandomPosterize", ramp, bits=[1, 1])
    assert (values[ramp < 0.5] == 0).all() and values[ramp > 0.51].unique().tolist() == [
        pytest.approx(128 / 255)
    ]


@pytest.mark.parametrize(("quantity", "low", "high"), [(0, 0, 0), (0.5, 0.35, 0.65), (1, 1, 1)])
def test_shadow_at_a_half_falls_on_about_half_the_image(quantity, low, high):
    white = torch.ones(64, 1, 32, 32)
    dark = after("RandomPlasmaShadow", white, shade_intensity=[-1, -1], shade_quantity=[quantity, quantity])
    assert low <= (dark < 0.5).float().mean() <= high


def test_cloudy_contrast_is_two_on_average_and_falls_almost_nowhere_but_at_high_roughness():
    grey = torch.full((64, 1, 32, 32), 0.51)

    def factors(*roughness):
        return (after("RandomPlasmaContrast", grey, roughness=roughness) - 0.5) / 0.01

    assert factors(0.1, 0.7).mean() == pytest.approx(2, abs=0.1)
    assert (factors(0.1, 0.7) < 1).float().mean() < 0.1 < (factors(1, 1) < 1).float().mean()


def test_a_smear_ahead_at_0_degrees_is_strongest_to_the_right_and_at_90_above():
    dot = torch.zeros(2, 1, 15, 15)
    dot[..., 7, 7] = 1
    for angle, furthest in ((0, (7, 9)), (90, (5, 7))):
        smear = after("RandomMotionBlur", dot, kernel_size="5", angle=[angle, angle], direction=[1, 1])
        assert divmod(int(smear[0, 0].argmax()), 15) == furthest


def test_snow_leaves_black_black_and_what_is_light_as_it_is():
    grey = torch.tensor([0.0, 0.3, 0.6]).repeat(2, 1, 3, 1)
    snowed = after("RandomSnow", grey, snow_coefficient=[0.5, 0.5], brightness=[2, 2])
    assert snowed[0, 0, 0].tolist() == pytest.approx([0, 0.6, 0.6])


def test_equalise_works_on_each_channel_by_itself_and_not_on_tiny_images():
    draws = torch.Generator().manual_seed(0)
    image = torch.rand(2, 3, 32, 32, generator=draws) * torch.tensor([0.2, 0.5, 1.0]).view(1, 3, 1, 1)
    assert after("RandomEqualize", image).amax((2, 3)).min() > 0.99
    tiny = image[..., :15, :15]
    torch.testing.assert_close(after("RandomEqualize", tiny), tiny)
