"""An import that is killed, or finds no room, leaves a whole run or nothing."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from core.export.archive.importing import import_archive
from core.home import home
from core.run.errors import SpecError
from core.store.artefacts import Artefacts
from core.store.retention import STALE_SECONDS, WEIGHTS, sweep
from core.store.store import Store, run_folder
from tests.export.archives import (
    ID,
    archived,
    listing,
    put_in,
    stored,
    told,
    wipe,
)


@pytest.fixture(autouse=True)
def home_of_a_test(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AUGURY_EXECUTOR", "thread")


@pytest.fixture
def store():
    store = Store()
    yield store
    store.close()


KILLED = """
import os, sys
from pathlib import Path
from core.export.archive import importing
from core.store.store import Store
real = importing.{function}
def killed(*given):
    {first}
    os._exit(9)
importing.{function} = killed
importing.import_archive(Path(sys.argv[1]), Store())
"""


@pytest.mark.parametrize(
    ("function", "first", "here"),
    [("write_weights", "real(*given)", False), ("put", "pass", False), ("settle", "pass", True)],
)
def test_an_import_that_is_killed_leaves_a_whole_run_or_nothing(tmp_path, store, function, first, here):
    stored(store)
    before, path = told(store, ID), tmp_path / "it.augury.zip"
    path.write_bytes(archived(tmp_path, ID))
    wipe()
    store.close()
    code = KILLED.format(function=function, first=first)
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, check=False)
    assert done.returncode == 9, done.stderr
    store = Store()
    assert (store.run(ID) is not None) == here
    sweep(store, Artefacts())
    assert run_folder(ID).exists(), "it may still be at work"
    sweep(store, Artefacts(), time.time() + STALE_SECONDS + 60)
    if here:
        assert told(store, ID) == before
        assert [each.name for each in run_folder(ID).iterdir()] == [WEIGHTS]
    else:
        assert not run_folder(ID).exists() and not store.runs()
        (found,) = import_archive(path, store)
        assert found.id == ID and told(store, ID) == before


def test_an_import_that_fails_leaves_nothing(tmp_path, store, monkeypatch):
    stored(store)
    content = archived(tmp_path, ID)
    wipe()
    store.close()
    store = Store()
    before = listing(home() / "runs")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.store.imported.put_in_place", full)
    with pytest.raises(SpecError, match="is the disk full"):
        put_in(content, tmp_path, store)
    assert listing(home() / "runs") == before and not store.runs()
