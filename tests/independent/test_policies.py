"""What the policies do, by what they draw and by pixels counted: the helps say that these are Kornia's
ranges, not the papers', and what `m` is."""

import pytest
import torch

from core.augment.catalogue import OPERATIONS
from core.augment.modules.per_image import (
    AutoAugmentPerImage,
    RandAugmentPerImage,
    TrivialAugmentPerImage,
)
from core.augment.modules.policy_kinds import KINDS

ENHANCERS = ("Brightness", "Contrast", "Saturate", "Sharpness")


def ran(module, count=2000):
    """What was drawn for those operations that ran: kind → name → values, one for each image."""
    torch.manual_seed(0)
    drawn = module.forward_parameters(torch.Size((count, 3, 28, 28)))
    found = {}
    for image, (kinds, places) in enumerate(
        zip(drawn["kind"].tolist(), drawn["place"].tolist(), strict=True)
    ):
        for kind, place in zip(kinds, places, strict=True):
            if kind >= 0:
                own = found.setdefault(KINDS[kind], {"place": []})
                own["place"].append(place)
                for name, value in drawn.items():
                    if name.startswith(f"{KINDS[kind]}.") and value.ndim == 2:
                        own.setdefault(name.split(".")[1], []).append(float(value[image, place]))
    return found


@torch.no_grad()
def changed(m, kind, images):
    """The mean change of each pixel by one operation of RandAugment."""
    torch.manual_seed(1)
    module = RandAugmentPerImage(n=1, m=m, p=1.0)
    drawn = module.forward_parameters(images.shape)
    drawn["kind"] = torch.full_like(drawn["kind"], KINDS.index(kind))
    drawn["place"] = torch.zeros_like(drawn["place"])
    return float((module(images, drawn) - images).abs().mean())


@pytest.mark.parametrize("kind", ENHANCERS)
def test_m_is_no_strength_of_brightness_and_its_like(kind):
    images = 0.3 + 0.4 * torch.rand(8, 3, 28, 28, generator=torch.Generator().manual_seed(2))
    weak, middle, strong = (changed(m, kind, images) for m in (1, 15, 29))
    assert middle < 1e-6 and weak > 0.02 and strong > 0.02
    assert "change nothing at 15" in OPERATIONS["RandAugment"].parameters[1].help


def test_m_solarises_most_at_one():
    images = torch.rand(8, 3, 28, 28, generator=torch.Generator().manual_seed(2))
    assert changed(1, "Solarize", images) > 5 * changed(29, "Solarize", images)


def test_m_turns_shears_and_shifts_further():
    for m in (1, 10, 29):
        found = ran(RandAugmentPerImage(n=1, m=m, p=1.0))
        assert {abs(round(each, 4)) for each in found["Rotate"]["degrees"]} == {m}
        assert max(map(abs, found["ShearX"]["shear_x"])) == pytest.approx(54 * m / 30, rel=1e-3)
        assert max(map(abs, found["TranslateX"]["translate_x"])) == pytest.approx(2.8 * m / 30, rel=1e-3)
    assert "shears by up to 54°" in OPERATIONS["RandAugment"].can_lie


def test_trivialaugment_has_twelve_operations_and_shears_by_54_degrees():
    found = ran(TrivialAugmentPerImage(p=1.0))
    assert len(found) == 12 and "twelve" in OPERATIONS["TrivialAugment"].help
    assert 53 < max(map(abs, found["ShearX"]["shear_x"] + found["ShearY"]["shear_y"])) <= 54
    assert 13.5 < max(map(abs, found["TranslateX"]["translate_x"])) <= 14
    assert "54°" in OPERATIONS["TrivialAugment"].can_lie


@pytest.mark.parametrize("policy", ["imagenet", "cifar10", "svhn"])
def test_a_pair_of_autoaugment_goes_one_way_only(policy):
    found = ran(AutoAugmentPerImage(policy=policy, p=1.0))
    ways = [
        ("Rotate", "degrees"),
        ("ShearX", "shear_x"),
        ("ShearY", "shear_y"),
        ("TranslateX", "translate_x"),
    ]
    signs = {}
    for kind, name in ways:
        own = found.get(kind, {"place": [], name: []})
        for place, value in zip(own["place"], own[name], strict=True):
            signs.setdefault((kind, place), set()).add(value > 0)
    assert signs and all(len(both) == 1 for both in signs.values())
    assert "one way only" in OPERATIONS["AutoAugment"].help
