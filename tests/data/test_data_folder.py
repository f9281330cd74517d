"""A person's own images: what is read, what is refused and in which words, and that nothing is written."""

import io
import os
import re
import stat
import struct
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_files import encode, patched, plain, png_that_says, two_classes, zipped
from PIL import Image

from core.data import archive
from core.data import folder as folder_module
from core.data.catalogue import load_dataset
from core.data.folder import folder, read_zip
from core.run.errors import SpecError
from core.run.spec import DataSpec


def read(content: bytes, **options: int):
    return read_zip(io.BytesIO(content), **{"side": 8, "channels": 3, **options}).told()


def refused(content: bytes, said: str) -> None:
    with pytest.raises(SpecError, match=said) as error:
        read(content)
    assert error.value.where == "data.path"
    assert "\n" not in str(error.value)
    assert error.value.what.endswith(".")
    assert not error.value.what.endswith("..")


# What is read


def test_a_zip_of_two_classes():
    dataset = read(zipped(two_classes(3)))
    assert dataset.classes == ("cats", "dogs")
    assert dataset.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert dataset.labels.dtype == np.int64
    assert dataset.images.shape == (6, 3, 8, 8)
    assert dataset.images[:, 0, 0, 0].tolist() == [200, 201, 202, 0, 0, 0]
    assert dataset.images[:, 2, 0, 0].tolist() == [0, 0, 0, 200, 201, 202]
    assert dataset.notes == ()


def test_classes_and_images_are_in_the_order_of_their_names_whatever_the_zips():
    files = two_classes(3)
    backwards = dict(reversed(files.items()))
    assert np.array_equal(read(zipped(files)).images, read(zipped(backwards)).images)


def test_a_directory_reads_as_the_zip_of_it_does(tmp_path):
    files = two_classes(3) | {"cats/deeper/9.png": plain(99), "dogs/.hidden.png": b"no"}
    for name, content in files.items():
        path = tmp_path / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    from_folder, from_zip = folder(tmp_path / "mine", side=8), read(zipped(files))
    assert np.array_equal(from_folder.images, from_zip.images)
    assert np.array_equal(from_folder.labels, from_zip.labels)
    assert from_folder.classes == from_zip.classes


def test_side_and_channels_and_their_defaults(tmp_path):
    (tmp_path / "mine.zip").write_bytes(zipped(two_classes()))
    path = str(tmp_path / "mine.zip")
    assert load_dataset(DataSpec(name="folder", path=path)).images.shape == (6, 3, 32, 32)
    assert load_dataset(DataSpec(name="folder", path=path, side=16, channels=1)).images.shape == (
        6,
        1,
        16,
        16,
    )


def test_one_folder_around_everything_is_looked_through():
    wrapped = {f"my animals/v2/{name}": content for name, content in two_classes().items()}
    hidden = {"__MACOSX/my animals/._x.png": b"x", ".DS_Store": b"x", "my animals/Thumbs.db": b"x"}
    loose = {"README.txt": b"hello", "my animals/v2/loose.png": plain(1)}
    dataset = read(zipped(wrapped | hidden | loose))
    assert dataset.classes == ("cats", "dogs")
    assert len(dataset) == 6
    assert dataset.notes == (
        "Ignored 2 other files: README.txt; my animals/v2/loose.png.",
        "Left out 3 hidden or system files.",
    )


def test_deeper_images_belong_to_the_first_level():
    files = two_classes(2) | {"cats/young/7.png": plain(77), "dogs/a/b/c/8.png": plain(88)}
    assert read(zipped(files)).labels.tolist() == [0, 0, 0, 1, 1, 1]


def test_what_a_file_is_stands_in_its_content():
    files = two_classes(2) | {
        "cats/named.png": encode(np.full((8, 8, 3), 50, np.uint8), "BMP"),
        "cats/nothing": plain(51),
        "cats/odd.data": plain(52),
    }
    assert read(zipped(files)).images[:5, 0, 0, 0].tolist() == [200, 201, 50, 51, 52]


def test_companion_files_are_ignored_with_a_note():
    dataset = read(zipped(two_classes(2) | {"cats/labels.csv": b"a,b", "notes/x.txt": b"x"}))
    assert dataset.classes == ("cats", "dogs")
    assert dataset.notes == ("Ignored 2 other files: notes/x.txt; cats/labels.csv.",)


