"""Policies: which operations an image gets, and that it gets just those."""

from collections import Counter

import pytest
import torch
from kornia.augmentation.auto.autoaugment import autoaugment
from kornia.augmentation.auto.operations import ops

from core.augment.catalogue import OPERATIONS
from core.augment.check import completed_augment
from core.augment.draws import Draws
from core.augment.modules.policy_kinds import KINDS
from core.augment.ops.policies import SHOWN
from core.augment.pipeline import Pipeline, built
from core.run.spec import AugmentSpec, OpSpec

NAMES = [name for name, entry in OPERATIONS.items() if entry.group == "policy"]


def build(name: str, channels: int = 3, side: int = 16, p: float = 1.0, **params) -> Pipeline:
    spec = completed_augment(AugmentSpec(ops=(OpSpec(op=name, p=p, params=params),)), channels)
    return Pipeline(spec, channels=channels, side=side, seed=2)


def kinds(draws: Draws, i: int) -> list[str]:
    """Kornia's names of what runs on image ``i``, in order."""
    drawn = draws.ops[0].params
    assert drawn is not None
    return [KINDS[kind] for kind in drawn["kind"][i].tolist() if kind >= 0]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", NAMES)
def test_each_image_gets_kornias_operations_with_the_numbers_drawn_for_it(name, channels):
    images = torch.rand(24, channels, 16, 16, generator=torch.Generator().manual_seed(0))
    pipeline = build(name, channels)
    draws = pipeline.draw(24, 0)
    after = pipeline.apply(images, draws)
    drawn = draws.ops[0].params
    for i in range(24):
        image = images[i : i + 1]
        for kind, place in zip(drawn["kind"][i].tolist(), drawn["place"][i].tolist(), strict=True):
            if kind < 0:
                continue
            start = f"{KINDS[kind]}."
            own = {
                k.removeprefix(start): v[i : i + 1, place] for k, v in drawn.items() if k.startswith(start)
            }
            operation = getattr(ops, KINDS[kind])(initial_probability=1.0)
            with torch.no_grad():
                image = operation(image, own | {"batch_prob": torch.ones(1)})
        torch.testing.assert_close(after[i : i + 1], image.clamp(0, 1), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("name", "channels", "count"), [("TrivialAugment", 3, 12), ("RandAugment", 1, 14)])
def test_picks_are_made_for_each_image_and_all_are_as_likely(name, channels, count):
    draws = build(name, channels, side=8, **({"n": 1} if name == "RandAugment" else {})).draw(1000, 0)
    counts = Counter(kind for i in range(1000) for kind in kinds(draws, i))
    assert len(counts) == count and counts.total() == 1000
    expected = 1000 / count
    assert all(abs(n - expected) < 5 * expected**0.5 for n in counts.values())  # 5 deviations


def test_randaugment_runs_so_many_different_ones_at_one_strength():
    draws = build("RandAugment", n=4, m=15).draw(300, 0)
    for i in range(300):
        names = kinds(draws, i)
        assert len(names) == len(set(names)) == 4
    angles = {dict(draws.describe(i)[0].values).get("rotation", "")[:6] for i in range(300)}
    assert angles == {"", "+15.0°", "−15.0°"}  # half of 30°, either way


@pytest.mark.parametrize(("policy", "table"), [("imagenet", "imagenet_policy"), ("svhn", "svhn_policy")])
def test_autoaugment_runs_its_pairs_as_often_as_its_table_says(policy, table):
    pairs = getattr(autoaugment, table)
    draws = build("AutoAugment", side=8, policy=policy).draw(2000, 0)
    runs = (draws.ops[0].params["kind"] >= 0).float().mean(0)  # of the first, and the second
    for step in (0, 1):
        expected = sum(pair[step][1] for pair in pairs) / len(pairs)
        assert runs[step].item() == pytest.approx(expected, abs=0.05)  # 4.5 deviations


@pytest.mark.parametrize("name", NAMES)
def test_no_operation_changes_colours_where_there_are_none(name):
    draws = build(name, channels=1, side=8).draw(300, 0)
    assert all("Saturate" not in kinds(draws, i) for i in range(300))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_shown_is_what_runs(name):
    draws = build(name, p=0.5).draw(200, 0)
    for i in range(200):
        shown, names = draws.describe(i)[0], kinds(draws, i)
        assert not names or shown.fired
        if shown.fired:
            assert len(shown.values) == max(1, len(names))
            assert names or shown.values == (("operations", "none this time"),)
    share = sum(draws.describe(i)[0].fired for i in range(200)) / 200
    assert 0.35 < share < 0.65


def test_the_kinds_are_kornias_in_its_order():
    assert list(KINDS) == ops.__all__


def test_every_operation_of_a_policy_can_be_shown():
    entries = [(OPERATIONS["AutoAugment"], {"policy": policy}) for policy in ("imagenet", "cifar10", "svhn")]
    entries += [(OPERATIONS["RandAugment"], {"n": 1, "m": 5}), (OPERATIONS["TrivialAugment"], {})]
    used = {KINDS[k] for entry, values in entries for k in built(entry, values, 1.0, 8).kinds.tolist()}
    assert used == set(SHOWN)
