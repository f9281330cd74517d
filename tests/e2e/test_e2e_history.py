"""The browser's Back: it goes back to a page or to the form, and not through every turn of a dial."""

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
        "name": "Small",
        "data": {"name": "digits", "train_images": 100},
        "model": {"arch": "cnn", "params": {"channels": [8], "hidden": 32}},
        "regularisers": [{"kind": "l1", "strength": 1e-3}],
        "augment": {"ops": [{"op": "RandomAffine"}]},
        "train": {"epochs": 2},
    }
)


def steps(page: Page) -> int:
    return page.evaluate("history.length")


def from_the_landing_page(page: Page, app: str, link: str) -> None:
    page.goto(app)
    ready(page)
    page.locator(".st-key-bar").get_by_role("link", name=link, exact=True).click()
    expect(page.get_by_role("heading", name=link, exact=True)).to_be_visible()
    page.wait_for_url(re.compile(r"spec="))


@pytest.mark.parametrize(("link", "dial"), [("Augment", "Strength"), ("Train", "Kept for validation")])
def test_ten_turns_of_a_dial_are_no_step_and_back_leaves_the_page(
    page: Page, app: str, link: str, dial: str
) -> None:
    from_the_landing_page(page, app, link)
    before = steps(page)
    thumb = page.get_by_role("slider", name=re.compile(dial))
    for turn in range(10):
        address = page.url
        thumb.press("ArrowLeft" if turn % 2 else "ArrowRight")
        page.wait_for_function("before => location.href !== before", arg=address)
    assert steps(page) == before
    page.go_back()
    expect(page.get_by_role("heading", name="Augury")).to_be_visible()


def test_another_draw_is_no_step(page: Page, app: str) -> None:
    from_the_landing_page(page, app, "Augment")
    before = steps(page)
    for draw in (1, 2, 3):
        page.get_by_role("button", name="New draw").click()
        page.wait_for_url(re.compile(f"draw={draw}"))
    assert steps(page) == before


def test_back_from_a_run_returns_to_the_form_with_its_choices(page: Page, app: str) -> None:
    page.goto(f"{app}/Train?spec={encode(SMALL)}")
    ready(page)
    page.get_by_role("slider", name=re.compile("Kept for validation")).press("ArrowRight")
    expect(page.get_by_role("slider", name=re.compile("Kept for validation"))).to_have_attribute(
        "aria-valuetext", "0.25"
    )
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url(re.compile(r"run="))
    expect(page.get_by_role("heading", name="Small")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("button", name="Start training")).to_be_visible()
    expect(page.get_by_role("slider", name=re.compile("Kept for validation"))).to_have_attribute(
        "aria-valuetext", "0.25"
    )
    page.go_forward()
    expect(page.get_by_role("heading", name="Small")).to_be_visible()


def test_a_start_from_the_landing_page_is_one_step_and_back_leads_there(page: Page, app: str) -> None:
    page.goto(app)
    ready(page)
    before = steps(page)
    page.locator(".st-key-start-group-lasso button").evaluate("button => button.click()")
    page.wait_for_url(re.compile(r"/Train\?run="))
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    assert steps(page) == before + 1
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Change something and train again")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Augury")).to_be_visible()


def test_a_link_from_a_run_to_another_changes_the_address_and_back_leads_back(page: Page, app: str) -> None:
    for name in ("First", "Second"):
        page.goto(f"{app}/Train?spec={encode(SMALL.model_copy(update={'name': name, 'seed': len(name)}))}")
        ready(page).get_by_role("button", name="Start training").click()
        expect(page.get_by_text("Finished").first).to_be_visible()
    second = page.url
    page.get_by_role("link", name=re.compile("First")).first.click()
    expect(page.get_by_role("heading", name="First", exact=True)).to_be_visible()
    page.wait_for_function(
        "before => location.href !== before && location.search.includes('run=')", arg=second
    )
    page.go_back()
    expect(page.get_by_role("heading", name="Second", exact=True)).to_be_visible()
    assert page.url == second
