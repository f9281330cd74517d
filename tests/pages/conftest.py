import shutil
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.jobs.shared import forget_shared_jobs

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("homes") / "home"


@pytest.fixture(autouse=True)
def home(place, monkeypatch):
    """An empty home for every test, runs in this process's threads, and no manager left behind.

    Pictures are asked of a real interactive worker, one for all tests of this process; it knows the home by
    its path, so this is always the same.
    """
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    monkeypatch.setenv("AUGURY_HOME", str(place))
    monkeypatch.setenv("AUGURY_EXECUTOR", "thread")
    st.cache_resource.clear()
    yield place
    forget_shared_jobs()
    st.cache_resource.clear()


@pytest.fixture
def open_page():
    """Opens a page by its file, with a query, as a visitor does; fails if it shows an exception."""

    def open(file: str, **query: str) -> AppTest:
        visit = AppTest.from_file(ROOT / "app.py", default_timeout=120)
        if file != "app.py":
            visit.switch_page(file)
        for name, value in query.items():
            visit.query_params[name] = value
        visit.run()
        assert not visit.exception
        return visit

    return open