def test_class_names_are_fit_to_show_and_differ():
    long = "x" * 50
    names = [f"{long}1", f"{long}2", "Ä\u202e\n", "Äpfel"]
    dataset = read(zipped({f"{name}/{i}.png": plain(i) for name in names for i in range(2)}))
    assert len(set(dataset.classes)) == 4
    assert all(len(name) <= 40 and name.isprintable() for name in dataset.classes)
    assert {"Ä", "Äpfel"} < set(dataset.classes)


def test_names_in_utf8_that_do_not_say_so_are_read_as_such():
    """As macOS writes them: decomposed, and without the flag."""
    content = zipped({f"{name}/{i}.png": plain(i) for name in ("A\u0308pfel", "pears") for i in range(2)})
    for header in (rb"(PK\x03\x04..)..", rb"(PK\x01\x02....).."):
        content = re.sub(header, rb"\1\0\0", content, flags=re.DOTALL)
    assert set(read(content).classes) == {"Äpfel", "pears"}


def test_files_that_lie_too_deep_or_have_too_long_a_name_are_refused_at_once():
    for name in ("a/" + "d/" * 20_000 + "1.png", "a/" + "x" * 1100 + ".png"):
        began = time.perf_counter()
        refused(zipped({name: plain(1), "b/1.png": plain(2)}), "lies too deep or has too long a name")
        assert time.perf_counter() - began < 1
    deep = {f"{name}/{'d/' * 28}{i}.png": plain(9 * i) for name in "ab" for i in range(2)}
    assert len(read(zipped(deep))) == 4


# What is skipped


def bad_zip(number_good: int, **bad: bytes) -> bytes:
    return zipped(two_classes(number_good) | {f"cats/{name}.png": content for name, content in bad.items()})


def test_bad_images_are_skipped_and_named():
    dataset = read(bad_zip(10, text=b"hello", short=plain(1)[:50]))
    assert len(dataset) == 20
    assert dataset.notes == (
        "Skipped 2 of 22 images: cats/short.png is cut short or broken; "
        "cats/text.png is not a PNG, JPEG, WebP, BMP, GIF or TIFF image.",
    )


def test_more_than_a_tenth_bad_is_refused_and_a_tenth_is_not():
    assert len(read(bad_zip(9, a=b"", b=b""))) == 18  # 2 of 20
    refused(bad_zip(9, a=b"", b=b"", c=b""), "3 of its 21 images can't be read; the first: cats/a.png is not")


def test_an_image_of_too_many_pixels_is_skipped():
    assert "64 million pixels" in read(bad_zip(10, huge=png_that_says(9_000, 9_000))).notes[0]


@pytest.mark.parametrize("said", [1, 50, 10_000])
def test_an_entry_whose_declared_size_lies_is_skipped(said):
    files = {"cats/liar.png": plain(1, side=64)} | two_classes(10)
    content = patched(zipped(files), local=(22, "<I", said), central=(24, "<I", said))
    dataset = read(content)
    assert len(dataset) == 20
    assert "cats/liar.png is" in dataset.notes[0]


def test_an_entry_with_a_wrong_checksum_is_skipped():
    files = {"cats/liar.png": plain(1)} | two_classes(10)
    content = patched(zipped(files), local=(14, "<I", 7), central=(16, "<I", 7))
    assert "cats/liar.png is broken in the zip" in read(content).notes[0]


def test_an_entry_of_too_many_bytes_is_skipped(monkeypatch):
    monkeypatch.setattr(archive, "MAX_FILE_BYTES", 1000)
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert "is larger than" in read(bad_zip(10, large=encode(noise))).notes[0]


def test_a_long_list_of_bad_images_is_cut():
    note = read(bad_zip(70, **{f"b{i:02}": b"" for i in range(12)})).notes[0]
    assert note.endswith("; and 2 more.")


# What is refused


@pytest.mark.parametrize(
    "content", [b"", b"hello", plain(1), zipped(two_classes())[:-30], b"PK\5\6" + bytes(10)]
)
def test_not_a_zip(content):
    refused(content, "not a zip")


