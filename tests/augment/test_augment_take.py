"""Draws for a whole batch, applied to a few of its images: the same results, bit for bit."""

import pytest
import torch

from core.augment.catalogue import OPERATIONS
from core.augment.check import completed_augment
from core.augment.mixing import Mixer
from core.augment.ops.mixes import MIXES
from core.augment.pipeline import Pipeline
from core.catalogues import completed
from core.data.dataset import Dataset
from core.data.split import split_dataset
from core.preview import results as preview
from core.preview.results import TooLargeError, first_batch
from core.randomness import derive
from core.run.spec import AugmentSpec, MixSpec, OpSpec, RunSpec

LABELLED = [name for name, entry in MIXES.items() if not entry.needs_masks]
WARPS = ("RandomRotation", "RandomAffine", "RandomHorizontalFlip", "RandomPerspective", "RandomShear")
BATCH, SIDE = 11, 20
IMAGES = torch.rand(BATCH, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
ROWS = [[0, 1, 2], [7, 2, 10], [3, 3], list(range(BATCH))]


@pytest.fixture(autouse=True)
def one_thread():
    """With several, which pixels a processor takes at once depends on how many there are."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def of(*names: str, p: float | None = None, channels: int = 3, **fields) -> AugmentSpec:
    ops = (OpSpec(op=name, p=None if OPERATIONS[name].fixed_p else p) for name in names)
    return completed_augment(AugmentSpec(ops=tuple(ops), **fields), channels)


def whole_and_taken(spec: AugmentSpec, rows: list[int], step: int, channels: int = 3):
    """``rows`` of the whole batch's results, and what is made of those images alone."""
    pipeline = Pipeline(spec, channels=channels, side=SIDE, seed=3)
    images, taken = IMAGES[:, :channels], torch.tensor(rows)
    draws = pipeline.draw(BATCH, step)
    few = draws.take(taken)
    assert [few.describe(i) for i in range(len(rows))] == [draws.describe(i) for i in rows]
    return pipeline.apply(images, draws)[taken], pipeline.apply(images[taken], few)


@pytest.mark.parametrize("p", [0.5, 1.0])
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_image_is_augmented_alone_as_among_its_batch(name, p):
    for channels in (3,) if OPERATIONS[name].colour_only else (1, 3):
        for step, rows in enumerate(ROWS):
            whole, taken = whole_and_taken(of(name, p=p, channels=channels), rows, step, channels)
            assert torch.equal(whole, taken), (channels, rows)


@pytest.mark.parametrize(
    "spec",
    [
        of(*WARPS, p=0.5, fuse=True),
        of(*WARPS, p=1.0, fuse=True),
        of("ColorJiggle", "RandomErasing", "RandomMotionBlur", "TrivialAugment", choose=2),
    ],
    ids=["one warp", "one warp for all", "some chosen"],
)
def test_so_it_is_by_several_operations(spec):
    for step, rows in enumerate(ROWS):
        whole, taken = whole_and_taken(spec, rows, step)
        assert torch.equal(whole, taken), rows


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", [name for name, entry in OPERATIONS.items() if entry.group == "policy"])
def test_what_others_a_policy_picked_for_makes_no_difference(name, channels):
    """Torch convolves a single image another way, and in a batch there may be two to be sharpened."""
    pipeline = Pipeline(of(name, channels=channels), channels=channels, side=SIDE, seed=3)
    images = IMAGES[:, :channels]
    for step in range(25):
        draws = pipeline.draw(BATCH, step)
        whole = pipeline.apply(images, draws)
        few = draws.take(torch.arange(2, BATCH)).take(torch.arange(3))
        assert torch.equal(pipeline.apply(images[2:5], few), whole[2:5])


def test_draws_are_kept_for_those_rows_only():
    pipeline = Pipeline(
        of("RandomAffine", "RandomGaussianNoise", "ColorJiggle"), channels=3, side=SIDE, seed=3
    )
    rows = torch.tensor([5, 1])
    kept, taken = pipeline.draw(BATCH, 4, rows=rows), pipeline.draw(BATCH, 4).take(rows)
    assert kept.batch_size == taken.batch_size == 2
    for one, other in zip(kept.ops, taken.ops, strict=True):
        assert all(torch.equal(one.params[name], other.params[name]) for name in one.params)
        assert all(
            len(v) == 2 for name, v in one.params.items() if name not in ("order", "forward_input_shape")
        )
    noise = kept.ops[1].params["gaussian_noise"]
    assert noise.untyped_storage().nbytes() == 2 * 3 * SIDE**2 * 4  # a view would hold the whole batch's


@pytest.mark.parametrize("p", [0.5, 1.0])
@pytest.mark.parametrize("count", [1, 3, BATCH, BATCH + 5])
@pytest.mark.parametrize("name", LABELLED)
def test_the_first_results_of_a_mix_need_the_images_they_are_made_of_only(name, count, p):
    params = {"num_mix": 3} if name == "RandomCutMixV2" else {}
    spec = completed_augment(AugmentSpec(mix=MixSpec(op=name, p=p, params=params)), 3).mix
    mixer = Mixer(spec, channels=3, side=SIDE, seed=3)
    for step in range(6):
        draws = mixer.draw(BATCH, step)
        rows, few = draws.first(count)
        assert rows[:count].tolist() == list(range(min(count, BATCH)))
        assert rows.unique().tolist() == sorted(
            {*rows[:count].tolist(), *draws.sources[:count].flatten().tolist()}
        )
        whole, alone = mixer.apply(IMAGES, draws)[:count], mixer.apply(IMAGES[rows], few)[:count]
        assert torch.equal(whole, alone)
        targets = mixer.targets(torch.arange(BATCH), BATCH, draws)[:count]
        assert torch.equal(targets, mixer.targets(rows, BATCH, few)[:count])


def test_a_mix_that_needs_masks_is_of_the_whole_batch():
    spec = completed_augment(AugmentSpec(mix=MixSpec(op="RandomTransplantation")), 3, has_masks=True).mix
    with pytest.raises(AssertionError, match="the whole batch"):
        Mixer(spec, channels=3, side=SIDE, seed=3).draw(4, 0).first(2)


def dataset(count: int = 40, side: int = SIDE, one: bool = False) -> Dataset:
    """Random colour images of two classes; with ``one``, one image that is seen ``count`` times."""
    generator = torch.Generator().manual_seed(1)
    images = torch.randint(256, (1 if one else count, 3, side, side), dtype=torch.uint8, generator=generator)
    return Dataset(images.expand(count, -1, -1, -1), torch.arange(count) % 2, ("cat", "dog"))


def run_spec(augment: AugmentSpec, batch_size: int) -> RunSpec:
    return completed(RunSpec.model_validate({"train": {"batch_size": batch_size}})).model_copy(
        update={"augment": augment, "seed": 6}
    )


@pytest.mark.parametrize("mix", [None, *LABELLED])
@pytest.mark.parametrize(("batch_size", "count"), [(1, 8), (5, 8), (32, 1), (32, 8), (32, 7)])
def test_the_first_batch_shows_what_all_of_it_augmented_would(mix, batch_size, count, monkeypatch):
    ops = ("RandomAffine", "RandomGaussianNoise", "ColorJiggle", "RandAugment", "RandomPlasmaShadow")
    spec = run_spec(of(*ops, mix=MixSpec(op=mix) if mix else None), batch_size)
    monkeypatch.setattr(preview, "_AT_ONCE", 3 * 3 * SIDE**2)  # three images at once
    images, names = first_batch(spec, dataset(), count)

    train = split_dataset(dataset(), spec.data, derive(spec.seed, "split")).train
    index = preview.epoch_order(spec, len(train.labels), 1)[:batch_size]
    shown = preview.preview(spec.augment, train.images[index], seed=spec.seed, step=0, device="cpu")
    labels = [train.classes[label] for label in train.labels[index].tolist()]
    expected = [mixed.in_words(labels) for mixed in shown.mixed] or labels
    assert torch.equal(images, shown.results[:count]) and names == tuple(expected[:count])


@pytest.mark.parametrize(("mix", "most"), [(None, 8), ("RandomMosaic", 32)])
def test_no_more_images_are_augmented_than_are_seen(mix, most, monkeypatch):
    reached, apply = [], Pipeline.apply
    monkeypatch.setattr(
        Pipeline,
        "apply",
        lambda self, images, *rest: reached.append(len(images)) or apply(self, images, *rest),
    )
    spec = run_spec(of("RandomAffine", "RandomErasing", mix=MixSpec(op=mix) if mix else None), 512)
    images, _ = first_batch(spec, dataset(2000, 128, one=True), 8)
    assert len(images) == 8
    assert 8 <= sum(reached) <= most
    assert max(reached) * 3 * 128**2 <= 2**20


@pytest.mark.parametrize(("count", "sizes"), [(7, [3, 3, 2]), (6, [3, 3]), (1, [2])])
def test_no_image_is_augmented_by_itself(count, sizes, monkeypatch):
    """Torch would convolve it another way than in the whole batch; a byte would rarely tell."""
    reached, apply = [], Pipeline.apply
    monkeypatch.setattr(
        Pipeline,
        "apply",
        lambda self, images, *rest: reached.append(len(images)) or apply(self, images, *rest),
    )
    monkeypatch.setattr(preview, "_AT_ONCE", 3 * 3 * SIDE**2)
    images, names = first_batch(run_spec(of("RandomSharpness"), 32), dataset(), count)
    assert len(images) == len(names) == count and reached == sizes


def test_a_batch_that_takes_too_much_to_draw_for_is_not_drawn_for(monkeypatch):
    drawn, draw = [], Pipeline.draw
    monkeypatch.setattr(
        Pipeline,
        "draw",
        lambda self, size, *rest, **more: drawn.append(size) or draw(self, size, *rest, **more),
    )
    monkeypatch.setattr(preview, "_MOST_DRAWN", 30 * (2 * 3 * SIDE**2 * 4 + 400))  # noise for 30 images
    noisy = of("RandomAffine", "RandomGaussianNoise")
    with pytest.raises(TooLargeError) as refused:
        first_batch(run_spec(noisy, 31), dataset(), 8)
    assert refused.value.what == (
        "A first batch of 31 images of 20×20 px with Gaussian noise is too large to preview; "
        "training draws it on the fly. A batch of up to 30 shows here."
    )
    assert drawn == [1]
    assert len(first_batch(run_spec(noisy, 30), dataset(), 8)[0]) == 8
    assert len(first_batch(run_spec(of("RandomAffine"), 31), dataset(), 8)[0]) == 8
    monkeypatch.setattr(preview, "_MOST_DRAWN", 1)
    with pytest.raises(TooLargeError, match=r"on the fly\. Fewer such operations show here\.$"):
        first_batch(run_spec(noisy, 1), dataset(), 8)


def test_clouds_take_more_to_draw_than_what_is_drawn():
    def working(name):
        return Pipeline(of(name), channels=3, side=32, seed=3).draw(1, 0).ops[0].working_bytes

    assert working("RandomPlasmaBrightness") > 8 * working("RandomGaussianNoise") > 10**4
    assert working("RandomAffine") < 10**3
