"""The list of runs in a real browser: cards that are dragged onto each other, ticks, and a phone."""

from __future__ import annotations

import re

import pytest
from browsing import ready
from playwright.sync_api import Page, expect

from core.run.address import encode
from core.run.spec import parse
from tests.e2e.conftest import Serve

pytestmark = pytest.mark.browser

TINY = {
    "data": {"name": "digits", "train_images": 100},
    "model": {"arch": "mlp", "params": {"hidden": [8]}},
    "train": {"epochs": 2},
}


@pytest.fixture(scope="module")
def runs(serve: Serve) -> str:
    return serve("app.py")


def train(page: Page, app: str, name: str, seed: int) -> str:
    """A run that has finished; its id."""
    page.goto(f"{app}/Train?spec={encode(parse(TINY | {'name': name, 'seed': seed}))}")
    ready(page).get_by_role("button", name="Start training").click()
    expect(page.get_by_text("Finished").first).to_be_visible(timeout=60_000)
    found = re.search(r"run=([0-9a-f]{32})", page.url)
    assert found
    return found[1]


def test_a_card_is_dragged_onto_another_and_opened(page: Page, runs: str) -> None:
    one, two = train(page, runs, "Dragged", 0), train(page, runs, "Onto", 1)
    page.goto(f"{runs}/Runs")
    ready(page).get_by_text("Cards", exact=True).click()
    dragged, onto = (page.get_by_role("listitem").filter(has_text=name) for name in ("Dragged", "Onto"))
    start, end = dragged.bounding_box(), onto.bounding_box()
    assert start and end
    page.mouse.move(start["x"] + 30, start["y"] + 30)
    page.mouse.down()
    page.mouse.move(end["x"] + 30, end["y"] + 30, steps=5)
    expect(onto).to_have_class(re.compile("over"))
    page.mouse.up()
    expect(page.get_by_role("heading", name="Compare")).to_be_visible()
    assert page.url.endswith(f"runs={one}%2C{two}")
    page.go_back()
    expect(ready(page).get_by_role("heading", name="Runs")).to_be_visible()
    # The same by the keyboard alone, the other way round.
    onto.get_by_role("button", name="Choose Onto to compare").press("Enter")
    expect(page.get_by_text("Now choose the run")).to_be_visible()
    dragged.get_by_role("button", name="Choose Dragged to compare").press("Enter")
    expect(page.get_by_role("heading", name="Compare")).to_be_visible()
    assert page.url.endswith(f"runs={two}%2C{one}")
    page.go_back()
    dragged.locator(".open").click()
    expect(page).to_have_url(re.compile(f"/Train\\?run={one}"))
    expect(page.get_by_role("heading", name="Dragged")).to_be_visible()
    page.go_back()  # once
    expect(ready(page).get_by_role("heading", name="Runs")).to_be_visible()
    expect(page).to_have_url(re.compile("/Runs(\\?view=Cards)?$"))
    expect(dragged).to_be_visible()


def test_a_finger_ticks_two_runs_and_compares_them(telephone: Page, runs: str) -> None:
    train(telephone, runs, "With a finger", 2)
    train(telephone, runs, "With another", 3)
    telephone.goto(f"{runs}/Runs")
    table = ready(telephone).get_by_test_id("stDataFrame")
    box = table.bounding_box()
    assert box
    for row in (1, 2):
        telephone.touchscreen.tap(box["x"] + 16, box["y"] + 35 * row + 17)
        telephone.wait_for_timeout(300)
    toolbar = telephone.get_by_test_id("stElementToolbar").bounding_box()
    assert (
        toolbar and toolbar["y"] + toolbar["height"] <= box["y"] + 1
    )  # the arrow of a sorted column is in sight
    for pressed in (
        telephone.locator(".st-key-runs_actions, .st-key-runs_filters").get_by_role("button").all()
    ):
        below = pressed.bounding_box()
        assert below and below["y"] + below["height"] <= toolbar["y"]
    telephone.get_by_role("button", name="Compare 2 runs").tap()
    expect(telephone.get_by_role("heading", name="Compare")).to_be_visible()


LONG = "A name of eighty letters, as long as the form lets one be, which no card cuts off"[:80]


@pytest.mark.parametrize("width", [1280, 390])
def test_a_long_name_is_read_whole_on_its_card_and_in_the_sidebar(page: Page, runs: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 720})
    one, two = train(page, runs, LONG, width), train(page, runs, "Short", width + 1)
    whole = "node => node.scrollWidth <= node.clientWidth + 1 && node.scrollHeight <= node.clientHeight + 1"
    if width == 1280:
        link = page.get_by_test_id("stSidebar").get_by_role("link", name=re.compile(LONG)).locator("p").first
        assert link.evaluate(whole) and link.bounding_box()["height"] > 30
    page.goto(f"{runs}/Runs?view=Cards")
    title = ready(page).get_by_role("listitem").filter(has_text=LONG).locator(".title").first
    expect(title).to_have_text(LONG)
    assert title.evaluate(whole) and title.bounding_box()["height"] > 30
    page.goto(f"{runs}/Runs?runs={one},{two}")
    link = (
        ready(page).locator(".st-key-compared").get_by_role("link", name=re.compile(LONG)).locator("p").first
    )
    assert link.evaluate(whole)
