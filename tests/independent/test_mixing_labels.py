"""Mixes: the share of each image against the pixels themselves, and whose draws depend on what."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.augment.catalogue import OPERATIONS
from core.augment.check import completed_augment
from core.augment.mixing import DrawnMix, Mixer
from core.augment.ops.mixes import MIXES
from core.augment.pipeline import Pipeline
from core.catalogue import Number, Range
from core.run.errors import SpecError
from core.run.spec import AugmentSpec, MixSpec, OpSpec

LABELLED = [name for name, entry in MIXES.items() if not entry.needs_masks]
IMAGES = torch.rand(6, 3, 12, 12, generator=torch.Generator().manual_seed(0))


def build(name, p=1.0, channels=3, side=12, seed=5, **params) -> Mixer:
    spec = completed_augment(AugmentSpec(mix=MixSpec(op=name, p=p, params=params)), channels, has_masks=True)
    return Mixer(spec.mix, channels=channels, side=side, seed=seed)


def one_hot_images(batch_size: int, side: int) -> torch.Tensor:
    """Image i is 1 in channel i and 0 in the others, so that a mean pixel says what it is made of."""
    return torch.eye(batch_size).view(batch_size, batch_size, 1, 1).expand(-1, -1, side, side)


@st.composite
def settings_of(draw, name):
    """A mix's parameters, anywhere in their bounds."""
    params = {}
    for parameter in MIXES[name].parameters:
        kind = st.integers if parameter.integer else st.floats
        one = kind(parameter.low, parameter.high)
        if isinstance(parameter, Range):
            params[parameter.name] = sorted(draw(st.tuples(one, one)))
        else:
            params[parameter.name] = draw(one)
    return params


