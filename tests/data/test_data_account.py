"""The account of a person's own images, as the command line prints it."""

import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from core.__main__ import main
from core.data.folder import natural
from core.data.litter import is_litter

RNG = np.random.default_rng(0)


def picture(form="PNG"):
    stream = io.BytesIO()
    Image.fromarray(RNG.integers(0, 256, (12, 9, 3), dtype=np.uint8)).save(stream, form)
    return stream.getvalue()


def zipped(path, files, folders=()):
    with zipfile.ZipFile(path, "w") as archive:
        for folder in folders:
            archive.writestr(f"{folder}/", b"")
        for name, content in files.items():
            archive.writestr(name, content)
    return str(path)


def images(*classes, each=10, above=""):
    return {f"{above}{name}/{i}.png": picture() for name in classes for i in range(each)}


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
    assert "a has 40 of 44, 91 %: who always says a is right that often." in found["notes"]
    assert "Fewer than 5 images are kept to validate with of b." in found["notes"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"1.png": picture(), "2.png": picture()}, "such as cats/1.jpg, cats/2.jpg"),
        ({"a/inner.zip": b"PK"}, "another zip, a/inner.zip; unpack that"),
        (images("train", "val") | {"notes/a.txt": b""}, "are a split, not classes"),
        ({f"{c}/{i}.tif": picture("TIFF") for c in "ab" for i in range(3)}, "but a TIFF; save it as PNG"),
        ({f"{c}/{i}.gif": picture("GIF") for c in "ab" for i in range(3)}, "but a GIF; save one picture"),
        ({f"{c}/{i}.heic": b"\0\0\0\x18ftypheic" for c in "ab" for i in range(3)}, "export it as JPEG"),
    ],
)
def test_a_refusal_says_what_was_found_and_how_to_mend_it(tmp_path, capsys, files, said):
    found, refusal = account(capsys, zipped(tmp_path / "a.zip", files))
    assert found is None and said in refusal
