"""Uploads: kept under their digest, only when good, and named so that no name is a path."""

import hashlib
import io
import os
import stat
import time
import zipfile

import numpy as np
import pytest
from image_files import two_classes, zipped

from core.data import uploads
from core.data.catalogue import load_dataset
from core.data.folder import read_zip
from core.data.uploads import keep_upload as keep
from core.data.uploads import left_out_of, resolve_path
from core.run.errors import SpecError
from core.run.spec import DataSpec, is_upload


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path))
    return tmp_path


def kept(home):
    """The names of the zips that are here, each with what is known of it."""
    names = {path.stem for path in (home / "uploads").glob("*.zip")}
    assert {path.stem for path in (home / "uploads").glob("*.json")} == names
    return {f"upload:{name}" for name in names}


def keep_upload(content, *args, **options):
    return keep(content, *args, **options).path


def test_a_good_zip_is_kept_once_under_its_digest(home):
    content = zipped(two_classes())
    name = keep_upload(content)
    assert name == keep_upload(content) == f"upload:{hashlib.sha256(content).hexdigest()}"
    assert kept(home) == {name}
    assert load_dataset(DataSpec(name="folder", path=name, side=8)).classes == ("cats", "dogs")


@pytest.mark.parametrize("content", [b"hello", zipped({"a/1.png": b""}), zipped({"../x.png": b""})])
def test_a_bad_zip_is_refused_and_nothing_is_written(home, content):
    with pytest.raises(SpecError):
        keep_upload(content)
    assert list(home.iterdir()) == []


def test_an_upload_that_is_gone():
    with pytest.raises(SpecError, match="upload the zip again") as error:
        load_dataset(DataSpec(name="folder", path=f"upload:{'0' * 64}"))
    assert error.value.where == "data.path"


@pytest.mark.parametrize(
    "tail", ["", "../../etc/passwd", "0" * 63, "0" * 64 + "\n", "A" * 64, "0" * 64 + "/.."]
)
def test_only_digests_name_uploads(tail):
    assert not is_upload(f"upload:{tail}")
    with pytest.raises(SpecError, match="64 hex digits"):
        resolve_path(f"upload:{tail}")


def test_other_paths_are_this_machines_and_no_uploads(tmp_path):
    assert resolve_path(str(tmp_path)) == tmp_path
    assert not is_upload(str(tmp_path))
    assert is_upload(f"upload:{'0' * 64}")