@pytest.mark.parametrize("name", LABELLED)
@given(data=st.data(), batch_size=st.integers(1, 7), side=st.integers(8, 20), step=st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_a_target_is_the_share_of_the_pixels(name, data, batch_size, side, step):
    p = data.draw(st.sampled_from([0.0, 0.5, 1.0]))
    mixer = build(name, p=p, channels=batch_size, side=side, **data.draw(settings_of(name)))
    draws = mixer.draw(batch_size, step)
    pixels = mixer.apply(one_hot_images(batch_size, side), draws).mean((2, 3))
    targets = mixer.targets(torch.arange(batch_size), batch_size, draws)
    assert torch.allclose(targets, pixels, atol=2e-6)
    assert torch.allclose(targets.sum(1), torch.ones(batch_size), atol=1e-6)
    for i in range(batch_size):
        described = draws.describe(i)
        assert described.parts[0][0] == i
        assert described.weight == pytest.approx(pixels[i, i].item(), abs=2e-6)
        assert sum(share for _, share in described.parts) == pytest.approx(1)
        assert dict(described.parts) == pytest.approx(
            {j: share for j, share in enumerate(pixels[i].tolist()) if share > 0 or j == i}, abs=2e-6
        )


@pytest.mark.parametrize("name", LABELLED)
def test_a_replay_is_exact_and_stays_in_range(name):
    images, before = IMAGES.clone(), IMAGES.clone()
    mixer = build(name)
    draws = mixer.draw(6, 3)
    mixed = mixer.apply(images, draws)
    assert mixed.shape == images.shape and not torch.equal(mixed, images)
    assert mixed.min() >= 0 and mixed.max() <= 1
    assert torch.equal(images, before)
    mixer.draw(6, 4)
    assert torch.equal(mixer.apply(images, draws), mixed)
    assert torch.equal(build(name).apply(images, build(name).draw(6, 3)), mixed)
    assert not torch.equal(mixer.apply(images, mixer.draw(6, 4)), mixed)
    assert not torch.equal(mixer.apply(images, build(name, seed=6).draw(6, 3)), mixed)


@pytest.mark.parametrize("name", LABELLED)
@given(data=st.data(), batch_size=st.integers(1, 6), step=st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_the_pixels_are_kornias(name, data, batch_size, step):
    mixer = build(name, p=data.draw(st.sampled_from([0.0, 0.5, 1.0])), **data.draw(settings_of(name)))
    draws = mixer.draw(batch_size, step)
    images = IMAGES[:batch_size]
    assert torch.equal(mixer.apply(images, draws), mixer.module(images, params=draws.params))


def test_a_mixed_up_image_is_the_weighted_mean_of_two():
    mixer = build("RandomMixUpV2", lambda_val=[0.3, 0.3])
    draws = mixer.draw(6, 0)
    mixed = mixer.apply(IMAGES, draws)
    met_another = 0
    for i in range(6):
        (own, weight), *others = draws.describe(i).parts
        assert own == i
        if others:
            ((partner, share),) = others
            met_another += 1
            assert (weight, share) == (pytest.approx(0.7), pytest.approx(0.3))
            assert torch.allclose(mixed[i], 0.7 * IMAGES[i] + 0.3 * IMAGES[partner], atol=1e-6)
        else:
            assert weight == pytest.approx(1) and torch.allclose(mixed[i], IMAGES[i])
    assert met_another >= 2


def test_a_cut_is_seen_only_where_no_later_one_lies():
    mixer = build("RandomCutMixV2", channels=9, num_mix=2, cut_size=[0.1, 0.1])
    # floor(√0.9 · 12) = 11 pixels: a cut covers 121 of 144, and two of them meet in 100 at least.
    for own, first, second in (mixer.draw(9, 0).shares * 144).round().int().tolist():
        assert second == 121 and first <= 21 and own == 144 - first - second


@pytest.mark.parametrize("name", LABELLED)
def test_a_batch_of_one_meets_only_itself(name):
    mixer = build(name)
    draws = mixer.draw(1, 0)
    targets = mixer.targets(torch.tensor([2]), 4, draws)
    assert torch.allclose(targets, torch.tensor([[0.0, 0.0, 1.0, 0.0]]))
    if name != "RandomMosaic":  # four copies of itself, seen through a window
        assert torch.allclose(mixer.apply(IMAGES[:1], draws), IMAGES[:1])


@pytest.mark.parametrize("name", LABELLED)
def test_at_their_neutral_values_nothing_changes(name):
    neutral = {
        parameter.name: [parameter.neutral] * 2 if isinstance(parameter, Range) else parameter.neutral
        for parameter in MIXES[name].parameters
        if isinstance(parameter, Number | Range) and parameter.neutral is not None
    }
    assert neutral
    mixer = build(name, **neutral)
    draws = mixer.draw(6, 0)
    assert torch.equal(mixer.apply(IMAGES, draws), IMAGES)
    assert torch.equal(mixer.targets(torch.arange(6), 6, draws), torch.eye(6))


@pytest.mark.parametrize("name", LABELLED)
def test_strength_scales_what_is_of_the_others(name):
    spec = completed_augment(AugmentSpec(mix=MixSpec(op=name)), 1).mix

    def others(strength):
        mixer = Mixer(spec, channels=1, side=64, seed=5, strength=strength)
        return 1 - mixer.draw(32, 0).shares[:, 0].mean().item()

    assert others(0) == pytest.approx(0, abs=1e-6)
    assert 0 < others(0.5) < others(1) < others(1.5)
    if name == "RandomMixUpV2":
        assert others(0.5) == pytest.approx(others(1) / 2, abs=1e-6)


@pytest.mark.parametrize("name", LABELLED)
def test_it_fires_with_probability_p_on_a_batch_or_on_each_image(name):
    mixer = build(name, p=0.3)
    fired = torch.tensor([[mixer.draw(8, step).fired(i) for i in range(8)] for step in range(100)]).float()
    by_batch = fired.mean(1)
    if MIXES[name].gate == "batch":
        assert set(by_batch.tolist()) == {0.0, 1.0}
        assert by_batch.mean() == pytest.approx(0.3, abs=0.18)  # four standard deviations of 100 draws
    else:
        assert len(set(by_batch.tolist())) > 2
        assert by_batch.mean() == pytest.approx(0.3, abs=0.07)  # four of 800


@pytest.mark.parametrize("name", LABELLED)
def test_what_did_not_fire_is_as_it_was(name):
    mixer = build(name, p=0.5)
    labels = torch.tensor([0, 1, 2, 3, 4, 5])
    skipped = 0
    for step in range(20):
        draws = mixer.draw(6, step)
        mixed, targets = mixer.apply(IMAGES, draws), mixer.targets(labels, 6, draws)
        for i in range(6):
            if not draws.fired(i):
                skipped += 1
                assert torch.equal(mixed[i], IMAGES[i])
                assert draws.describe(i) == DrawnMix(MIXES[name].title, False, ((i, 1.0),))
                assert torch.equal(targets[i], torch.eye(6)[i])
    assert skipped


@pytest.mark.parametrize("name", LABELLED)
def test_a_mix_and_the_operations_leave_each_others_draws_alone(name):
    ops = (OpSpec(op="RandomAffine"), OpSpec(op="RandomErasing"))

    def pipeline(mix, ops=ops):
        spec = completed_augment(AugmentSpec(ops=ops, mix=mix), 3)
        return Pipeline(spec, channels=3, side=12, seed=5)

    plain = pipeline(None).draw(6, 7)
    mixer = build(name)
    alone = mixer.draw(6, 7)
    mixed = pipeline(MixSpec(op=name))
    mixer.draw(6, 7)
    for before, after in zip(plain.ops, mixed.draw(6, 7).ops, strict=True):
        assert all(torch.equal(before.params[key], after.params[key]) for key in before.params)
    again = mixer.draw(6, 7)
    assert all(torch.equal(alone.params[key], again.params[key]) for key in alone.params)


def test_drawing_leaves_the_global_generator_alone():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    for name in MIXES:
        mixer = build(name)
        draws = mixer.draw(6, 0)
        if mixer.entry.needs_masks:
            mixer.apply_with_masks(IMAGES, torch.randint(3, (6, 12, 12), generator=torch.Generator()), draws)
        else:
            mixer.apply(IMAGES, draws)
    assert torch.equal(torch.rand(2), expected)


def test_images_of_one_class_mix_to_that_class():
    mixer = build("RandomMosaic")
    targets = mixer.targets(torch.full((6,), 1), 3, mixer.draw(6, 0))
    assert torch.allclose(targets, torch.tensor([0.0, 1.0, 0.0]).expand(6, 3), atol=1e-6)


def test_what_an_image_was_made_of_in_words():
    names = ("cat", "dog", "cat", "owl")
    said = {
        ((1, 0.3), (0, 0.7)): "dog 0.30 + cat 0.70",
        ((0, 0.5), (2, 0.5)): "cat",
        ((3, 0.998), (1, 0.002)): "owl",
        ((3, 0.0), (0, 0.25), (1, 0.5), (2, 0.25)): "cat 0.50 + dog 0.50",
        ((3, 1.0),): "owl",
    }
    for parts, words in said.items():
        assert DrawnMix("Mosaic", True, parts).in_words(names) == words


def halves() -> torch.Tensor:
    """Masks (3, 12, 12): image i has label i + 1 on its left half, and background on its right."""
    masks = torch.zeros(3, 12, 12, dtype=torch.long)
    for i in range(3):
        masks[i, :, :6] = i + 1
    return masks


def test_transplantation_moves_a_thing_and_its_mask_from_the_image_before():
    mixer = build("RandomTransplantation")
    draws = mixer.draw(3, 0)
    images, masks = mixer.apply_with_masks(IMAGES[:3], halves(), draws)
    for i, donor in enumerate((2, 0, 1)):
        assert torch.equal(images[i, :, :, :6], IMAGES[donor, :, :, :6])
        assert torch.equal(images[i, :, :, 6:], IMAGES[i, :, :, 6:])
        assert torch.equal(masks[i, :, :6], torch.full((12, 6), donor + 1)) and not masks[i, :, 6:].any()
        assert draws.describe(i) == DrawnMix("Transplantation", True, ())


def test_transplantation_replays_and_leaves_out_what_is_excluded():
    mixer = build("RandomTransplantation", p=0.5, excluded_labels=[])
    masks = torch.randint(0, 4, (6, 12, 12), generator=torch.Generator().manual_seed(1))
    draws = mixer.draw(6, 2)
    moved, moved_masks = mixer.apply_with_masks(IMAGES, masks, draws)
    torch.rand(3)
    again, again_masks = mixer.apply_with_masks(IMAGES, masks, draws)
    assert torch.equal(moved, again) and torch.equal(moved_masks, again_masks)
    changed = (moved != IMAGES).flatten(1).any(1)
    assert changed.tolist() == [draws.fired(i) for i in range(6)] and 0 < changed.sum() < 6
    nothing_left = build("RandomTransplantation", excluded_labels=[0, 1, 2, 3])
    kept, _ = nothing_left.apply_with_masks(IMAGES, masks, nothing_left.draw(6, 2))
    assert torch.equal(kept, IMAGES)


def test_transplantation_has_no_targets():
    mixer = build("RandomTransplantation")
    with pytest.raises(SpecError, match=r"augment\.mix\.op: RandomTransplantation needs masks .*; choose "):
        mixer.targets(torch.arange(3), 3, mixer.draw(3, 0))


def test_a_mix_is_no_operation_and_has_all_that_a_page_shows():
    assert not MIXES.keys() & OPERATIONS.keys()
    assert set(MIXES) == {
        "RandomMixUpV2",
        "RandomCutMixV2",
        "PatchMix",
        "RandomMosaic",
        "RandomTransplantation",
    }
    for name, entry in MIXES.items():
        assert entry.name == name and f"kornia.augmentation.{name};" in entry.source
        assert entry.help.endswith(".") and entry.fits.endswith(".")
        for parameter in entry.parameters:
            assert parameter.help
            parameter.check(parameter.default, parameter.name)
