"""A study in a real browser: asked about a run, started, paused and gone on with, its answer read."""

from __future__ import annotations

import re

import pytest
from browsing import ready
from playwright.sync_api import Page, expect

from core.run.address import encode
from core.run.spec import parse

pytestmark = pytest.mark.browser

SMALL = parse(
    {
        "data": {"name": "digits", "train_images": 200},
        "model": {"arch": "mlp", "params": {"hidden": [16]}},
        "regularisers": [{"kind": "l1", "strength": 1e-4}],
        "train": {"epochs": 3, "device": "cpu"},
    }
)
DONE_IN = 90_000  # milliseconds


def test_from_a_run_to_the_answer_and_on_to_train(page: Page, app: str) -> None:
    page.goto(f"{app}/Train?spec={encode(SMALL)}")
    ready(page).get_by_role("button", name="Start training").click()
    page.get_by_role("link", name="Study it").click()
    expect(page.get_by_text(re.compile("^mlp 16|mlp 16 "))).to_be_visible()
    expect(
        page.get_by_text("On this machine", exact=False).or_(page.get_by_text("on this machine"))
    ).to_be_visible()
    page.get_by_role("button", name="Start the study").click()
    page.wait_for_url(re.compile(r"/Studies\?.*study=[0-9a-f]{32}"))
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text(re.compile("^Done: 41 of 41 cells"))).to_be_visible(timeout=DONE_IN)
    expect(page.get_by_text(re.compile("^Take λ = "))).to_be_visible()
    expect(
        page.get_by_role("figure", name=re.compile("^Accuracy and zeros against λ"))
        .locator(".main-svg")
        .first
    ).to_be_visible()
    address = page.url
    page.reload()
    expect(page.get_by_text(re.compile("^Take λ = "))).to_be_visible()
    page.get_by_role("button", name=re.compile("^Train with λ")).click()
    page.wait_for_url(re.compile("/Train"))
    expect(page.get_by_role("button", name="Start training")).to_be_visible()
    page.goto(f"{app}/Studies")
    page.get_by_role("link", name="Which λ?").first.click()
    page.wait_for_url(address)
