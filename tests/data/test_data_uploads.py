"""Uploads: kept under their digest, only when good, and named so that no name is a path."""

import hashlib

import pytest
from image_files import two_classes, zipped

from core.data import is_upload, keep, load
from core.data.uploads import resolve
from core.errors import SpecError
from core.spec import DataSpec


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path))
    return tmp_path


def test_a_good_zip_is_kept_once_under_its_digest(home):
    content = zipped(two_classes())
    name = keep(content)
    assert name == keep(content) == f"upload:{hashlib.sha256(content).hexdigest()}"
    assert [path.name for path in (home / "uploads").iterdir()] == [f"{name[7:]}.zip"]
    assert resolve(name).read_bytes() == content
    assert load(DataSpec(name="folder", path=name, side=8)).classes == ("cats", "dogs")


@pytest.mark.parametrize("content", [b"hello", zipped({"a/1.png": b""}), zipped({"../x.png": b""})])
def test_a_bad_zip_is_refused_and_nothing_is_written(home, content):
    with pytest.raises(SpecError):
        keep(content)
    assert list(home.iterdir()) == []


def test_an_upload_that_is_gone():
    with pytest.raises(SpecError, match="upload the zip again") as error:
        load(DataSpec(name="folder", path=f"upload:{'0' * 64}"))
    assert error.value.where == "data.path"


@pytest.mark.parametrize(
    "tail", ["", "../../etc/passwd", "0" * 63, "0" * 64 + "\n", "A" * 64, "0" * 64 + "/.."]
)
def test_only_digests_name_uploads(tail):
    assert not is_upload(f"upload:{tail}")
    with pytest.raises(SpecError, match="64 hex digits"):
        resolve(f"upload:{tail}")


def test_other_paths_are_this_machines_and_no_uploads(tmp_path):
    assert resolve(str(tmp_path)) == tmp_path
    assert not is_upload(str(tmp_path))
    assert is_upload(f"upload:{'0' * 64}")


def test_a_full_disk_leaves_nothing_half_written(home, monkeypatch):
    (home / "uploads").mkdir()

    def full(*args: object, **kwargs: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("tempfile._TemporaryFileWrapper.write", full, raising=False)
    with pytest.raises(OSError, match="No space"):
        keep(zipped(two_classes()))
    assert list((home / "uploads").iterdir()) == []
