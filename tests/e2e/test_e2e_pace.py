"""How often a fragment re-runs can be changed from within, without the whole page."""

from __future__ import annotations

import pytest
from browsing import ready
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Serve

pytestmark = pytest.mark.browser


def test_a_fragment_changes_its_own_interval(page: Page, serve: Serve) -> None:
    page.goto(serve("tests/e2e/apps/pace.py"))
    expect(ready(page).get_by_text("turn 10", exact=True)).to_be_visible(timeout=30_000)
    page.wait_for_timeout(1000)
    expect(page.get_by_text("turn 10", exact=True)).to_be_visible()  # and slower again
