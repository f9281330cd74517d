from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.jobs.manager import forget_shared_jobs

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A fresh home for every test, runs in this process's threads, and no manager left behind."""
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path))
    monkeypatch.setenv("AUGURY_EXECUTOR", "thread")
    st.cache_resource.clear()
    yield tmp_path
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
