"""Statistics by NumPy, the two sides by sets."""

import numpy as np
import pytest

from core.data.catalogue import load_dataset
from core.data.split import split_dataset
from core.run.spec import DataSpec


def as_set(dataset):
    return {image.numpy().tobytes() for image in dataset.images}


@pytest.mark.parametrize("name", ["mnist5k", "digits"])
def test_training_statistics_normalise_and_no_image_is_on_both_sides(name):
    whole = load_dataset(DataSpec(name=name))
    spec = DataSpec(name=name)
    split = split_dataset(whole, spec, 3)
    pixels = split.train.images.numpy().astype(np.float64) / 255
    np.testing.assert_allclose(split.mean, pixels.mean((0, 2, 3)), rtol=1e-7)
    np.testing.assert_allclose(split.std, pixels.std((0, 2, 3)), rtol=1e-7)
    assert len(split.train) + len(split.validation) == len(whole)
    counts = np.bincount(split.validation.labels.numpy()) / np.bincount(np.asarray(whole.labels))
    np.testing.assert_allclose(counts, 0.2, atol=1 / np.bincount(np.asarray(whole.labels)).min())
    unique = len({np.asarray(image).tobytes() for image in whole.images})
    both = as_set(split.train) & as_set(split.validation)
    assert len(both) <= len(whole) - unique  # but for images that the set has twice


def test_smaller_training_parts_lie_in_larger_ones_and_validation_stays():
    whole = load_dataset(DataSpec())
    splits = [split_dataset(whole, DataSpec(train_images=n), 3) for n in (100, 500, 4000)]
    sets = [as_set(each.train) for each in splits]
    assert sets[0] < sets[1] < sets[2]
    for each in splits:
        assert np.array_equal(each.validation.images, splits[0].validation.images)
