"""Splitting, against counting by hand and NumPy."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.catalogues import completed
from core.data.dataset import Dataset
from core.data.digits import mnist5k
from core.data.split import split_dataset, split_places, split_seed
from core.run.digest import digest
from core.run.errors import SpecError
from core.run.spec import DataSpec, parse


def numbered(sizes: list[int]) -> Dataset:
    """Classes of the given sizes; image i says its own number in its first two pixels."""
    num = sum(sizes)
    images = torch.zeros((num, 1, 2, 2), dtype=torch.uint8)
    images[:, 0, 0, 0], images[:, 0, 0, 1] = torch.arange(num) // 256, torch.arange(num) % 256
    labels = torch.repeat_interleave(torch.tensor(sizes))
    return Dataset(images, labels, tuple(f"c{i}" for i in range(len(sizes))), ("a note",))


def numbers(dataset: Dataset) -> list[int]:
    return (dataset.images[:, 0, 0, 0].long() * 256 + dataset.images[:, 0, 0, 1]).tolist()


def counts(dataset: Dataset) -> list[int]:
    return np.bincount(dataset.labels, minlength=len(dataset.classes)).tolist()


def test_dataset_properties_and_take():
    dataset = Dataset(torch.zeros((5, 3, 7, 7), dtype=torch.uint8), torch.arange(5), tuple("abcde"), ("n",))
    taken = dataset.take(torch.tensor([3, 1]))
    assert (dataset.channels, dataset.side, len(dataset)) == (3, 7, 5)
    assert taken.labels.tolist() == [3, 1]
    assert taken.images.shape == (2, 3, 7, 7)
    assert (taken.classes, taken.notes) == (dataset.classes, ("n",))


def test_arrays_that_can_not_be_written_to_are_split_as_tensors_are():
    tensors = numbered([20, 30])
    arrays = Dataset(tensors.images.numpy(), tensors.labels.numpy(), tensors.classes)
    arrays.images.flags.writeable = arrays.labels.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # torch's, that a tensor can't be read-only
        ours, theirs = (split_dataset(each, DataSpec(), seed=5) for each in (arrays, tensors))
    for a, b in ((ours.train, theirs.train), (ours.validation, theirs.validation)):
        assert torch.equal(a.images, b.images) and torch.equal(a.labels, b.labels)
    assert (ours.mean, ours.std) == (theirs.mean, theirs.std)


def test_classes_are_split_in_proportion():
    parts = split_dataset(numbered([50, 30, 20]), DataSpec(validation_share=0.2), seed=0)
    assert counts(parts.validation) == [10, 6, 4]
    assert counts(parts.train) == [40, 24, 16]
    assert parts.train.classes == parts.validation.classes == ("c0", "c1", "c2")
    assert parts.train.notes == ("a note",)


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(2, 40), min_size=1, max_size=8),
    share=st.floats(0.05, 0.5),
    seed=st.integers(0, 2**31 - 1),
)
def test_every_image_is_on_one_side_and_every_class_on_both(sizes, share, seed):
    dataset = numbered(sizes)
    parts = split_dataset(dataset, DataSpec(validation_share=share), seed)
    assert sorted(numbers(parts.train) + numbers(parts.validation)) == list(range(sum(sizes)))
    assert min(counts(parts.train)) >= 1
    assert min(counts(parts.validation)) >= 1
    assert len(parts.validation) == max(round(share * sum(sizes)), len(sizes))
    for part in (parts.train, parts.validation):
        assert part.labels.tolist() == dataset.labels[numbers(part)].tolist()


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(20, 60), min_size=1, max_size=6), share=st.floats(0.1, 0.5))
def test_no_class_is_a_whole_image_off_its_share(sizes, share):
    validation = split_dataset(numbered(sizes), DataSpec(validation_share=share), seed=1).validation
    for count, size in zip(counts(validation), sizes, strict=True):
        assert abs(count - size * len(validation) / sum(sizes)) < 1


def test_the_seed_decides():
    dataset, spec = numbered([40, 40]), DataSpec()
    first, again, other = (split_dataset(dataset, spec, seed) for seed in (7, 7, 8))
    assert numbers(first.train) == numbers(again.train)
    assert numbers(first.validation) == numbers(again.validation)
    assert set(numbers(first.validation)) != set(numbers(other.validation))


def test_a_part_of_the_training_side_is_in_proportion_and_leaves_validation_alone():
    dataset = numbered([50, 30, 20])
    whole, large, small = (
        split_dataset(dataset, DataSpec(train_images=number), seed=3) for number in (None, 40, 10)
    )
    assert counts(large.train) == [20, 12, 8]
    assert counts(small.train) == [5, 3, 2]
    assert numbers(small.validation) == numbers(whole.validation)
    assert numbers(small.train) != sorted(numbers(small.train))  # drawn, not the first ones
    assert set(numbers(small.train)) < set(numbers(large.train)) < set(numbers(whole.train))


@pytest.mark.parametrize(
    ("sizes", "number", "said"),
    [([50, 50], 81, "only 80 are left"), ([5, 5, 5], 2, "at least 3")],
)
def test_impossible_parts_are_refused(sizes, number, said):
    with pytest.raises(SpecError, match=said) as error:
        split_dataset(numbered(sizes), DataSpec(train_images=number), seed=0)
    assert error.value.where == "data.train_images"


@pytest.mark.parametrize(
    ("sizes", "said"), [([9, 1], "'c1' has 1 image;"), ([9, 9, 0], "'c2' has 0 images;")]
)
def test_a_class_too_small_to_divide_is_refused(sizes, said):
    with pytest.raises(SpecError, match=said) as error:
        split_dataset(numbered(sizes), DataSpec(), seed=0)
    assert error.value.where == "data.name"


def test_statistics_are_numpys_over_the_training_part_alone():
    images = torch.randint(
        0, 256, (30, 3, 5, 5), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    images[:, 1] //= 4  # channels that differ
    images[:, 2] = 77  # and one that never varies
    dataset = Dataset(images, torch.arange(30) % 2, ("a", "b"))
    parts = split_dataset(dataset, DataSpec(train_images=11), seed=0)
    pixels = parts.train.images.numpy().astype(np.float64) / 255
    assert len(parts.train) == 11
    np.testing.assert_allclose(parts.mean, pixels.mean(axis=(0, 2, 3)), rtol=1e-12)
    np.testing.assert_allclose(parts.std[:2], pixels.std(axis=(0, 2, 3))[:2], rtol=1e-12)
    assert parts.std[2] == 1.0


def test_a_split_seed_keeps_the_same_images_for_runs_of_other_seeds():
    dataset = mnist5k()

    def kept(**spec):
        parsed = completed(parse(spec))
        return split_places(dataset, parsed.data, split_seed(parsed))[1].tolist()

    own, shared = {"seed": 1}, {"seed": 1, "data": {"split_seed": 0}}
    assert kept(**shared) == kept() != kept(**own)
    assert kept(seed=2, data={"split_seed": 2}) == kept(seed=2)
    assert completed(parse({"seed": 2, "data": {"split_seed": 2}})) == completed(parse({"seed": 2}))
    digests = {digest("train", completed(parse(each))) for each in (own, shared, {})}
    assert len(digests) == 3


def folded(dataset, folds, seed=0, **rest):
    """What each fold trains on and is judged by, as sets of places; and what is left out of all."""
    kept = split_places(dataset, DataSpec(**rest), seed)[1]
    parts = [split_places(dataset, DataSpec(folds=folds, fold=i, **rest), seed) for i in range(folds)]
    return [(set(train.tolist()), set(judged.tolist())) for train, judged in parts], set(kept.tolist())


@given(
    st.lists(st.integers(8, 30), min_size=2, max_size=4),
    st.integers(2, 5),
    st.integers(0, 1000),
)
def test_each_training_image_is_judged_in_one_fold_and_no_fold_sees_what_is_kept(sizes, folds, seed):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    dataset = Dataset(np.zeros((len(labels), 1, 8, 8), np.uint8), labels, tuple("abcd"[: len(sizes)]))
    parts, kept = folded(dataset, folds, seed)
    everything = set(range(len(labels)))
    assert sorted(place for _, judged in parts for place in judged) == sorted(everything - kept)
    for train, judged in parts:
        assert train == everything - kept - judged
    counts = np.array([np.bincount(labels[list(judged)], minlength=len(sizes)) for _, judged in parts])
    assert (counts.max(0) - counts.min(0)).max() <= 1  # of each class
    assert counts.sum(1).max() - counts.sum(1).min() <= 1  # of all


def test_copies_of_an_image_lie_in_one_fold():
    groups = np.repeat(np.arange(30), 2)
    labels = np.repeat(np.arange(2), 30)
    dataset = Dataset(np.zeros((60, 1, 8, 8), np.uint8), labels, ("a", "b"), groups=groups)
    for train, judged in folded(dataset, 4)[0]:
        assert not {groups[i] for i in train} & {groups[i] for i in judged}


def test_more_folds_than_a_class_has_images_are_refused():
    labels = np.array([0] * 20 + [1] * 4)
    dataset = Dataset(np.zeros((24, 1, 8, 8), np.uint8), labels, ("a", "b"))
    with pytest.raises(SpecError, match="3 different images to train on; 5 folds"):
        split_places(dataset, DataSpec(folds=5, fold=0), 0)


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"folds": 5}, "of 5 `folds` one is judged, so say which: `fold`, from 0 to 4."),
        ({"fold": 0}, "a `fold` is one of several, so say of how many: `folds`, from 2 to 20."),
        ({"folds": 3, "fold": 3}, "`fold` is counted from 0, so of 3 it is at most 2."),
    ],
)
def test_a_fold_is_one_of_the_folds(choice, said):
    with pytest.raises(SpecError) as refused:
        parse({"data": choice})
    assert (refused.value.where, refused.value.what) == ("data", said)
