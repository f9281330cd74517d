"""The account of a person's own images, as the command line prints it."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.__main__ import main
from core.data.catalogue import load_dataset
from core.data.folder import read_zip
from core.data.layout import natural
from core.data.litter import is_litter
from core.data.split import split_dataset
from core.data.uploads import keep_upload
from core.run.spec import DataSpec

RNG = np.random.default_rng(0)


def encoded(pixels, form="PNG", **options):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, form, **options)
    return stream.getvalue()


def picture(form="PNG", shape=(16, 16, 3)):
    return encoded(RNG.integers(0, 256, shape, dtype=np.uint8), form)


def zipped(path, files, folders=()):
    with zipfile.ZipFile(path, "w") as archive:
        for folder in folders:
            archive.writestr(f"{folder}/", b"")
        for name, content in files.items():
            archive.writestr(name, content)
    return str(path)


def images(*classes, each=10, above=""):
    return {f"{above}{name}/{i}.png": picture() for name in classes for i in range(each)}


def read_path(path, **given):
    with Path(path).open("rb") as stream:
        return read_zip(stream, **given)


def account(capsys, *arguments):
    status = main(["data", *arguments])
    told = capsys.readouterr()
    return (json.loads(told.out), told.err) if status == 0 else (None, told.err)


def test_it_is_one_object_with_what_a_page_shows(tmp_path, capsys):
    found, _ = account(capsys, zipped(tmp_path / "a.zip", images("b", "a", each=30)), "--side", "16")
    assert found == {
        "classes": {"a": 30, "b": 30}, "train": 48, "validation": 12, "side": 16, "channels": 3, "notes": [],
    }  # fmt: skip


def test_classes_come_in_natural_order(tmp_path, capsys):
    found, _ = account(capsys, zipped(tmp_path / "a.zip", images(*map(str, range(1, 13)), each=2)))
    assert list(found["classes"]) == [str(i) for i in range(1, 13)]
    assert sorted(["1" * 5000, "a10", "²", "007"], key=natural) == ["²", "007", "1" * 5000, "a10"]
    assert sorted(["x1y10", "x1y9", "a10", "A2"], key=natural) == ["A2", "a10", "x1y9", "x1y10"]


@pytest.mark.parametrize(
    "name",
    [
        "__MACOSX/a/1.png", "a/.DS_Store", "SYSTEM VOLUME INFORMATION/x.png", "$Recycle.Bin/1.png",
        "a/Thumbs.DB", "@eaDir/a/1.png", "a/Icon\r",
    ],
)  # fmt: skip
def test_what_systems_leave_is_counted_and_no_class(tmp_path, capsys, name):
    assert is_litter(name)
    found, _ = account(capsys, zipped(tmp_path / "a.zip", images("a", "b") | {name: picture()}))
    assert list(found["classes"]) == ["a", "b"] and "Left out 1 hidden or system file." in found["notes"]


def test_an_empty_folder_is_named_and_papers_beside_the_images_are_no_class(tmp_path, capsys):
    files = images("cat", "dog", above="set/images/") | {"set/docs/read me.txt": b"x"}
    found, _ = account(
        capsys, zipped(tmp_path / "a.zip", files, folders=["set/images/bird", "set/images/cat"])
    )
    assert list(found["classes"]) == ["cat", "dog"]
    assert "Without images: set/images/bird/." in found["notes"]
    assert any("read me.txt" in note for note in found["notes"])


def test_one_class_that_has_nearly_all_is_said(tmp_path, capsys):
    files = images("a", each=40) | images("b", each=4)
    found, _ = account(capsys, zipped(tmp_path / "a.zip", files))
    assert "a has 40 of 44, 91 %: who always says a is correct that often." in found["notes"]
    assert "Fewer than 5 images are kept to validate with of b." in found["notes"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"1.png": picture(), "2.png": picture()}, "such as cats/1.jpg, cats/2.jpg"),
        ({"a/inner.zip": b"PK"}, "another zip, a/inner.zip; unpack that"),
        (images("train", "val") | {"notes/a.txt": b""}, "are a split without classes; give train/cats/1.jpg"),
        (images("val", "test"), "are a split, not classes, of which one part is missing"),
        (images("a", above="train/") | images("a", "b", above="val/"), "b has no image in the training part"),
        ({f"{c}/{i}.heic": b"\0\0\0\x18ftypheic" for c in "ab" for i in range(3)}, "export it as JPEG"),
    ],
)
def test_a_refusal_says_what_was_found_and_how_to_mend_it(tmp_path, capsys, files, said):
    found, refusal = account(capsys, zipped(tmp_path / "a.zip", files))
    assert found is None and said in refusal


# What is proposed


@pytest.mark.parametrize(
    ("shapes", "side", "channels"),
    [
        ([(28, 28)], 28, 1),
        ([(28, 28, 3)], 28, 3),
        ([(20, 20)], 20, 1),
        ([(40, 50, 3), (60, 35, 3)], 32, 3),
        ([(300, 200, 3)], 64, 3),
        ([(6, 6)], 8, 1),
    ],
)
def test_side_and_colour_follow_from_the_images(tmp_path, capsys, shapes, side, channels):
    files = {f"{c}/{i}.png": picture(shape=shape) for c in "ab" for i in range(4) for shape in shapes}
    found, _ = account(capsys, zipped(tmp_path / "a.zip", files))
    assert (found["side"], found["channels"]) == (side, channels)


def test_grey_that_is_stored_in_colour_stays_grey(tmp_path, capsys):
    grey = {f"{c}/{i}.jpg": picture("JPEG", (28, 28)) for c in "ab" for i in range(4)}
    files = {name: encoded(np.asarray(Image.open(io.BytesIO(content)).convert("RGB")))
             for name, content in grey.items()}  # fmt: skip
    assert account(capsys, zipped(tmp_path / "a.zip", files))[0]["channels"] == 1


def test_what_is_far_from_square_is_said_and_can_be_padded(tmp_path, capsys):
    path = zipped(
        tmp_path / "a.zip", {f"{c}/{i}.png": picture(shape=(40, 160, 3)) for c in "ab" for i in range(4)}
    )
    cropped, padded = (account(capsys, path, *fit)[0]["notes"] for fit in ((), ("--fit", "pad")))
    assert "They are far from square: the crop keeps 25 % of the median image. Padding keeps all." in cropped
    assert "They are far from square: the median image fills 25 % of its padded square." in padded


def test_twelve_bits_in_sixteen_are_stretched_and_said(tmp_path, capsys):
    deep = {
        f"{c}/{i}.png": encoded(RNG.integers(0, 4096, (16, 16)).astype(np.uint16))
        for c in "ab"
        for i in range(4)
    }
    path = zipped(tmp_path / "a.zip", deep)
    said = "8 images have 16 bits a value, of which 12 are used: 0 to 4,095; 0 became black, 4,095 white."
    assert said in account(capsys, path)[0]["notes"]
    stored = np.stack([np.asarray(Image.open(io.BytesIO(each))) for each in deep.values()])
    found = read_path(path).dataset.images[:, 0]
    assert np.abs(found - stored * (255 / 4095)).max() <= 0.5 + 1e-3


def test_every_oddity_of_an_image_is_named(tmp_path, capsys):
    files = images("a", "b", each=10)
    turned = Image.fromarray(np.asarray(Image.open(io.BytesIO(files["a/0.png"]))))
    exif = turned.getexif()
    exif[274] = 6
    for name, image, options in (
        ("a/turned.jpg", turned, {"exif": exif}),
        ("a/print.jpg", turned.convert("CMYK"), {}),
        ("b/clear.png", turned.convert("RGBA").point(lambda value: value // 2), {}),
    ):
        stream = io.BytesIO()
        image.save(stream, "JPEG" if name.endswith("jpg") else "PNG", **options)
        files[name] = stream.getvalue()
    found, _ = account(capsys, zipped(tmp_path / "a.zip", files))
    assert found["notes"][:3] == [
        "1 image was turned upright, as the camera says.",
        "1 image was converted from CMYK, the colours of print.",
        "1 image was laid on white where transparent.",
    ]


@pytest.mark.parametrize("form", ["TIFF", "GIF"])
def test_tiff_and_gif_are_read_like_png(tmp_path, form):
    pixels = [RNG.integers(0, 256, (16, 16), dtype=np.uint8) for _ in range(8)]
    paths = [
        zipped(
            tmp_path / f"{each}.zip",
            {f"{'ab'[i % 2]}/{i}.x": encoded(image, each) for i, image in enumerate(pixels)},
        )
        for each in ("PNG", form)
    ]
    as_png, other = (read_path(path) for path in paths)
    assert np.array_equal(as_png.dataset.images, other.dataset.images)
    assert f"8 {form} files: the first picture of each." in other.dataset.notes


# A split, a table, arrays


def test_a_split_that_is_given_is_kept(tmp_path, capsys):
    files = images("b", "a", each=6, above="set/train/") | images("a", "b", each=2, above="set/VAL/")
    files |= images("a", "b", each=3, above="set/test/")
    path = zipped(tmp_path / "a.zip", files)
    found, _ = account(capsys, path)
    assert (found["classes"], found["train"], found["validation"]) == ({"a": 8, "b": 8}, 12, 4)
    assert "The split is yours: VAL/ is kept to validate." in found["notes"]
    assert "test/ is left aside, 6 files." in found["notes"]
    dataset = read_path(path).dataset
    for seed in (0, 1):
        split = split_dataset(dataset, DataSpec(name="folder"), seed)
        kept = {image.numpy().tobytes() for image in split.validation.images}
        assert kept == {image.tobytes() for image in dataset.images[dataset.held_out]}
    only_test = {
        name.replace("VAL", "aside"): content for name, content in files.items() if "VAL" not in name
    }
    found, _ = account(capsys, zipped(tmp_path / "b.zip", only_test))
    assert (found["train"], found["validation"]) == (12, 6)


@pytest.mark.parametrize(
    "table",
    [
        "filename,label\n{0}.png,cat\n{1}.png,dog\n{2}.png,cat\n{3}.png,dog\n",
        "\ufeffid;sharp;species\r\n{0};1;cat\r\n{1};1;dog\r\n{2};1;cat\r\n{3};1;dog\r\n",
        "photos/{0}.png\tcat\nphotos/{1}.png\tdog\nphotos/{2}.png\tcat\nphotos/{3}.png\tdog\n",
    ],
)
@pytest.mark.parametrize("above", ["", "photos/"])
def test_a_table_of_labels_beside_flat_images(tmp_path, capsys, table, above):
    files = {f"{above}{i}.png": picture() for i in range(5)} | {
        "labels.csv": table.format(0, 1, 2, 3).encode()
    }
    if "photos" in table and not above:
        return
    found, refusal = account(capsys, zipped(tmp_path / "a.zip", files))
    assert found is not None, refusal
    assert found["classes"] == {"cat": 2, "dog": 2}
    assert "The classes stand in labels.csv." in found["notes"]
    assert f"1 image stands not in it, and is left out: {above}4.png." in found["notes"]


def test_what_is_kept_of_a_table_and_of_a_split_reads_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path / "home"))
    table = {f"{i}.png": picture() for i in range(8)} | {
        "labels.csv": b"name,label\n"
        + b"".join(b"%d.png,%s\n" % (i, b"ab"[i % 2 : i % 2 + 1]) for i in range(8))
    }
    split = images("a", "b", each=3, above="train/") | images("a", "b", each=2, above="val/")
    for i, files in enumerate((table, split)):
        path = zipped(tmp_path / f"{i}.zip", files)
        name, form = keep_upload(Path(path).read_bytes())
        for side in (form.side, 10):
            found = load_dataset(DataSpec(name="folder", path=name, side=side))
            expected = read_path(path, side=side, channels=3).dataset
            assert np.array_equal(found.images, expected.images) and found.classes == expected.classes
            assert np.array_equal(found.labels, expected.labels)
            assert (found.held_out is None) == (expected.held_out is None)
            assert found.held_out is None or np.array_equal(found.held_out, expected.held_out)


def arrays(path, **named):
    np.savez_compressed(path, **named)
    return str(path)


def test_numpy_arrays_with_and_without_a_split(tmp_path, capsys):
    x, y = RNG.integers(0, 256, (40, 28, 28), dtype=np.uint8), np.arange(40) % 4
    found, _ = account(capsys, arrays(tmp_path / "a.npz", x=x, y=y))
    assert found["classes"] == dict.fromkeys("0123", 10)
    assert (found["side"], found["channels"], found["train"], found["validation"]) == (28, 1, 32, 8)
    assert np.array_equal(read_path(tmp_path / "a.npz").dataset.images[:, 0], x)
    path = arrays(tmp_path / "b.npz", x_train=x[:30], y_train=y[:30], x_test=x[30:], y_test=y[30:])
    found, _ = account(capsys, path)
    assert (found["train"], found["validation"]) == (30, 10)
    floats = arrays(tmp_path / "c.npz", images=np.stack([x / 255.0] * 3, 1), labels=np.array(["a", "b"] * 20))
    dataset = read_path(floats).dataset
    assert dataset.classes == ("a", "b") and np.array_equal(dataset.images[:, 2], x)


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"z": np.zeros(3)}, "it holds arrays, z, but not x of shape"),
        ({"x": np.zeros((4, 8, 8)), "y": np.zeros(3)}, "y has the shape"),
        ({"x": np.zeros((4, 8)), "y": np.zeros(4, int)}, "expected: x of shape"),
        ({"x": np.zeros((4, 8, 8, 5)), "y": np.zeros(4, int)}, "channels 1 or 3"),
        ({"x": np.full((4, 8, 8), np.nan), "y": np.zeros(4, int)}, "no numbers"),
        ({"x": np.array([{}, {}], object), "y": np.zeros(2, int)}, "can't be read as plain numbers"),
        ({"x": np.zeros((4, 8, 8)), "y": np.zeros(4)}, "whole numbers or words"),
        ({"x": RNG.random((4, 8, 8)), "y": np.zeros(4, int)}, "one class only"),
    ],
)
def test_arrays_that_are_no_images_are_refused_in_words(tmp_path, capsys, named, said):
    assert said in account(capsys, arrays(tmp_path / "a.npz", **named))[1]
