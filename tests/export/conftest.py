"""An archive of two runs, and a home of its own into which archives are imported."""

from __future__ import annotations

import pytest

from core.store.store import Store
from tests.export.archives import ID, OTHER, archived, forget_all, stored, told, wipe


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a home in it; nothing may be written elsewhere in it."""
    with pytest.MonkeyPatch.context() as patch:
        root = tmp_path_factory.mktemp("archives")
        patch.setenv("AUGURY_HOME", str(root / "home"))
        yield root


@pytest.fixture(scope="module")
def original(place):
    """An archive of two runs, and what a person sees of each."""
    store = Store()
    stored(store)
    stored(store, OTHER, seed=1, name="")
    store.annotate(ID, "a note", ["tag"])
    content = archived(place, ID, OTHER)
    seen = {run_id: told(store, run_id) for run_id in (ID, OTHER)}
    store.close()
    wipe()
    return content, seen


@pytest.fixture
def store(place, original):
    store = Store()
    yield store
    forget_all(store)
    store.close()