def test_an_encrypted_zip():
    refused(patched(zipped(two_classes()), local=(6, "<H", 1), central=(8, "<H", 1)), "encrypted")


@pytest.mark.parametrize(
    "name",
    [
        "../up.png",
        "cats/../../up.png",
        "/etc/x.png",
        "\\x.png",
        "..\\up.png",
        "C:\\x.png",
        "c:x.png",
        "//host/x.png",
    ],
)
def test_paths_that_lead_out(name):
    refused(zipped(two_classes() | {name: plain(1)}), "leads out of it")
    refused(zipped(two_classes() | {f"{name}/": b""}), "leads out of it")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links(kind):
    link = zipfile.ZipInfo("cats/link.png")
    link.create_system = 3
    link.external_attr = (kind | 0o777) << 16
    refused(zipped([*two_classes().items(), (link, b"/etc/passwd")]), "a link, cats/link.png")


def test_a_bomb_by_ratio():
    refused(zipped(two_classes() | {"cats/zeros.bmp": bytes(10_000_000)}), "more than 200 times its size")


def test_a_plain_drawing_is_no_bomb():
    blank = encode(Image.new("RGB", (1024, 768), "white"), "BMP")
    assert len(read(zipped(two_classes() | {"cats/blank.bmp": blank}))) == 7


def test_a_bomb_by_declared_size():
    content = patched(zipped(two_classes()), local=(22, "<I", 2**32 - 2), central=(24, "<I", 2**32 - 2))
    refused(content, "times its size")


def test_a_bomb_by_total_size(monkeypatch):
    monkeypatch.setattr(archive, "MAX_TOTAL_BYTES", 100_000)
    refused(zipped(two_classes() | {f"cats/{i}.bmp": bytes(20_000) for i in range(5)}), "at most")


def overlapping(entries: int, size: int) -> bytes:
    """Many directory records of one and the same packed file: D. Fifield, "A better zip bomb", 2019."""
    content = zipped({"cats/0.bmp": bytes(size)})
    start = content.index(b"PK\1\2")
    end = content.index(b"PK\5\6")
    directory = content[start:end] * entries
    tail = bytearray(content[end:])
    struct.pack_into("<HHI", tail, 8, entries, entries, len(directory))
    return content[:start] + directory + bytes(tail)


def test_a_bomb_by_overlap():
    content = overlapping(entries=300, size=4_000_000)
    assert len(content) < 30_000
    refused(content, "unpacked it is 1,144 MB; at most 1,024 are read")


def test_a_bomb_by_count_of_pixels(monkeypatch):
    monkeypatch.setattr(folder_module, "MAX_TOTAL_WORK", 300)
    refused(zipped(two_classes()), "too large in all")


def test_too_many_entries(monkeypatch):
    monkeypatch.setattr(archive, "MAX_ENTRIES", 5)
    refused(zipped(two_classes()), "lists 6 files; at most 5")


def test_a_directory_too_long_to_parse(monkeypatch):
    content = zipped({f"cats/{i}.png": b"" for i in range(2000)})
    monkeypatch.setattr(archive, "MAX_READ", 70_000)  # more than the tail that every zip is searched for
    refused(content, "lists too many files")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_unbounded_methods(method):
    info = zipfile.ZipInfo("cats/x.png")
    info.compress_type = method
    buffer = io.BytesIO(zipped(two_classes()))
    with zipfile.ZipFile(buffer, "a") as file:
        file.writestr(info, plain(1), compress_type=method)
    refused(buffer.getvalue(), "unusual way")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "no images"),
        ({"cats/": b"", "dogs/": b""}, "no images"),
        ({"cats/a.txt": b"x", "dogs/b.txt": b"x"}, "no images"),
        ({"a.png": plain(1), "b.png": plain(2)}, "no folders"),
        ({"cats/a.png": plain(1), "cats/b.png": plain(2)}, "one class only, cats"),
        (two_classes() | {"eels/a.png": plain(1)}, "class eels has only one image"),
        (two_classes(10) | {"eels/a.png": b"x"}, "class eels has no image that can be read"),
        ({f"{name}/{i}.png": plain(i) for name in ("train", "Test") for i in range(2)}, "without classes"),
    ],
)
def test_sets_that_can_not_be_learned_from(files, said):
    refused(zipped(files), said)


