"""Copies of images: found by brute force too, and never on both sides of a split."""

import io

import numpy as np
import pytest
from image_files import zipped
from PIL import Image, ImageEnhance

from core.data.copies import copies_in, kept_together
from core.data.digits import mnist5k
from core.data.folder import read_zip
from core.data.photos import FOLDER
from core.data.split import split_dataset
from core.run.spec import DataSpec

RNG = np.random.default_rng(0)


def photographs(count, side=200):
    """Pieces of the bundled photographs, each from elsewhere."""
    whole = Image.open(FOLDER / "astronaut.jpg").convert("RGB")
    width, height = whole.size
    for _ in range(count):
        size = int(RNG.integers(60, 120))
        left, top = int(RNG.integers(0, width - size)), int(RNG.integers(0, height - size))
        yield whole.crop((left, top, left + size, top + size)).resize((side, side))


def saved(image, form="PNG", **options):
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def again(image):
    return {
        "exact": saved(image),
        "jpeg": saved(image, "JPEG", quality=60),
        "smaller": saved(image.resize((150, 150))),
        "larger": saved(image.resize((400, 400), Image.Resampling.LANCZOS)),
    }


def test_what_was_saved_anew_or_scaled_is_a_copy_and_nothing_else_is():
    originals = list(photographs(12))
    files, expected = {}, []
    for i, image in enumerate(originals):
        for how, content in again(image).items():
            files[f"{'ab'[i % 2]}/{i:02}_{how}.img"] = content
    found = read_zip(io.BytesIO(zipped(files)), side=32)
    names = sorted(files)
    expected = [name.split("_")[0] for name in names]
    groups, _ = copies_in(found.dataset.images)
    assert [expected[group] for group in groups] == expected and len(set(groups.tolist())) == 12
    assert found.dataset.notes[1].startswith(
        "36 images are copies of another, the same or nearly so: a/00_jpeg"
    )


def test_digits_and_brighter_pictures_are_no_copies():
    images = mnist5k().images
    near, exact = copies_in(np.asarray(images))
    assert np.array_equal(exact, np.arange(len(images)))
    assert np.array_equal(near, exact)
    photo = next(photographs(1, 32))
    brighter = [np.asarray(ImageEnhance.Brightness(photo).enhance(factor)) for factor in (1, 1.2)]
    stack = np.stack(brighter).transpose(0, 3, 1, 2)
    assert copies_in(stack)[0].tolist() == [0, 1]


def test_near_is_the_root_mean_square_of_small_pictures():
    images = RNG.integers(0, 256, (40, 3, 16, 16), dtype=np.uint8)
    noise = np.repeat(np.linspace(0, 16, 20), 2)[:, None, None, None]
    images[1::2] = (
        (images[::2] + RNG.normal(size=images[1::2].shape) * noise[1::2]).clip(0, 255).astype(np.uint8)
    )
    groups, _ = copies_in(images)
    floats = images.astype(float)
    for i in range(0, 40, 2):
        contrast = min(np.sqrt(floats[j].var(axis=(1, 2)).mean()) for j in (i, i + 1))
        near = np.sqrt(((floats[i] - floats[i + 1]) ** 2).mean()) <= 0.1 * contrast
        assert (groups[i + 1] == i) == near


@pytest.mark.parametrize("seed", range(5))
def test_copies_stay_on_one_side_and_every_class_is_on_both(seed):
    files = {
        f"{'ab'[i % 2]}/{i:02}_{how}.img": content
        for i, image in enumerate(photographs(10))
        for how, content in again(image).items()
        if how == "exact" or RNG.random() < 0.6
    }
    dataset = read_zip(io.BytesIO(zipped(files)), side=32).dataset
    split = split_dataset(dataset, DataSpec(name="folder"), seed)
    group_of = {
        image.tobytes(): int(group) for image, group in zip(dataset.images, dataset.groups, strict=True)
    }
    sides = [
        {group_of[image.numpy().tobytes()] for image in side.images}
        for side in (split.train, split.validation)
    ]
    assert not sides[0] & sides[1] and len(split.train) + len(split.validation) == len(dataset)
    assert all(set(side.labels.tolist()) == {0, 1} for side in (split.train, split.validation))


def test_a_class_of_copies_is_split_all_the_same():
    labels = np.array([0] * 4 + [1] * 4)
    film, alike = np.array([0, 0, 0, 0, 4, 5, 6, 7]), np.array([0, 1, 2, 2, 4, 5, 6, 7])
    assert kept_together(film, alike, labels).tolist() == alike.tolist()
    assert kept_together(film, film, labels).tolist() == list(range(8))
    across = np.array([0, 1, 2, 3, 0, 1, 2, 3])  # each is in both classes
    assert kept_together(across, across, labels).tolist() == list(range(8))
