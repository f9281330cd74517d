"""Every entry, at its defaults and at every bound, on grey and on colour images."""

import inspect
import itertools

import kornia.augmentation as K
import pytest
import torch
from kornia.augmentation import auto
from sklearn.datasets import load_sample_image

from core.augment.catalogue import OPERATIONS
from core.augment.check import completed_augment
from core.augment.entry import OpEntry
from core.augment.exclusions import EXCLUSIONS
from core.augment.ops.mixes import MIXES
from core.augment.pipeline import Pipeline, built
from core.catalogue import Choice, Flag, Number, Range, as_json
from core.run.spec import AugmentSpec, OpSpec

KORNIA = {  # every class that Kornia offers for augmentation, by its name
    name: thing
    for module in (K, auto)
    for name, thing in vars(module).items()
    if inspect.isclass(thing) and not name.startswith("_")
}
PHOTOS = [
    torch.from_numpy(load_sample_image(name).copy()).permute(2, 0, 1) / 255  # (3, 427, 640)
    for name in ("flower.jpg", "china.jpg")  # a vivid one, and one with fine detail
]


def crops(batch_size: int, channels: int, side: int) -> torch.Tensor:
    """Pieces of two real photographs in turn, as floats in [0, 1]."""
    pieces = []
    for i in range(batch_size):
        left = 40 * i % (640 - side)
        pieces.append(PHOTOS[i % 2][:, 150 : 150 + side, left : left + side])
    images = torch.stack(pieces)
    return images if channels == 3 else images.mean(1, keepdim=True)


def pipeline(*ops: OpSpec, channels: int = 3, side: int = 28, seed: int = 0) -> Pipeline:
    spec = completed_augment(AugmentSpec(ops=ops), channels)
    return Pipeline(spec, channels=channels, side=side, seed=seed)


def on_channels() -> list[tuple[str, int]]:
    """Every operation with every number of channels that it takes."""
    return [(name, c) for name, e in OPERATIONS.items() for c in (1, 3) if c == 3 or not e.colour_only]


def at_bounds(entry: OpEntry) -> list[dict]:
    """Parameter values with one of them at an end of what is allowed, the others at their defaults."""
    values = []
    for parameter in entry.parameters:
        low_high = (getattr(parameter, "low", None), getattr(parameter, "high", None))
        if isinstance(parameter, Number):
            ends = low_high
        elif isinstance(parameter, Range):
            ends = [list(pair) for pair in itertools.combinations_with_replacement(low_high, 2)]
        elif isinstance(parameter, Choice):
            ends = parameter.options
        else:
            assert isinstance(parameter, Flag)
            ends = (False, True)
        values += [{parameter.name: end} for end in ends]
    return values


def at_neutral(entry: OpEntry) -> dict:
    """Each parameter that has a value which changes nothing at that value; the others are left out."""
    values = {}
    for parameter in entry.parameters:
        neutral = getattr(parameter, "neutral", None)
        if neutral is not None:
            values[parameter.name] = [neutral, neutral] if isinstance(parameter, Range) else neutral
    return values


def test_every_class_of_kornia_is_in_one_catalogue_or_excluded_for_a_reason():
    places = {"the catalogue": OPERATIONS, "the mixes": MIXES, "the exclusions": EXCLUSIONS}
    for name in KORNIA:
        found = [place for place, names in places.items() if name in names]
        assert len(found) == 1, f"{name} is in {' and '.join(found) or 'none of ' + ', '.join(places)}"
    for names in places.values():
        assert not names.keys() - KORNIA.keys()
    assert all(reason.endswith(".") for reason in EXCLUSIONS.values())
    groups = [entry.group for entry in OPERATIONS.values()]
    counts = ", ".join(f"{groups.count(group)} {group}" for group in dict.fromkeys(groups))
    print(f"{len(OPERATIONS)} operations ({counts}), {len(MIXES)} mixes, {len(EXCLUSIONS)} classes excluded")


@pytest.mark.parametrize("entry", OPERATIONS.values(), ids=OPERATIONS)
def test_an_entry_says_what_it_is(entry):
    assert entry.name == next(name for name, other in OPERATIONS.items() if other is entry)
    assert entry.help.endswith(".") and entry.fits.endswith(".") and entry.source.startswith("kornia.")
    assert not entry.can_lie or entry.can_lie.endswith(".")
    module = built(entry, {p.name: p.default for p in entry.parameters}, 1.0, 28)
    assert any(isinstance(part, KORNIA[entry.name]) for part in module.modules())
    assert all(parameter.help.endswith(".") for parameter in entry.parameters)
    assert not entry.fixed_p or entry.default_p == 1
    described = as_json(entry)
    assert described["fits"] == entry.fits and described["makes"] == entry.makes
    assert described.get("arguments") is None and "describe" not in described


