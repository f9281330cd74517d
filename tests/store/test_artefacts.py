"""Files by their content: what is put comes back, and nothing else does."""

import hashlib
import os
import threading

import pytest

from core.run.errors import SpecError
from core.store.artefacts import Artefacts, listed, record
from core.store.store import Store

CONTENT = b"weights" * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(params=["folder", "memory"])
def kept(request, tmp_path):
    return Artefacts(tmp_path / "kept" if request.param == "folder" else f"memory://{tmp_path.name}")


def test_what_is_put_comes_back(kept, tmp_path):
    (tmp_path / "file").write_bytes(CONTENT)
    assert kept.put(CONTENT) == kept.put(tmp_path / "file") == DIGEST
    assert kept.read(DIGEST) == CONTENT
    with kept.open(DIGEST) as file:
        assert file.read() == CONTENT
    assert kept.read(kept.put(b"")) == b""


def test_what_was_removed_is_no_longer_there(kept):
    kept.put(CONTENT)
    kept.remove(DIGEST)
    kept.remove(DIGEST)
    for ask in (kept.read, kept.open):
        with pytest.raises(SpecError, match=f"The file {DIGEST[:12]}… is no longer kept"):
            ask(DIGEST)


def test_reading_is_bounded(kept):
    kept.put(CONTENT)
    with pytest.raises(SpecError, match="longer than 6,999 bytes"):
        kept.read(DIGEST, max_bytes=6999)
    assert kept.read(DIGEST, max_bytes=7000) == CONTENT


@pytest.mark.parametrize(
    "name", ["", "..", "../" * 21 + "x", "a" * 63, "A" * 64, "a" * 64 + "\n", "/etc/passwd"]
)
def test_only_a_digest_is_a_place(kept, name):
    for ask in (kept.read, kept.open, kept.remove):
        with pytest.raises(ValueError, match="64 hex digits"):
            ask(name)


def test_damage_is_noticed(tmp_path):
    kept = Artefacts(tmp_path)
    kept.put(CONTENT)
    (tmp_path / DIGEST[:2] / DIGEST).write_bytes(CONTENT[:-1] + b"x")
    for ask in (kept.read, kept.open):
        with pytest.raises(SpecError, match="is damaged"):
            ask(DIGEST)


def test_a_file_is_whole_or_not_there(tmp_path, monkeypatch):
    kept = Artefacts(tmp_path)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        kept.put(CONTENT)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_many_may_put_the_same_at_once(tmp_path):
    kept = Artefacts(tmp_path)
    threads = [threading.Thread(target=kept.put, args=(CONTENT,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [DIGEST]
    assert kept.read(DIGEST) == CONTENT


def test_the_environment_says_where(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path / "home"))
    Artefacts().put(CONTENT)
    assert (tmp_path / "home" / "artefacts" / DIGEST[:2] / DIGEST).exists()
    monkeypatch.setenv("AUGURY_ARTEFACTS", str(tmp_path / "elsewhere"))
    Artefacts().put(CONTENT)
    assert (tmp_path / "elsewhere" / DIGEST[:2] / DIGEST).exists()
    monkeypatch.setenv("AUGURY_ARTEFACTS", "nosuch://bucket")
    with pytest.raises(SpecError, match="AUGURY_ARTEFACTS: it can't be used"):
        Artefacts()


def test_a_later_artefact_of_one_name_takes_the_place_of_the_first(tmp_path):
    from core.run.spec import RunSpec

    store = Store(f"sqlite:///{tmp_path / 'a.db'}")
    store.create("a" * 32, RunSpec(), 1.0)
    for digest in ("1" * 64, "2" * 64):
        record(store.engine, "a" * 32, {"name": "n", "digest": digest, "media_type": "text/csv", "bytes": 3})
    assert listed(store.engine, "a" * 32) == [("a" * 32, "n", "2" * 64, "text/csv", 3)]
    store.close()