def test_too_many_classes():
    refused(zipped({f"c{i}/{j}.png": b"" for i in range(201) for j in range(2)}), "201 folders")


def test_too_many_images(monkeypatch):
    monkeypatch.setattr(folder_module, "MAX_IMAGES", 5)
    refused(zipped(two_classes()), "more than 5 images")
    refused(zipped({name[:-4]: content for name, content in two_classes().items()}), "more than 5 images")


def test_images_that_do_not_fit_say_so_at_the_side(monkeypatch):
    monkeypatch.setattr(folder_module, "MAX_BYTES", 5 * 3 * 8 * 8)
    with pytest.raises(SpecError, match="only 5 images fit at 8 pixels") as error:
        read(zipped(two_classes()))
    assert error.value.where == "data.side"


def test_paths_that_are_not_there(tmp_path):
    for path in (str(tmp_path / "none.zip"), "a\0b", "x" * 1000):
        with pytest.raises(SpecError, match="no readable file or folder") as error:
            load_dataset(DataSpec(name="folder", path=path))
        assert error.value.where == "data.path"
    with pytest.raises(SpecError, match="need a path"):
        load_dataset(DataSpec(name="folder"))


def test_a_directory_of_too_many_files(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_ENTRIES", 3)
    for name in "abcd":
        (tmp_path / name).touch()
    with pytest.raises(SpecError, match="more than 3 files"):
        folder(tmp_path)


def test_in_a_directory_links_to_files_count_and_links_to_folders_and_pipes_do_not(tmp_path):
    mine, outside = tmp_path / "mine", tmp_path / "outside"
    for name, content in two_classes(2).items():
        for root in (mine, outside):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
    (mine / "cats" / "linked.png").symlink_to(outside / "cats" / "0.png")
    (mine / "eels").symlink_to(outside / "dogs")
    (mine / ".hidden").mkdir()
    (mine / ".hidden" / "0.png").write_bytes(plain(1))
    os.mkfifo(mine / "cats" / "pipe.png")
    dataset = folder(mine, side=8)
    assert (dataset.classes, dataset.labels.tolist()) == (("cats", "dogs"), [0, 0, 0, 1, 1])
    assert dataset.notes[0].startswith("1 image is a copy of another")


# Whatever comes


def test_reading_writes_nothing(tmp_path, monkeypatch):
    def forbidden(*args: object, **kwargs: object) -> None:
        pytest.fail("something was written")

    for owner, name in (
        (zipfile.ZipFile, "extract"),
        (zipfile.ZipFile, "_extract_member"),
        (tempfile, "mkstemp"),
    ):
        monkeypatch.setattr(owner, name, forbidden)
    for name in ("write_bytes", "write_text", "mkdir", "touch"):
        monkeypatch.setattr(Path, name, forbidden)
    monkeypatch.chdir(tmp_path)
    read(zipped(two_classes()))
    refused(zipped(two_classes() | {"../up.png": plain(1)}), "leads out")
    assert list(tmp_path.iterdir()) == []


BASE = zipped(two_classes(2) | {"cats/x/": b"", "cats/x/y.bmp": encode(np.zeros((8, 8), np.uint8), "BMP")})


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_damage_raises_anything_but_a_spec_error(data):
    content = bytearray(BASE)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        kind = data.draw(st.sampled_from(["byte", "word", "cut", "insert"]))
        if kind == "byte":
            content[place] = data.draw(st.integers(0, 255))
        elif kind == "word":
            content[place : place + 4] = data.draw(
                st.sampled_from([b"\xff" * 4, b"\0" * 4, b"PK\1\2", b"\x7f" * 4])
            )
        elif kind == "cut":
            del content[place : place + data.draw(st.integers(1, 20))]
        else:
            content[place:place] = data.draw(st.binary(max_size=8))
    try:
        dataset = read(bytes(content))
    except SpecError as error:
        assert "\n" not in str(error)
    else:
        assert len(dataset) >= 4


@settings(max_examples=100, deadline=None)
@given(content=st.binary(max_size=300))
def test_no_bytes_raise_anything_but_a_spec_error(content):
    with pytest.raises(SpecError):
        read(content + b"PK\5\6" + content[:18].ljust(18, b"\0"))
