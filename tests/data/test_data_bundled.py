"""The catalogue, the bundled sets and the photographs."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from core.catalogue import as_json, imported
from core.data.arrows import CLASSES, LUMINANCE, Scene, draw_scenes, render
from core.data.catalogue import DATASETS, load_dataset
from core.data.photos import photos
from core.randomness import generator
from core.run.errors import SpecError
from core.run.spec import DataSpec

BUNDLED = [name for name in DATASETS if not DATASETS[name].own]


@pytest.mark.parametrize("name", BUNDLED)
def test_a_set_is_what_its_entry_says(name):
    entry, dataset = DATASETS[name], load_dataset(DataSpec(name=name))
    assert dataset.images.dtype == np.uint8
    assert dataset.labels.dtype == np.int64
    assert dataset.images.shape == (entry.num_images, entry.channels, entry.side, entry.side)
    assert dataset.labels.shape == (entry.num_images,)
    assert len(dataset.classes) == entry.num_classes
    assert set(dataset.labels.tolist()) == set(range(entry.num_classes))
    assert entry.licence
    assert load_dataset(DataSpec(name=name)) is dataset


def test_entries_are_named_as_they_are_kept_and_can_be_json():
    assert list(DATASETS) == ["mnist5k", "digits", "arrows", "folder"]
    for name, entry in DATASETS.items():
        described = as_json(entry)
        assert described["name"] == name
        assert described["num_images"] == entry.num_images
        assert callable(imported(described["loads"]))


@pytest.mark.parametrize(("field", "value"), [("path", "x.zip"), ("side", 32), ("channels", 1)])
@pytest.mark.parametrize("name", BUNDLED)
def test_fields_of_folder_are_refused_elsewhere(name, field, value):
    with pytest.raises(SpecError, match="only 'folder' has it") as error:
        load_dataset(DataSpec(name=name, **{field: value}))
    assert error.value.where == f"data.{field}"


def test_an_unknown_name_is_refused_with_those_there_are():
    with pytest.raises(SpecError, match="mnist5k, digits, arrows, folder") as error:
        load_dataset(DataSpec(name="cifar"))
    assert error.value.where == "data.name"


def test_mnist5k_is_mnist():
    dataset = load_dataset(DataSpec(name="mnist5k"))
    pixels = dataset.images / 255
    assert np.bincount(dataset.labels).tolist() == [500] * 10
    assert pixels.mean() == pytest.approx(0.1307, abs=0.005)  # MNIST's own, over all 60,000
    assert pixels.std() == pytest.approx(0.3081, abs=0.005)
    assert len({image.tobytes() for image in dataset.images}) == 5_000
    assert np.bincount(dataset.labels[:500]).min() >= 30  # shuffled: a prefix holds all digits


def test_mnist5k_labels_belong_to_their_images():
    """The nearest class mean gets four in five of MNIST right; wrong labels, one in ten."""
    dataset = load_dataset(DataSpec(name="mnist5k"))
    x, y = torch.from_numpy(dataset.images).flatten(1).float() / 255, torch.from_numpy(dataset.labels)
    means = torch.stack([x[y == digit].mean(0) for digit in range(10)])
    assert (torch.cdist(x, means).argmin(1) == y).float().mean() > 0.75


def test_digits_are_scikit_learns():
    dataset, bunch = load_dataset(DataSpec(name="digits")), load_digits()
    np.testing.assert_array_equal(np.rint(dataset.images[:, 0] / 255 * 16), bunch.images)
    np.testing.assert_array_equal(dataset.labels, bunch.target)
    assert dataset.images.max() == 255


def mirrored(scene: Scene) -> Scene:
    """The same scenes in a mirror that stands upright."""
    return replace(
        scene,
        angle=math.pi - scene.angle,
        centre=scene.centre * np.float32([-1, 1]),
        background=scene.background[:, ::-1],
        clutter=scene.clutter * np.float32([-1, 1, -1, 1, 1]),
    )


def test_an_arrow_in_the_mirror_is_the_flipped_image():
    """So what a horizontal flip makes of "left", at π, is what is drawn for "right", at 0."""
    labels = np.arange(40) % 4
    scene = draw_scenes(labels, generator(0))
    np.testing.assert_allclose(render(mirrored(scene)), render(scene)[..., ::-1], rtol=0, atol=2e-5)
    heading = {"up": -math.pi / 2, "right": 0, "down": math.pi / 2, "left": math.pi}
    flipped = np.array(["up", "left", "down", "right"])[labels]  # what the mirror makes of each class
    off = mirrored(scene).angle - [heading[name] for name in flipped]
    assert np.abs(np.arctan2(np.sin(off), np.cos(off))).max() < math.radians(12.5)


@pytest.mark.parametrize(
    ("label", "axis", "end"), [("up", 1, -1), ("down", 1, 1), ("left", 2, -1), ("right", 2, 1)]
)
def test_arrows_point_where_their_labels_say(label, axis, end):
    """The broadest cross-section of an arrow, its head's base, lies on the tip's side of its middle."""
    scene = draw_scenes(np.full(64, CLASSES.index(label)), generator(1))
    white_on_black = replace(
        scene,
        colour=np.ones_like(scene.colour),
        background=np.zeros_like(scene.background),
        clutter=np.full_like(scene.clutter, -2),
    )
    breadth = render(white_on_black)[:, 0].sum(axis=3 - axis)  # (64, 32) along the arrow
    inside = breadth > 0.5
    first, last = inside.argmax(1), 31 - inside[:, ::-1].argmax(1)
    towards_tip = breadth.argmax(1) - (first + last) / 2
    assert (towards_tip * end > 0).all()


def test_arrows_have_no_colour_that_tells():
    """Lighter or darker than what is behind it, about as often: a threshold finds no arrow."""
    scene = draw_scenes(np.arange(1000) % 4, generator(2))
    gap = (scene.colour - scene.background.mean(1)) @ LUMINANCE
    assert 0.35 < (gap > 0).mean() < 0.65
    assert np.quantile(np.abs(gap), 0.05) > 0.2


def test_photographs():
    images, infos = photos(64)
    assert images.shape == (4, 3, 64, 64)
    assert images.dtype == np.uint8
    assert [info.name for info in infos] == ["astronaut", "chelsea", "coffee", "rocket"]
    assert all(info.alt.endswith(".") and info.credit for info in infos)
    assert images.std(axis=(1, 2, 3)).min() > 20  # pictures of something
    assert photos(64)[0] is images