@pytest.mark.parametrize("entry", OPERATIONS.values(), ids=OPERATIONS)
def test_an_entry_defaults_to_values_it_allows(entry):
    for parameter in entry.parameters:
        default = parameter.default
        assert parameter.check(default, "") == default
        neutral = getattr(parameter, "neutral", None)
        assert neutral is None or parameter.low <= neutral <= parameter.high


@pytest.mark.parametrize("name", [name for name, entry in OPERATIONS.items() if at_neutral(entry)])
@pytest.mark.parametrize("side", [8, 37])
def test_an_entry_with_neutral_values_leaves_images_alone_at_them(name, side):
    """To give a parameter a neutral value is to claim this, for all of the entry's at once."""
    images = crops(4, 3, side)
    after = pipeline(OpSpec(op=name, p=1.0, params=at_neutral(OPERATIONS[name])), side=side)(images, 0)
    torch.testing.assert_close(after, images, atol=2 / 255, rtol=0)


@pytest.mark.parametrize(("name", "channels"), on_channels())
@pytest.mark.parametrize("side", [28, 64])
def test_an_operation_at_its_defaults_visibly_changes_images(name, channels, side):
    images = crops(12, channels, side)
    before = images.clone()
    built = pipeline(OpSpec(op=name), channels=channels, side=side)
    draws = built.draw(12, 0)
    after = built.apply(images, draws)
    fired = torch.tensor([draws.describe(i)[0].fired for i in range(12)])
    change = (after - images).abs().mean((1, 2, 3))
    assert fired.any()
    assert change[fired].mean() > 0.01 and change[~fired].sum() == 0
    assert after.shape == images.shape and after.dtype == images.dtype
    assert after.min() >= 0 and after.max() <= 1
    assert torch.equal(images, before)


@pytest.mark.parametrize(("name", "channels"), on_channels())
@pytest.mark.parametrize("side", [8, 37])
def test_every_bound_of_every_parameter_runs(name, channels, side):
    images = crops(3, channels, side)
    for values in at_bounds(OPERATIONS[name]):
        built = pipeline(OpSpec(op=name, p=1.0, params=values), channels=channels, side=side)
        draws = built.draw(3, 0)
        after = built.apply(images, draws)
        assert after.shape == images.shape and bool(torch.isfinite(after).all()), values
        assert after.min() >= 0 and after.max() <= 1, values
        runs = values != {"scale": [0, 0]} or name != "RandomErasing"  # none of the area: on none of them
        assert all(draws.describe(i)[0].fired == runs for i in range(3)), values


@pytest.mark.parametrize("name", OPERATIONS)
def test_any_two_bounds_go_together(name):
    """A padding's colour with a padding that has none, say."""
    images = crops(2, 3, 16)
    for one, other in itertools.combinations(at_bounds(OPERATIONS[name]), 2):
        if one.keys() != other.keys():
            after = pipeline(OpSpec(op=name, p=1.0, params=one | other), side=16)(images, 0)
            assert after.shape == images.shape and bool(torch.isfinite(after).all()), one | other


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_largest_images_run_too_with_every_range_at_its_widest(name):
    widest = {p.name: [p.low, p.high] for p in OPERATIONS[name].parameters if isinstance(p, Range)}
    built = pipeline(OpSpec(op=name, p=1.0, params=widest), side=256)
    after = built(crops(2, 3, 256), 0)
    assert after.shape == (2, 3, 256, 256) and bool(torch.isfinite(after).all())


@pytest.mark.parametrize(("name", "channels"), on_channels())
def test_applying_draws_nothing_and_replays_exactly(name, channels):
    images = crops(6, channels, 28)
    op = OpSpec(op=name, p=1.0 if OPERATIONS[name].fixed_p else 0.5)
    built, other = (pipeline(op, channels=channels) for _ in range(2))
    draws = built.draw(6, 3)
    state = torch.get_rng_state()
    first = built.apply(images, draws)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(99)
    built(images, 4)  # something else in between
    assert torch.equal(built.apply(images, draws), first)
    assert torch.equal(other.apply(images, draws), first)