def test_a_full_disk_leaves_nothing_half_written(home, monkeypatch):
    (home / "uploads").mkdir()

    def full(*args: object, **kwargs: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("tempfile._TemporaryFileWrapper.write", full, raising=False)
    with pytest.raises(OSError, match="No space"):
        keep_upload(zipped(two_classes()))
    assert list((home / "uploads").iterdir()) == []


def test_what_was_not_used_for_longest_makes_room(home, monkeypatch):
    contents = [zipped({**two_classes(), "note.txt": bytes([65 + i]) * 100}) for i in range(4)]
    first, second, third = (keep_upload(content) for content in contents[:3])
    for age, name in ((300, first), (200, second), (100, third)):
        used = time.time() - age
        os.utime(home / "uploads" / f"{name[7:]}.zip", (used, used))
    resolve_path(first)  # in use again
    monkeypatch.setattr(uploads, "MOST_BYTES", sum(map(len, contents)) - len(contents[1]))
    last = keep_upload(contents[3])
    assert kept(home) == {first, third, last}
    with pytest.raises(SpecError, match="upload the zip again"):
        resolve_path(second)


def test_the_newest_stays_even_if_it_alone_is_too_large(home, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_BYTES", 1)
    old, new = keep_upload(zipped(two_classes())), keep_upload(zipped({**two_classes(), "note.txt": b"new"}))
    assert resolve_path(new).is_file()
    with pytest.raises(SpecError):
        resolve_path(old)


def test_what_runs_still_need_stays_whatever_its_age(home, monkeypatch):
    contents = [zipped({**two_classes(), "note.txt": bytes([65 + i]) * 100}) for i in range(4)]
    first, second, third = (keep_upload(content) for content in contents[:3])
    for age, name in ((300, first), (200, second), (100, third)):
        used = time.time() - age
        os.utime(home / "uploads" / f"{name[7:]}.zip", (used, used))
    monkeypatch.setattr(uploads, "MOST_BYTES", 1)
    last = keep_upload(contents[3], in_use=frozenset({first, third}))
    assert kept(home) == {first, third, last}


def test_what_a_killed_upload_left_is_swept_once_nobody_can_be_writing_it(home):
    (home / "uploads").mkdir()
    old, new = home / "uploads" / "tmpold", home / "uploads" / "tmpnew"
    for each in (old, new):
        each.write_bytes(b"half a zip")
    os.utime(old, (time.time() - 7200,) * 2)
    name = keep_upload(zipped(two_classes()))
    assert {each.name for each in (home / "uploads").iterdir()} == {
        "tmpnew",
        f"{name[7:]}.zip",
        f"{name[7:]}.json",
    }


def test_only_this_user_reads_uploads(home):
    keep_upload(zipped(two_classes()))
    for each in ((home / "uploads"), *(home / "uploads").iterdir()):
        assert stat.S_IMODE(each.stat().st_mode) & 0o077 == 0, each


def test_only_what_was_read_is_kept_and_the_notes_of_the_rest(home):
    rest = {
        "cats/broken.png": b"x" * 500_000,
        "note.txt": os.urandom(500_000),
        "dogs/b.txt": os.urandom(500_000),
    }
    content = zipped({**two_classes(20), **rest})
    name = keep_upload(content)
    assert resolve_path(name).stat().st_size < 10_000 < len(content)
    with zipfile.ZipFile(resolve_path(name)) as archive:
        assert sorted(archive.namelist()) == sorted(two_classes(20))
    at_once = load_dataset(DataSpec(name="folder", path=name, side=8))
    at_another_side = load_dataset(DataSpec(name="folder", path=name, side=16))
    assert "Skipped 1 of 41 images: cats/broken.png" in at_once.notes[0]
    assert at_once.notes[1].startswith("Ignored 2 other files") and len(at_once.notes) == 2
    assert at_another_side.notes == (*at_once.notes, "The images are 8 px wide and 8 px high.")


@pytest.mark.parametrize("inside", ["", "all of it/"])
def test_what_is_kept_is_the_same_dataset(home, inside):
    files = {f"{inside}{name}": content for name, content in two_classes(5).items()}
    twice = [*files.items(), (f"{inside}cats/0.png", files[f"{inside}cats/3.png"])]  # two of one name
    content = zipped(twice)
    expected = read_zip(io.BytesIO(content), side=16, channels=3).dataset
    found = load_dataset(DataSpec(name="folder", path=keep_upload(content), side=16))
    assert found.classes == expected.classes and len(found.labels) == 11
    assert np.array_equal(found.images, expected.images) and np.array_equal(found.labels, expected.labels)


def test_who_fills_the_room_makes_room(home, monkeypatch):
    """An attacker's hundred push out his own; a pupil's one, older than all, stays."""

    def upload(i, place):
        return keep_upload(zipped({**two_classes(), "note.txt": str(i).encode()}), place=place)

    pupils = upload(-1, "pupil")
    used = time.time() - 1000
    os.utime(resolve_path(pupils), (used, used))
    monkeypatch.setattr(uploads, "MOST_BYTES", 4 * resolve_path(pupils).stat().st_size)
    os.utime(resolve_path(pupils), (used, used))
    names = []
    for i in range(20):
        names.append(upload(i, "attacker"))
        os.utime(home / "uploads" / f"{pupils[7:]}.zip", (used, used))
    assert kept(home) == {pupils, *names[-3:]}


def test_an_upload_of_an_older_release_is_read_as_it_is(home):
    content = zipped({**two_classes(), "note.txt": b"x"})
    name = f"upload:{hashlib.sha256(content).hexdigest()}"
    (home / "uploads").mkdir()
    (home / "uploads" / f"{name[7:]}.zip").write_bytes(content)
    assert "note.txt" in load_dataset(DataSpec(name="folder", path=name)).notes[0]
    (home / "uploads" / f"{name[7:]}.json").write_text("[" * 100_000)
    assert left_out_of(name) == ()
